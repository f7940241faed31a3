"""Certificates, handshakes and trust: TLS towards clients and towards endpoints."""

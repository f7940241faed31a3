"""The parent of all processes: it binds sockets, starts and restarts children, and owns signals.

It carries no traffic and takes no decisions, so there is little in it that can break. It uses the standard
library alone.
"""

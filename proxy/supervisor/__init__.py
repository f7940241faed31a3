"""The parent of all processes: it binds sockets, starts and restarts children, and owns signals.

It carries no traffic and takes no decisions, so that little in it can fail. It uses the standard library
only.
"""

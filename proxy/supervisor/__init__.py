"""The parent of all processes: it binds the sockets, starts and restarts children and owns the signals.

It carries no traffic and takes no decisions, so there is little in it that can break. It uses the standard
library alone.
"""

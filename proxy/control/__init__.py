"""The process that decides: it judges, moves rollouts, and sends workers the table in force.

It carries no traffic. When it is gone the workers go on with the last table that they were sent; when it
comes back it reads the ledger, and the workers report what happened in between.
"""

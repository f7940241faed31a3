"""How a service moves from stable to canary, and out again: pure values and one function, `advance`.

Nothing here knows what time it is, draws a number or writes anything down. The process that does says what
happened and is told the next state, the entry for the ledger, and whether to act or to write first.
"""

"""Plans, phases and legal moves, and what a verdict, an order or the file leads to.

Nothing here knows what time it is, draws a number or writes anything down. The process that does says what
happened and is told the next state, the entry for the ledger, and whether to act or to write first.
"""

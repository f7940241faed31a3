"""Plans, phases and legal moves, and what a verdict, an order or the file leads to.

Nothing here knows what time it is, draws a number or writes anything down. The process that does passes in
what happened and gets the next state, the entry for the ledger, and whether to act or to write first.
"""

"""What the outcomes say about the canary: checks, the verdict on them, and the judge who gives it.

Pure: given counts, it returns a verdict with its reasons. What follows from one is `proxy.rollout`'s affair.
"""

"""A request head becomes a Choice: which service, which backend, which endpoint, and why.

Everything here is a value or a pure function: randomness is an argument, and so is what is known of the
endpoints.
"""

"""Who answers a request, and why: a request head becomes a Choice.

Everything here is a value or a pure function: randomness is an argument, and so is what is known of the
endpoints.
"""

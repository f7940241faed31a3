"""What is remembered of exchanges: outcomes, tallies of them, windows over tallies, and how they are shown.

Pure: time is an argument, in float seconds. Nothing here decides; `proxy.analysis` does.
"""

"""Outcomes, histograms, tallies and windows, and the formats of metrics and access log.

Pure: time is an argument, in float seconds. Nothing here decides; `proxy.analysis` does.
"""

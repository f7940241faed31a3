"""The demonstration: sample services, made-up customers, a good canary and a bad one.

Everything runs on loopback, in processes that end with this one. `run` is the whole run, `deployment` starts
the samples and the proxy, `customers` send requests, `customer_counts` counts their answers, `story` plays
the acts, `verification` compares the end with what was expected, and `screen` prints.
"""

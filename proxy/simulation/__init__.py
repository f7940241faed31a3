"""Traffic that never was, before the real judge: how soon is a bad canary out, and how often a good one?

Pure, as the judge is: time passes as it is told to, and chance is an argument.
"""

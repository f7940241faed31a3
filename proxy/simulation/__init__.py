"""Made traffic before the real judge: how soon a bad canary is out, how often a good one.

Pure, as the judge is: time passes as it is set, and chance is an argument.
"""

"""The file that a person writes, read into validated values, or all of its errors at once.

`reading` is the way in. Text becomes plain words that know their place (`nodes`), words become values by
the type of their key (`units`, `addresses`, `names`), values become frozen models (`schema`), and
whatever does not fit becomes `problems`: all of them at once.
"""

"""The demonstration: sample services, made-up customers, a good canary and a bad one.

Everything runs on loopback, in processes that end with this one: ``stage`` sets it up, ``load`` sends the
customers, ``seen`` remembers what they met, ``story`` plays the acts, ``ledger`` compares them with
what was written down, and ``screen`` tells them.
"""

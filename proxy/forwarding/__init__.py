"""The two connections of an exchange and what lies between: pool, deadlines, back-pressure."""

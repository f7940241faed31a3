"""Names: each becomes addresses, which are kept fresh beside the traffic and never on its way."""

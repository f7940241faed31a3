"""One of N processes that carry traffic: it listens, routes by its table, and counts."""

"""One of the processes that carry traffic: it listens, routes by the table that control sent, and counts."""

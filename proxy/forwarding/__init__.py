"""A choice becomes an exchange: one request and its answer crossing the proxy, by callbacks alone."""

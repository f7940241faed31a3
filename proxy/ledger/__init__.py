"""The durable history and state of all services, and the counts that survive a restart."""

"""The child side of a process started by the supervisor: its lifeline, and its garbage collector."""

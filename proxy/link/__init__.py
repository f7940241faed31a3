"""The protocol between control and its workers: messages, and the frames that carry them."""

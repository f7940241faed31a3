"""What can be wrong with a message, named after the world; each says the status that it implies."""


class BadMessage(ValueError):
    """A message that must not be forwarded.

    Args:
        status: what a client is told about its request (400, 413, 431, 501, ...). A bad *response* always
            means 502 to the client, whatever stands here.
        detail: one short clause that a person can read; it never quotes the message.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

"""What can be wrong with a message, in one word, and the status that follows from it."""

from typing import Literal

Reason = Literal[
    "body",
    "coding",
    "expectation",
    "fields",
    "head",
    "hops",
    "host",
    "length",
    "line",
    "malformed",
    "method",
    "proxy-protocol",
    "target",
    "version",
]
"""What is at fault, in one word, for logs and metrics: the body's size, the transfer coding, Expect, the
number of fields, the head's size, Max-Forwards, Host, an ambiguous length, the first line's size, the
grammar, the method, a header of the PROXY protocol, the request target, the version."""


class BadMessage(ValueError):
    """A message that must not be forwarded.

    Args:
        status: of the answer to a bad request (400, 413, 431, 501, ...). A bad *response* always
            means 502 to the client, whatever stands here.
        reason: what is at fault.
        detail: one short clause that a person can read; it never quotes the message.
    """

    def __init__(self, status: int, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail

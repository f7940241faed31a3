"""Heads that were read lately, so that what is said again needn't be read again.

A client says the same with request after request, and what is asked for often is often answered alike, Date
and all, for a second at least. Looking up a head costs a tenth of reading it. Only whole heads that were
found good are kept, by all of their bytes, so nothing can be mistaken for another.
"""

from typing import TypeVar

from proxy.http1.head import RequestHead, ResponseHead
from proxy.http1.limits import Limits
from proxy.http1.reading import read_request, read_response

Head = TypeVar("Head", RequestHead, ResponseHead)

LONGEST = 2048
"""Bytes of a head that is kept."""
MOST_FIELDS = 40
"""And its fields: each is three objects, of some 200 bytes together."""
MOST = 512
"""Heads of each kind: with the bounds above nobody can fill more than some 12 MB with both kinds."""


class Heads:
    """The heads of one worker, under these limits.

    Look in `requests` or `responses` first; a head that isn't there is read by the method.
    """

    __slots__ = ("limits", "requests", "responses")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests: dict[bytes, RequestHead] = {}
        self.responses: dict[bytes, ResponseHead] = {}

    def __repr__(self) -> str:
        return f"<Heads {len(self.requests)} requests, {len(self.responses)} responses>"

    def request(self, block: bytes) -> RequestHead:
        """Read a request's head; raises BadMessage as :func:`read_request` does."""
        return _kept(self.requests, block, read_request(block, self.limits))

    def response(self, block: bytes) -> ResponseHead:
        """Read a response's head; raises BadMessage as :func:`read_response` does."""
        return _kept(self.responses, block, read_response(block, self.limits))


def _kept(kept: dict[bytes, Head], block: bytes, head: Head) -> Head:
    if len(block) <= LONGEST and len(head.fields) <= MOST_FIELDS:
        if len(kept) >= MOST:
            kept.clear()  # which of them are in use shows in a moment
        kept[block] = head
    return head

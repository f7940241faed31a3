"""Heads that were read lately, so that the same bytes needn't be read again.

A client sends the same head with request after request, and what is asked for often is often answered alike,
Date and all, for a second at least. Looking up a head costs a tenth of reading it. Only whole heads that were
found good are kept, by all of their bytes, so nothing can be mistaken for another; and only those that were
met before, or heads of which no two are alike would cost their keeping and push out the others.
"""

from typing import TypeVar

from proxy.http1.head import RequestHead, ResponseHead
from proxy.http1.limits import Limits
from proxy.http1.parser import RequestFields, read_request, read_response, request_fields

What = TypeVar("What")

LONGEST = 2048
"""Bytes of a head that is kept."""
MOST_FIELDS = 40
"""And its fields: each is three objects, of some 200 bytes together."""
MOST = 512
"""Heads of each kind: with the bounds above all kinds together can fill no more than some 20 MB."""
MET = 4096
"""Heads that are known to have been met, by their hashes alone."""


class HeadCache(dict[bytes, What]):
    """What was read from which bytes."""

    __slots__ = ("_met",)

    def __init__(self) -> None:
        self._met: set[int] = set()

    def keep(self, block: bytes, fields: int, what: What) -> None:
        """Keep what was read from these bytes, of so many fields, if they were met before."""
        if len(block) > LONGEST or fields > MOST_FIELDS:
            return
        mark = hash(block)
        if mark in self._met:
            if len(self) >= MOST:
                self.clear()  # which of them are in use shows in a moment
            self[block] = what
            return
        if len(self._met) >= MET:
            self._met.clear()
        self._met.add(mark)


class Heads:
    """The heads of one worker, under these limits.

    Look in `requests` or `responses` first; a head that isn't there is read by the method.
    """

    __slots__ = ("_fields", "limits", "requests", "responses")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests: HeadCache[RequestHead] = HeadCache()
        self.responses: HeadCache[ResponseHead] = HeadCache()
        self._fields: HeadCache[RequestFields] = HeadCache()
        """Of requests in HTTP/1.1: a client's targets differ, and the rest is the same."""

    def __repr__(self) -> str:
        return f"<Heads {len(self.requests)} requests, {len(self.responses)} responses>"

    def request(self, block: bytes) -> RequestHead:
        """Read a request's head; raises BadMessage as `read_request` does."""
        head = read_request(block, self.limits, self._read_fields)
        self.requests.keep(block, len(head.fields), head)
        return head

    def response(self, block: bytes) -> ResponseHead:
        """Read a response's head; raises BadMessage as `read_response` does."""
        head = read_response(block, self.limits)
        self.responses.keep(block, len(head.fields), head)
        return head

    def _read_fields(self, rest: bytes, minor: int) -> RequestFields:
        if not minor:
            return request_fields(rest, minor)
        known = self._fields.get(rest)
        if known is None:
            known = request_fields(rest, minor)
            self._fields.keep(rest, len(known[0]), known)
        return known

"""How many proxies a request may still pass: Max-Forwards (RFC 9110 section 7.6.2).

It binds OPTIONS and TRACE; with any other method it is a field like the others.
"""

from dataclasses import replace

from proxy.http1.errors import BadMessage
from proxy.http1.fields import whole
from proxy.http1.head import RequestHead

_COUNTED = frozenset((b"OPTIONS", b"TRACE"))


def one_hop_on(head: RequestHead) -> RequestHead | None:
    """Return the head for the next hop; None when the request may go no further.

    Raises:
        BadMessage: 400 when Max-Forwards isn't one number.
    """
    value = head.steering.get(b"max-forwards")
    if value is None or head.method not in _COUNTED:
        return head
    left = whole(value)
    if left is None:
        raise BadMessage(400, "hops", "Max-Forwards isn't one number")
    if not left:
        return None
    lines = [
        b"Max-Forwards: %d" % (left - 1) if line.lower().startswith(b"max-forwards:") else line
        for line in head.onward.split(b"\r\n")
    ]
    return replace(head, onward=b"\r\n".join(lines))

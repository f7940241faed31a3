"""What is remembered of those who are turned away."""

import pytest

from proxy.forwarding.refusal import UNREAD, Refusal
from proxy.http1.head import RequestHead


@pytest.mark.parametrize(
    ("head", "read"),
    [
        (UNREAD, False),
        (RequestHead(b"GET", b"/", 1, ()), True),
        (RequestHead(b"", b"", 1, ()), True),
    ],
)
def test_whether_it_is_known_what_was_asked(head, read):
    assert Refusal(head, 400, "malformed", b"w1-1", 12).read is read


def test_of_what_could_not_be_read_nothing_is_made_up():
    assert (UNREAD.method, UNREAD.target, UNREAD.host) == (b"", b"", b"")
    assert UNREAD.values(b"user-agent") == []

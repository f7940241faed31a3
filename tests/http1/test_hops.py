"""Max-Forwards counts down on OPTIONS and TRACE, ends them at zero, and is any field elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.errors import BadMessage
from proxy.http1.head import RequestHead
from proxy.http1.hops import one_hop_on
from proxy.http1.parser import read_request


def request(*lines: bytes, method: bytes = b"OPTIONS") -> RequestHead:
    head = b"".join(line + b"\r\n" for line in (method + b" / HTTP/1.1", b"Host: shop", *lines))
    return read_request(head + b"\r\n")


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
@pytest.mark.parametrize(
    ("value", "left"), [(b"1", b"0"), (b"10", b"9"), (b"007", b"6"), (b"1" + b"0" * 17, b"9" * 17)]
)
def test_one_fewer_each_time(method: bytes, value: bytes, left: bytes) -> None:
    head = request(b"A: b", b"mAx-fOrwards:" + value, b"C: d", method=method)
    onward = one_hop_on(head)
    assert onward.onward == b"A: b\r\nMax-Forwards: " + left + b"\r\nC: d\r\n"
    assert (onward.method, onward.target, onward.fields) == (head.method, head.target, head.fields)


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
@pytest.mark.parametrize("value", [b"0", b"000", b" 0 "])
def test_at_zero_it_goes_no_further(method: bytes, value: bytes) -> None:
    assert one_hop_on(request(b"Max-Forwards:" + value, method=method)) is None


BAD = [b"", b"-1", b"+1", b"1.0", b"1, 1", b"0x1", b"one", b"\xb2", b"1" * 19]


@pytest.mark.parametrize("value", BAD)
def test_what_is_not_one_number_is_refused(value: bytes) -> None:
    with pytest.raises(BadMessage) as caught:
        one_hop_on(request(b"Max-Forwards: " + value))
    assert (caught.value.status, caught.value.reason) == (400, "hops")


def test_two_of_them_are_not_one_number() -> None:
    with pytest.raises(BadMessage):
        one_hop_on(request(b"Max-Forwards: 5", b"max-forwards: 5"))


@pytest.mark.parametrize("value", [b"0", b"5", *BAD])
@pytest.mark.parametrize("method", [b"GET", b"POST", b"options", b"FROB"])
def test_other_methods_are_not_counted(method: bytes, value: bytes) -> None:
    head = request(b"Max-Forwards: " + value, method=method)
    assert one_hop_on(head) is head


def test_without_the_field_there_is_no_limit() -> None:
    head = request(b"X-Max-Forwards: 0")
    assert one_hop_on(head) is head


@pytest.mark.parametrize("left", [b"0", b"1"])
def test_one_that_connection_nominates_counts_all_the_same(left: bytes) -> None:
    head = request(b"Connection: max-forwards", b"Max-Forwards: " + left, b"A: b")
    onward = one_hop_on(head)
    assert onward is None if left == b"0" else onward.onward == b"Max-Forwards: 0\r\nA: b\r\n"


@given(st.integers(1, 10**17), st.lists(st.sampled_from([b"A: 1", b"X-Max-Forwards: 3", b"B:2"]), max_size=4))
def test_nothing_else_changes(left: int, others: list[bytes]) -> None:
    head = request(*others, b"Max-Forwards: %d" % left)
    was = b"".join(line + b"\r\n" for line in others)
    assert one_hop_on(head).onward == was + b"Max-Forwards: %d\r\n" % (left - 1)
    assert head.onward == was + b"Max-Forwards: %d\r\n" % left

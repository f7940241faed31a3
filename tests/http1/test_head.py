"""Heads: what is read off them, and nothing is made up."""

import pytest

from proxy.http1.head import IDEMPOTENT, SAFE, RequestHead, ResponseHead


def request(target: bytes = b"/", fields: list[tuple[bytes, bytes]] | tuple[()] = ()) -> RequestHead:
    return RequestHead(b"GET", target, 1, list(fields))


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", b"/", b""),
        (b"/a/b", b"/a/b", b""),
        (b"/a?", b"/a", b""),
        (b"/a?x=1&y=%20", b"/a", b"x=1&y=%20"),
        (b"/a?b?c", b"/a", b"b?c"),
        (b"/%2F/..//%7e", b"/%2F/..//%7e", b""),
        (b"/?", b"/", b""),
        (b"*", b"*", b""),
    ],
)
def test_a_target_divides_at_its_first_question_mark(target: bytes, path: bytes, query: bytes) -> None:
    head = request(target)
    assert (head.path, head.query) == (path, query)


def test_every_line_of_a_field_counts_in_its_order() -> None:
    fields = [
        (b"x-a", b"X-A: 1"),
        (b"x-b", b"X-B: 2"),
        (b"x-a", b"x-a:\t 3 , 4 \t"),
        (b"x-a", b"x-a:"),
    ]
    head = request(fields=fields)
    assert head.values(b"x-a") == [b"1", b"3 , 4", b""]
    assert head.values(b"x-c") == []


def test_heads_share_no_steering() -> None:
    request().steering[b"host"] = b"a"
    ResponseHead(200, b"OK", 1, []).steering[b"connection"] = b"close"
    assert request().steering == {}
    assert ResponseHead(200, b"OK", 1, []).steering == {}


def test_safe_and_idempotent_methods_are_those_of_rfc_9110() -> None:
    assert {b"GET", b"HEAD", b"OPTIONS", b"TRACE"} == SAFE
    assert {b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"} == IDEMPOTENT


def test_a_head_without_a_field() -> None:
    fields = ((b"x-a", b"X-A: 1"), (b"x-b", b"x-b:2"), (b"x-a", b"x-a: 3"))
    head = RequestHead(b"GET", b"/", 1, fields, onward=b"X-A: 1\r\nx-b:2\r\nx-a: 3\r\n")
    assert head.without(b"x-a").onward == b"x-b:2\r\n"
    assert head.without(b"x-b").onward == b"X-A: 1\r\nx-a: 3\r\n"
    assert head.without(b"x-c") is head
    spelled = RequestHead(b"GET", b"/", 1, ((b"x_a", b"X_a: 1"),), onward=b"X_a: 1\r\n")
    assert spelled.without(b"x-a").onward == b"", "CGI reads both alike"

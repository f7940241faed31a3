"""How long bodies are: every rule of RFC 9112 section 6.3."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.http1.errors import BadMessage
from proxy.http1.framing import CHUNKED, UNTIL_CLOSE, measure, request_length, response_length
from proxy.http1.head import RequestHead, ResponseHead

NOT_A_NUMBER = [b"", b"+5", b"-5", b"5,5", b"5, 5", b"0x5", b"5 5", b"5.0", b"1_0", b"\xb2", b"\xd9\xa5"]
TOO_LONG = b"9" * 19
NOT_CHUNKED = [(b"gzip", 501), (b"identity", 501), (b"", 400), (b"gzip, chunked", 400)]
NOT_CHUNKED += [(b"chunked, gzip", 400), (b"chunked,chunked", 400), (b",chunked", 400), (b"chunked;q=1", 400)]


def request(minor: int = 1, method: bytes = b"POST", **steering: bytes) -> RequestHead:
    named = {name.replace("_", "-").encode(): value for name, value in steering.items()}
    return RequestHead(method, b"/", minor, [], b"a", named)


def response(status: int = 200, minor: int = 1, **steering: bytes) -> ResponseHead:
    named = {name.replace("_", "-").encode(): value for name, value in steering.items()}
    return ResponseHead(status, b"", minor, [], named)


def refused(function: Callable[..., Any], *arguments: RequestHead | ResponseHead) -> int:
    with pytest.raises(BadMessage) as caught:
        function(*arguments)
    return caught.value.status


# Section 6.3 for requests: rules 3, 4, 5, 6 and 7.


@pytest.mark.parametrize("minor", [0, 1])
@pytest.mark.parametrize(
    ("value", "length"), [(b"0", 0), (b"5", 5), (b"0005", 5), (b"9" * 18, 10**18 - 1), (None, 0)]
)
def test_a_request_is_as_long_as_it_says_and_empty_when_it_says_nothing(
    minor: int, value: bytes | None, length: int
) -> None:
    head = request(minor) if value is None else request(minor, content_length=value)
    assert request_length(head) == length


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED"])
def test_a_request_in_chunks(value: bytes) -> None:
    assert request_length(request(transfer_encoding=value)) == CHUNKED


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, TOO_LONG])
def test_a_request_whose_length_is_no_single_number_is_refused(value: bytes) -> None:
    assert refused(request_length, request(content_length=value)) == 400


@pytest.mark.parametrize(("value", "status"), NOT_CHUNKED)
def test_a_request_in_another_coding_is_refused(value: bytes, status: int) -> None:
    assert refused(request_length, request(transfer_encoding=value)) == status


def test_a_request_with_two_lengths_is_refused() -> None:
    assert refused(request_length, request(content_length=b"5", transfer_encoding=b"chunked")) == 400


def test_a_coding_in_http_1_0_is_refused() -> None:
    assert refused(request_length, request(0, transfer_encoding=b"chunked")) == 400
    assert refused(response_length, response(minor=0, transfer_encoding=b"chunked")) == 400


@pytest.mark.parametrize("steering", [{"content_length": b"5"}, {"transfer_encoding": b"chunked"}])
def test_trace_has_no_body(steering: dict[str, bytes]) -> None:
    head = request(method=b"TRACE", **steering)
    with pytest.raises(BadMessage) as caught:
        request_length(head)
    assert (caught.value.status, caught.value.reason) == (400, "length")
    assert request_length(request(method=b"OPTIONS", **steering)) != 0


@pytest.mark.parametrize("steering", [{}, {"content_length": b"0"}])
def test_trace_may_say_that_it_has_none(steering: dict[str, bytes]) -> None:
    assert request_length(request(method=b"TRACE", **steering)) == 0


@pytest.mark.parametrize(
    ("steering", "reason"),
    [
        ({"content_length": b"5,5"}, "length"),
        ({"content_length": b"5", "transfer_encoding": b"chunked"}, "length"),
        ({"transfer_encoding": b"gzip"}, "coding"),
        ({"transfer_encoding": b"gzip, chunked"}, "coding"),
    ],
)
def test_what_is_at_fault_is_said_in_one_word(steering: dict[str, bytes], reason: str) -> None:
    for read in (
        lambda: request_length(request(**steering)),
        lambda: response_length(response(**steering)),
    ):
        with pytest.raises(BadMessage) as caught:
            read()
        assert caught.value.reason == reason


# Section 6.3 for responses: rules 1 to 8 but for HEAD, which is the connection's to know, and CONNECT, which
# never gets this far.

WITHOUT_BODY = [204, 304, 100, 103]


@pytest.mark.parametrize("status", WITHOUT_BODY)
@pytest.mark.parametrize("steering", [{}, {"content_length": b"5"}, {"transfer_encoding": b"chunked"}])
def test_some_answers_never_have_a_body_whatever_they_announce(
    status: int, steering: dict[str, bytes]
) -> None:
    assert response_length(response(status, **steering)) == 0


@pytest.mark.parametrize("status", WITHOUT_BODY)
@pytest.mark.parametrize(
    "steering", [{"content_length": b"5,5"}, {"content_length": b"5", "transfer_encoding": b"chunked"}]
)
def test_an_ambiguous_length_is_an_error_even_where_there_is_no_body(
    status: int, steering: dict[str, bytes]
) -> None:
    assert refused(response_length, response(status, **steering)) == 400


@pytest.mark.parametrize("status", [200, 201, 205, 206, 301, 404, 503])
@pytest.mark.parametrize("minor", [0, 1])
def test_other_answers_are_as_long_as_they_say_or_end_with_the_connection(status: int, minor: int) -> None:
    assert response_length(response(status, minor, content_length=b"12")) == 12
    assert response_length(response(status, minor, content_length=b"0")) == 0
    assert response_length(response(status, minor)) == UNTIL_CLOSE


def test_an_answer_in_chunks() -> None:
    assert response_length(response(transfer_encoding=b"Chunked")) == CHUNKED


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, TOO_LONG])
def test_an_answer_whose_length_is_no_single_number_is_refused(value: bytes) -> None:
    assert refused(response_length, response(content_length=value)) == 400


@pytest.mark.parametrize(("value", "_"), NOT_CHUNKED)
def test_an_answer_in_another_coding_is_refused(value: bytes, _: int) -> None:
    assert refused(response_length, response(transfer_encoding=value)) in (400, 501)


# Bodies.


def test_measure_makes_what_finds_the_end() -> None:
    assert repr(measure(0)) == "<Sized 0 bytes left>"
    assert repr(measure(12)) == "<Sized 12 bytes left>"
    assert repr(measure(CHUNKED)) == "<Chunks size, 0 bytes left>"
    assert repr(measure(UNTIL_CLOSE)) == "<Endless>"

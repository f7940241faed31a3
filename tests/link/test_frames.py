"""Frames survive any cut of the stream, and nothing but a message gets through."""

import re
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.link import frames
from proxy.link.frames import Decoder, encode
from proxy.link.messages import Ack, Message
from tests.kits.messages import EXAMPLES, SETTINGS
from tests.kits.properties import examples


def name(message: Message) -> str:
    return type(message).__name__


@pytest.mark.parametrize("message", EXAMPLES, ids=name)
def test_comes_back_as_it_was(message: Message) -> None:
    assert Decoder().feed(encode(message)) == [message]


def test_a_frame_is_a_length_and_json() -> None:
    assert encode(Ack(12)) == struct.pack(">I", 30) + b'{"kind":"ack","generation":12}'


def test_kinds_stay_when_classes_get_other_names() -> None:
    """Processes of one run may be of different versions, for each can be restarted alone."""
    found = {name(message): re.findall(rb'"kind":"([a-z]+)"', encode(message)) for message in EXAMPLES}
    assert found == {
        "Hello": [b"hello"],
        "Report": [b"report"],
        "Ack": [b"ack"],
        "Table": [b"table"],
        "Settings": [b"settings"],
        "ThresholdUpdate": [b"thresholds"],
        "ResolvedNames": [b"names"],
        "DeadAddresses": [b"dead"],
        "ReportStored": [b"counted"],
    }


@given(
    st.lists(st.sampled_from(EXAMPLES), max_size=5), st.lists(st.integers(1, 700), min_size=1, max_size=30)
)
@examples(60)
def test_any_cut_of_the_stream_gives_the_same_messages(sent: list[Message], sizes: list[int]) -> None:
    stream = b"".join(map(encode, sent))
    decoder, got, rounds = Decoder(), [], 0
    while stream:
        size = sizes[rounds % len(sizes)]
        got += decoder.feed(stream[:size])
        stream, rounds = stream[size:], rounds + 1
    assert got == sent
    assert repr(decoder) == "<Decoder 0 bytes waiting>"


def test_byte_by_byte_a_message_comes_with_its_last_byte() -> None:
    decoder, frame = Decoder(), encode(EXAMPLES[0])
    assert [decoder.feed(frame[i : i + 1]) for i in range(len(frame))] == [[]] * (len(frame) - 1) + [
        [EXAMPLES[0]]
    ]


def frame(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">I", len(data)) + data


@pytest.mark.parametrize(
    "garbage",
    [
        frame(""),
        frame("nonsense"),
        frame(b"\xff\xfe\x00"),
        frame("[]"),
        frame("12"),
        frame("{}"),
        frame('{"kind":"gossip"}'),
        frame('{"kind":["ack"],"generation":1}'),
        frame('{"kind":"ack"}'),
        frame('{"kind":"ack","generation":"1"}'),
        frame('{"kind":"ack","generation":true}'),
        frame('{"kind":"ack","generation":1.5}'),
        frame('{"kind":"counted","number":"1"}'),
        frame("[" * 100_000),
        struct.pack(">I", frames.LIMIT + 1),
        b"GET / HTTP/1.1\r\n",
    ],
    ids=lambda garbage: repr(garbage[4:44]),
)
def test_garbage_is_a_value_error(garbage: bytes) -> None:
    with pytest.raises(ValueError):
        Decoder().feed(garbage)


def test_a_frame_over_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LIMIT", 30)
    assert Decoder().feed(encode(Ack(12))) == [Ack(12)]
    with pytest.raises(ValueError, match="a ack of 31 bytes is over the limit of 30"):
        encode(Ack(123))


def test_a_number_that_json_has_no_word_for_is_not_sent() -> None:
    with pytest.raises(ValueError):
        encode(replace(SETTINGS, header=float("nan")))

"""Frames survive any cut of the stream, and nothing but a message gets through."""

import json
import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import messages
from proxy.messages import Ack, Counted, Decoder, Hello, Message, Report, Settings, Table, encode
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, Service
from proxy.telemetry.outcome import Outcome
from proxy.telemetry.tally import Counts

SERVICE = Service(
    name="checkout",
    revision=7,
    match=RouteMatch(host="shop.example", path="/pay"),
    backends=(
        Backend("stable", (Endpoint.parse("http://127.0.0.1:9001"),)),
        Backend("canary", (Endpoint.parse("unix:/run/v2.sock"),), version="v2"),
    ),
    split=Split((("canary", 500),)),
    halted=frozenset({"canary"}),
)

COUNTS = Counts()
COUNTS.record(Outcome("checkout", 7, "canary", "GET", 502, "connect", "failure", True, None, 0.3))

SETTINGS = Settings(
    header=10.0,
    idle=0.5,
    access="json",
    line=16_384,
    head=65_536,
    fields=200,
    connections=None,
    pool_idle=60.0,
    max_idle=64,
    trusted=("10.0.0.0/8", "unix"),
    via=False,
    forwarded=True,
)

EXAMPLES: list[Message] = [
    Hello("b00t", 1, 4711, held={"checkout": 7, "": 1}, halted={"checkout": ("canary",)}),
    Hello("b00t", 0, 1, held={}, halted={}),
    Report("b00t", 3, {("checkout", 7, "canary"): COUNTS, ("checkout", 6, "stable"): Counts()}, held=12),
    Report("b00t", 4, {}, held=12),
    Ack(12),
    Table(12, (SERVICE, replace(SERVICE, name="kassa-ä")), removed=("old",), complete=False),
    Table(13, (), removed=(), complete=True),
    SETTINGS,
    replace(SETTINGS, connections=4000, trusted=(), via=True, forwarded=False),
    Counted(3),
]


def name(message: Message) -> str:
    return type(message).__name__


@pytest.mark.parametrize("message", EXAMPLES, ids=name)
def test_comes_back_as_it_was(message: Message) -> None:
    assert Decoder().feed(encode(message)) == [message]


def test_a_frame_is_a_length_and_json() -> None:
    assert encode(Ack(12)) == struct.pack(">I", 30) + b'{"kind":"ack","generation":12}'


@given(
    st.lists(st.sampled_from(EXAMPLES), max_size=5), st.lists(st.integers(1, 700), min_size=1, max_size=30)
)
@settings(max_examples=60)
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


HELLO = EXAMPLES[0].to_json() | {"kind": "hello"}
TOLD = SETTINGS.to_json() | {"kind": "settings"}


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
        frame(json.dumps(TOLD | {"header": None})),
        frame(json.dumps(TOLD | {"header": float("nan")})),
        frame(json.dumps(TOLD | {"pool_idle": float("inf")})),
        frame(json.dumps(TOLD | {"access": None})),
        frame(json.dumps(TOLD | {"line": "16384"})),
        frame(json.dumps(TOLD | {"head": 65_536.0})),
        frame(json.dumps(TOLD | {"fields": None})),
        frame(json.dumps(TOLD | {"connections": "auto"})),
        frame(json.dumps(TOLD | {"max_idle": True})),
        frame(json.dumps(TOLD | {"trusted": [1]})),
        frame(json.dumps(TOLD | {"via": "on"})),
        frame(json.dumps(TOLD | {"forwarded": 0})),
        frame(json.dumps({key: value for key, value in TOLD.items() if key != "connections"})),
        frame('{"kind":"counted","number":"1"}'),
        frame('{"kind":"table","generation":1,"services":[{}],"removed":[],"complete":true}'),
        frame('{"kind":"table","generation":1,"services":[],"removed":[],"complete":1}'),
        frame('{"kind":"report","boot":"b","number":1,"held":1,"entries":[["a",1,"b",{}]]}'),
        frame('{"kind":"report","boot":"b","number":1,"held":1,"entries":[[]]}'),
        frame("[" * 100_000),
        frame(json.dumps(HELLO | {"held": []})),
        frame(json.dumps(HELLO | {"halted": {"checkout": [1]}})),
        struct.pack(">I", messages.LIMIT + 1),
        b"GET / HTTP/1.1\r\n",
    ],
    ids=lambda garbage: repr(garbage[4:44]),
)
def test_garbage_is_a_value_error(garbage: bytes) -> None:
    with pytest.raises(ValueError):
        Decoder().feed(garbage)


def test_a_frame_over_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LIMIT", 30)
    assert Decoder().feed(encode(Ack(12))) == [Ack(12)]
    with pytest.raises(ValueError, match="a ack of 31 bytes is over the limit of 30"):
        encode(Ack(123))


def test_a_number_that_json_has_no_word_for_is_not_sent() -> None:
    with pytest.raises(ValueError):
        encode(replace(SETTINGS, header=float("nan")))

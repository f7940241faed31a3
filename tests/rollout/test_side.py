import json

import pytest

from proxy.rollout.side import VACANT, Side, another
from proxy.routing.endpoint import Endpoint, Trust
from tests.rollout.rollouts import ONE


def side(*urls: str, version: str = "") -> Side:
    return Side(tuple(map(Endpoint.parse, urls)), version)


def asked(host: str) -> Side:
    return Side((Endpoint.parse("http://10.0.0.7", host_sent=host),))


def test_neither_order_nor_spelling_makes_another_one() -> None:
    assert side("http://A:80", "http://b").definition == side("http://b", "http://a").definition


@pytest.mark.parametrize(
    "other",
    [
        side("http://a", version="2"),
        side("http://a", "http://b", version="1"),
        side("http://b", version="1"),
        side("https://a", version="1"),
        VACANT,
    ],
)
def test_endpoints_and_version_do(other: Side) -> None:
    assert side("http://a", version="1").definition != other.definition


def test_whom_to_trust_does_not() -> None:
    trusting = Side((Endpoint.parse("https://a", Trust(verify=False)),))
    assert trusting.definition == side("https://a").definition


def test_without_endpoints_it_is_nobody() -> None:
    assert VACANT.definition == Side((), "v2").definition == ""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (VACANT, VACANT, False),
        (VACANT, ONE, True),
        (ONE, VACANT, True),
        (ONE, ONE, False),
        (side("http://a"), side("http://a", "http://b"), False),
        (side("http://a", "http://b"), side("http://b", "http://c"), False),
        (side("http://a"), side("http://b"), True),
        (side("http://a", version="1"), side("http://a", version="2"), True),
        (asked("a.example"), asked("b.example"), True),
        (asked("a.example"), asked(""), True),
        (asked("a.example"), asked("a.example"), False),
    ],
    ids=str,
)
def test_another_program_has_another_version_or_no_endpoint_in_common(
    before: Side, after: Side, expected: bool
) -> None:
    assert another(before.definition, after.definition) is expected


@pytest.mark.parametrize(
    "each",
    [VACANT, ONE, asked("a.example"), Side((Endpoint.parse("https://a", Trust(server_name="b")),), "7")],
    ids=str,
)
def test_json_round_trip(each: Side) -> None:
    assert Side.from_json(json.loads(json.dumps(each.to_json()))) == each

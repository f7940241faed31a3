"""The plan survives its trip through a file."""

import json
from dataclasses import replace

import pytest

from proxy.supervisor.plan import LaunchPlan

PLAN = LaunchPlan(
    listen=(("127.0.0.1", 8080), ("", 80)),
    admin=("::1", 9900),
    workers=2,
    directory="/tmp/weir-x",
    config="/tmp/weir-x/config.yaml",
    source="weir.yaml",
    state="/srv/weir.db",
    delay=0.5,
    grace=30.0,
    log_level="info",
)


def test_round_trip() -> None:
    assert LaunchPlan.from_json(PLAN.to_json()) == PLAN
    assert LaunchPlan.from_json(replace(PLAN, listen=()).to_json()).listen == ()
    secure = replace(
        PLAN, listen=("/run/weir.sock", ("", 443)), tls=((), (("/a.pem", "/a.key"), ("/b", "/c")))
    )
    secure = replace(secure, balancers=((), ("10.0.0.0/8", "unix")))
    assert LaunchPlan.from_json(secure.to_json()) == secure


def test_its_json_is_plain() -> None:
    data = json.loads(PLAN.to_json())
    assert data["listen"] == [["127.0.0.1", 8080], ["", 80]]
    assert data["admin"] == ["::1", 9900]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"listen": [], "admin": ["", 1], "color": "red"}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
        LaunchPlan.from_json(text)

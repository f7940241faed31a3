"""What differs between two files, told by the keys that a person would look for."""

import pytest

from proxy.config.diff import Changes, compare, pinned
from proxy.config.reader import read
from proxy.config.schema import Config

BEFORE = """
listen: ":8080"
timeouts: {idle: 5s}
log: {level: info, access: off}
services:
  shop: {stable: http://a, canary: http://b, weight: 5%}
  pay: {match: {path: /pay}, stable: http://c}
"""


def config(text: str) -> Config:
    return read(text, "weir.yaml", {})


def changed(*edits: tuple[str, str]) -> Changes:
    after = BEFORE
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    return compare(config(BEFORE), config(after))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("idle: 5s", "idle: 5s"), Changes({})),
        (("idle: 5s", "idle: 5000ms"), Changes({})),
        (("weight: 5%", "weight: 6%"), Changes({"shop": ("weight",)})),
        (("http://b", "http://d"), Changes({"shop": ("canary",)})),
        (("/pay", "/paid"), Changes({"pay": ("match",)})),
        (("idle: 5s", "idle: 6s"), Changes({}, shared=("timeouts",))),
        (("access: off", "access: json"), Changes({}, shared=("log.access",))),
        (("level: info", "level: debug"), Changes({}, restart=("log.level",))),
        ((":8080", ":8081"), Changes({}, restart=("listen",))),
        (('listen: ":8080"', 'listen: ":8080"\nworkers: 3'), Changes({}, restart=("workers",))),
        (("  pay:", "  paying:"), Changes({}, added=("paying",), removed=("pay",))),
        (
            ("services:", "defaults: {sticky: {cookie: me}}\nservices:"),
            Changes({"shop": ("sticky",), "pay": ("sticky",)}),
        ),
    ],
    ids=str,
)
def test_what_differs(edit: tuple[str, str], expected: Changes) -> None:
    assert changed(edit) == expected


def test_it_travels_as_the_api_answers_it() -> None:
    found = changed(("weight: 5%", "weight: 6%"), (":8080", ":8081"), ("idle: 5s", "idle: 6s"))
    assert found.to_json() == {
        "changed": {"shop": ["weight"]},
        "added": [],
        "removed": [],
        "shared": ["timeouts"],
        "restart": ["listen"],
    }


def test_what_is_fixed_at_the_start_stays_as_it_runs() -> None:
    running = config(BEFORE)
    text = BEFORE.replace(":8080", ":8081").replace("level: info", "level: debug").replace("5%", "6%")
    wanted = config(
        "admin: {listen: 127.0.0.1:9999}\nworkers: 3\n" + text.replace("access: off", "access: json")
    )
    found = pinned(wanted, running)
    assert compare(running, found) == Changes({"shop": ("weight",)}, shared=("log.access",))
    assert compare(found, wanted).restart == ("listen", "workers", "admin", "log.level")

"""Hooks and notices: what may be written, what is told of mistakes, and what is never told."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from proxy.config.notices import EVENTS, NOTIFIED, Hook, Notify
from proxy.config.reader import read
from proxy.rollout.entry import EntryKind

SECRET = "s3cret-s3cret-s3cret"
HOOK = "hooks: [{at: after, url: 'http://h.example', %s}]"
NOTIFY = "notify: [{url: 'http://n.example', %s}]"


def test_what_is_left_out() -> None:
    hook, notify = Hook(at="after", url="https://ci.example"), Notify(url="http://n.example/x?y")
    assert (hook.url, hook.timeout, hook.retries, hook.secret) == ("https://ci.example/", 10.0, 2, None)
    assert (notify.url, notify.events, notify.format, notify.secret) == (
        "http://n.example/x?y", NOTIFIED, "json", None,
    )  # fmt: skip


def test_everything_written() -> None:
    text = (
        "services: {a: {stable: http://a, "
        "hooks: [{at: before-step, url: '${U}', timeout: 300s, retries: 0, secret: '${S}'}], "
        "notify: ['${U}', {url: '${U}', events: [step, trip], format: slack, secret: '${S}'}]}}"
    )
    found = read(text, "f", {"U": "HTTP://CI.example:80/x", "S": SECRET}).services["a"]
    (hook,) = found.hooks
    assert (hook.at, hook.url, hook.timeout) == ("before-step", "http://ci.example/x", 300.0)
    assert (hook.retries, hook.secret) == (0, SECRET)
    short, long = found.notify
    assert short == Notify(url="http://ci.example/x")
    assert (long.events, long.format, long.secret) == (("step", "trip"), "slack", SECRET)


def test_what_can_be_told_of_is_what_the_ledger_knows() -> None:
    assert set(EVENTS) == set(get_args(EntryKind)), "the words of the ledger"
    assert set(NOTIFIED) < set(EVENTS)


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("hooks: [{url: 'http://a'}]", "`at` is missing from", "`at: before-step`"),
        ("hooks: [{at: after}]", "`url` is missing from `services.checkout.hooks[0]`", "`url: https://"),
        ("hooks: [{at: before, url: 'http://a'}]", "`before` is not a place for a hook", "`before-start`"),
        ("hooks: [before-step]", "`before-step` stands where a mapping", "`url`, `secret`, `at`"),
        (HOOK % "timeout: 301s", "`301s` is too long", "to `5m`"),
        (HOOK % "retries: 11", "`11` is out of range", "from 0 to 10"),
        (HOOK % "events: [trip]", "`events` is not a key of", "valid keys: `url`"),
        (HOOK % "secret: short", "the secret has 5 characters", "16 to 4096 are fine"),
        (HOOK % "secret: 'a b c d e f g h i'", "the secret has a space", "openssl rand -hex 32"),
        ("notify: [{}]", "`url` is missing from `services.checkout.notify[0]`", "`url: https://"),
        ("notify: [ftp://a]", "this is not a URL with `http://` or `https://`", "`https://ci.example/hook`"),
        (NOTIFY % "events: []", "this list is empty", "`[trip, promotion]`"),
        (NOTIFY % "events: trip", "the single value `trip` stands where a list", "`[trip, promotion]`"),
        (NOTIFY % "events: [trips]", "`trips` is not an event", "did you mean `trip`?"),
        (NOTIFY % "events: [trip, trip]", "`trip` is in this list already", "remove one"),
        (NOTIFY % "format: xml", "`xml` is not a format", "expected `json` or `slack`"),
        (NOTIFY % "at: after", "`at` is not a key of `services.checkout.notify[0]`", "`events` and `format`"),
    ],
)  # fmt: skip
def test_what_is_wrong(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = of_service("stable: http://a\n" + keys)
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


def test_neither_secret_nor_url_is_in_what_is_shown_of_them() -> None:
    hook = Hook(at="after", url="https://u.example:444/pass?word", secret=SECRET)
    notify = Notify(url="https://[::1]?word", secret=SECRET)
    for shown in (repr(hook), str(notify)):
        assert SECRET not in shown
        assert "word" not in shown
    assert hook.host == "https://u.example:444"
    assert notify.host == "https://[::1]"


@pytest.mark.parametrize(
    "keys",
    [
        "hooks: [{at: after, url: 'http://a', secret: 'a %s'}]",
        "hooks: [{at: afer, url: 'http://a', secret: %s}]",
        "hooks: {at: after, url: 'http://a', secret: %s}",
        "hooks: [{at: after, url: 'http://a', secret: [%s]}]",
        "notify: [{url: 'http://a', secret: '%s ', evnets: [trip]}]",
        "secret: %s",
        "canary: {secret: %s}",
    ],
)
def test_a_secret_is_never_repeated(wrong: Callable[..., Any], keys: str) -> None:
    with pytest.raises(Exception, match="error") as caught:
        read(f"services:\n  a:\n    stable: http://a\n    {keys % SECRET}\n", "f", {})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        "hooks: [{at: after, url: 'http://a', secret: '${S}'}]",
        "hooks: [{at: after, url: '${U} '}]",
        "hooks: ['${U}']",
        "hooks: ${U}",
        "notify: [{url: '${U} '}]",
        "notify: ${U}",
        "notify: ['${U} ']",
    ],
)
def test_nor_is_what_a_variable_stands_for(of_service: Callable[..., Any], keys: str) -> None:
    (problem, *_) = found = of_service(
        "stable: http://a\n" + keys, U="https://a.example/hunter2", S="hunter2 or so"
    )
    assert problem
    assert "hunter2" not in "".join(each.message + "".join(each.advice) for each in found)

"""Accounting for exchanges: each is counted and logged once, and a failure is reported at once."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.forwarding.accounts import UNREAD, Accounts, NoAccessLog, Refusal
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.pool import Pool
from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice
from proxy.routing.table import Service
from proxy.telemetry.outcome import UNROUTED, Outcome, refused
from tests.kits.stage import Stage


def test_the_access_log_that_is_off_takes_everything() -> None:
    NoAccessLog().note(None, "192.0.2.7", 1.0)
    NoAccessLog().refused(None, "192.0.2.7", 1.0)


# Counting and noting.


class Everywhere:
    """A tally and an access log in one: what was told to which, in order."""

    def __init__(self) -> None:
        self.told = []

    def add(self, outcome: Outcome) -> None:
        self.told.append(outcome)

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        self.told.append(("noted", exchange, client, now))

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        self.told.append(("refused", refusal, client, now))


@pytest.fixture
def accounts() -> tuple[Accounts, Everywhere, list[Any]]:
    everywhere = Everywhere()
    failures = []
    accounts = Accounts(everywhere, Pool(), lambda: 12.0, lambda: failures.append(1))
    accounts.access = everywhere
    return accounts, everywhere, failures


@pytest.fixture
def exchange(service: Callable[..., Service]) -> Exchange:
    shop = service()
    choice = Choice(shop, "stable", shop.backends[0].endpoints[0], "weight", True, b"", b"")
    return Exchange(RequestHead(b"POST", b"/", 1, [], b"a"), choice, 5, 10.0)


@pytest.mark.parametrize(
    ("status", "ending", "result", "failed"),
    [
        (502, "reset", "failure", 1),
        (503, "refused", "failure", 1),
        (408, "client-left", "excluded", 0),
        (400, "refused", "excluded", 0),
    ],
)
def test_an_exchange_is_counted_and_noted_once_and_a_failure_is_told(
    accounts: tuple[Accounts, Everywhere, list[Any]],
    exchange: Exchange,
    status: int,
    ending: str,
    result: str,
    failed: int,
) -> None:
    accounts, everywhere, failures = accounts
    exchange.answered_by_us(status, ending, 0)
    accounts.end(exchange, "192.0.2.7", None)
    assert everywhere.told == [
        Outcome(("shop", 7, "stable"), "POST", status, ending, result, True, None, 2.0, b"/" * failed),
        ("noted", exchange, "192.0.2.7", 12.0),
    ]
    assert len(failures) == failed


def test_one_that_was_refused_on_its_way_is_counted_by_its_reason_as_well(
    accounts: tuple[Accounts, Everywhere, list[Any]], exchange: Exchange
) -> None:
    accounts, everywhere, failures = accounts
    exchange.refuse("body")
    exchange.answered_by_us(413, "refused", 0)
    accounts.end(exchange, "192.0.2.7", None)
    assert everywhere.told == [
        Outcome(("shop", 7, "stable"), "POST", 413, "refused", "excluded", True, None, 2.0),
        ("noted", exchange, "192.0.2.7", 12.0),
        Outcome((UNROUTED, 0, "body"), "POST", 413, "refused", "excluded", False, None, 0.0),
    ]
    assert failures == []


@pytest.mark.parametrize("head", [UNREAD, RequestHead(b"GET", b"/", 1, [])])
def test_who_was_turned_away_is_counted_by_the_reason_and_noted(
    accounts: tuple[Accounts, Everywhere, list[Any]], head: RequestHead
) -> None:
    accounts, everywhere, failures = accounts
    refusal = Refusal(head, 503, "connections", b"w-1", 40)
    accounts.turn_away(refusal, "192.0.2.7")
    assert everywhere.told == [
        refused("connections", head.method, 503),
        ("refused", refusal, "192.0.2.7", 12.0),
    ]
    assert failures == [], "that says nothing about any backend"


def test_what_was_turned_away_without_a_word_is_only_counted(
    accounts: tuple[Accounts, Everywhere, list[Any]],
) -> None:
    accounts, everywhere, failures = accounts
    accounts.refuse("handshake")
    assert everywhere.told == [refused("handshake", b"", 0)]
    assert failures == []


# What begins, and who was meant.


@pytest.mark.parametrize(
    ("pinned", "diverted", "told"), [(False, "canary", (1, 0)), (True, "canary", (0, 1)), (False, "", None)]
)
def test_a_diverted_request_is_counted_under_the_backend_that_was_meant_and_told(
    stage: Stage, service: Callable[..., Service], pinned: bool, diverted: str, told: tuple[int, int] | None
) -> None:
    shop = service()
    choice = Choice(
        shop, "stable", shop.backends[0].endpoints[0], "diverted", False, b"", b"", 77, pinned, diverted
    )
    stage.plane.accounts.begin(Exchange(RequestHead(b"GET", b"/", 1, [], b"a"), choice, 0, 10.0))
    entries = stage.tally.everything()
    assert entries["shop", 7, "stable"].in_flight == 1
    meant = entries.get(("shop", 7, "canary"))
    assert told == (meant and (meant.diverted, meant.pins_diverted))
    assert len(stage.failures) == (told is not None)


# Refusals.


@pytest.mark.parametrize(
    ("head", "read"),
    [
        (UNREAD, False),
        (RequestHead(b"GET", b"/", 1, ()), True),
        (RequestHead(b"", b"", 1, ()), True),
    ],
)
def test_whether_it_is_known_what_was_asked(head: RequestHead, read: bool) -> None:
    assert Refusal(head, 400, "malformed", b"w1-1", 12).read is read


def test_of_what_could_not_be_read_nothing_is_made_up() -> None:
    assert (UNREAD.method, UNREAD.target, UNREAD.host) == (b"", b"", b"")
    assert UNREAD.values(b"user-agent") == []

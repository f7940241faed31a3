"""Outcomes: the whole table of what an ending says about the backend."""

from itertools import product
from typing import get_args

import pytest

from proxy.http1.errors import Reason
from proxy.routing.failures import UNANSWERED, Failures
from proxy.telemetry.outcome import ENDINGS, METHODS, REASONS, classify, method_label, shown_status

STATUSES = (0, 100, 200, 204, 304, 400, 404, 429, 499, 500, 501, 502, 503, 504, 599)
SERVER_ERRORS = {500, 501, 502, 503, 504, 599}
FAILED_ENDINGS = {"connect", "tls", "timeout", "reset", "garbage", "truncated"}

FAILURES = (
    {("complete", status) for status in SERVER_ERRORS}
    | set(product(FAILED_ENDINGS, STATUSES))
    | {("refused", 503)}
)
EXCLUDED = set(product(["client-left", "halted", "stale"], STATUSES)) | {
    ("refused", status) for status in STATUSES if status != 503
}


@pytest.mark.parametrize(("ending", "status"), [*product(ENDINGS, STATUSES)])
def test_the_ending_and_the_status_say_what_the_backend_did(ending: str, status: int) -> None:
    pair = (ending, status)
    expected = "failure" if pair in FAILURES else "excluded" if pair in EXCLUDED else "success"
    assert classify(ending, status, Failures()) == expected


LENIENT = Failures(statuses=frozenset({429, 503}), endings=frozenset({"reset"}))


@pytest.mark.parametrize(
    ("ending", "status", "result"),
    [
        ("complete", 429, "failure"),
        ("complete", 503, "failure"),
        ("complete", 500, "success"),
        ("reset", 502, "failure"),
        ("timeout", 504, "excluded"),
        ("truncated", 429, "excluded"),
        ("refused", 503, "failure"),
        ("refused", 429, "excluded"),
        ("client-left", 503, "excluded"),
    ],
)
def test_a_service_says_what_it_holds_for_a_failure(ending: str, status: int, result: str) -> None:
    assert classify(ending, status, LENIENT) == result


def test_every_ending_is_in_the_table() -> None:
    assert set(ENDINGS) == FAILED_ENDINGS | {"complete", "client-left", "refused", "halted", "stale"}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_known_method_is_its_own_label(method: str) -> None:
    assert method_label(method.encode()) == method


@pytest.mark.parametrize("method", [b"", b"get", b"Get", b"GETT", b"PROPFIND", b"\xff", b"_OTHER"])
def test_any_other_method_shares_one_label(method: bytes) -> None:
    assert method_label(method) == "_OTHER"


@pytest.mark.parametrize(("status", "shown"), [(0, 499), (200, 200), (499, 499), (504, 504)])
def test_a_request_that_was_sent_no_status_shows_as_499(status: int, shown: int) -> None:
    assert shown_status(status) == shown


def test_the_reasons_are_those_that_messages_are_refused_for_and_our_own() -> None:
    ours = {"connections", "handshake", "no-service", "slow-body", "slow-head"}
    assert set(REASONS) == set(get_args(Reason)) | ours
    assert list(REASONS) == sorted(REASONS)


def test_every_ending_that_a_backend_is_answerable_for_can_be_held_against_it() -> None:
    assert UNANSWERED == FAILED_ENDINGS


@pytest.mark.parametrize("status", [600, 777, 999])
def test_a_status_that_nobody_defined_counts_as_500(status: int) -> None:
    assert classify("complete", status, Failures()) == "failure"
    assert classify("complete", status, Failures(frozenset({500}), frozenset())) == "failure"
    assert classify("complete", status, Failures(frozenset({599}), frozenset())) == "success"

"""What customers met is counted per act and over the story, and no data is None."""

import pytest

from proxy.demo.customer_counts import KEPT, CustomerCounts, ObservedRequest, quantile


def met(version: str, status: int = 200, customer: str = "ada", seconds: float = 0.01) -> ObservedRequest:
    return ObservedRequest(0.0, "shop", customer, version, status, seconds)


def test_share_and_failures_are_those_of_the_act() -> None:
    counts = CustomerCounts()
    counts.add(met("v2", 500))
    counts.begin_act()
    for version in ("v1", "v1", "v1", "v2"):
        counts.add(met(version))
    summary = counts.summary("shop", "v2")
    assert (summary.requests, summary.share, summary.failures) == (4, 0.25, 0)
    assert counts.answered("shop", "v2") == (2, 1)
    assert counts.answered_in_act("shop", "v2") == 1


def test_without_data_share_and_p99_are_none() -> None:
    summary = CustomerCounts().summary("shop", "v2")
    assert (summary.requests, summary.share, summary.p99) == (0, None, None)


def test_services_do_not_mix() -> None:
    counts = CustomerCounts()
    counts.add(met("v1"))
    counts.add(ObservedRequest(0.0, "search", "ada", "v3", 500, 0.5))
    assert counts.summary("shop", "v2").failures == 0
    assert counts.summary("shop", "v2").p99 == 0.01


@pytest.mark.parametrize(
    ("versions", "back"),
    [
        (["v1", "v2", "v2"], False),
        (["v2", "v1"], True),
        (["v2", "", "v2"], False),
        (["v2", "", "v1"], True),
    ],
)
def test_a_customer_who_goes_back_is_noticed(versions: list[str], back: bool) -> None:
    counts = CustomerCounts()
    for version in versions:
        counts.add(met(version))
    assert bool(counts.moved_back) is back


@pytest.mark.parametrize(
    ("observed", "unexpected"),
    [
        (met("v1"), False),
        (met("v3", 500), False),
        (met("", 502), True),
        (met("v1", 404), True),
        (ObservedRequest(0.0, "shop", "ada", "", 0, 0.1, "ClientOSError"), True),
    ],
)
def test_what_no_sample_would_answer_is_unexpected(observed: ObservedRequest, unexpected: bool) -> None:
    counts = CustomerCounts()
    counts.add(observed)
    assert bool(counts.unexpected) is unexpected


def test_a_long_act_keeps_a_bounded_number_of_latencies() -> None:
    counts = CustomerCounts()
    for turn in range(KEPT + 100):
        counts.add(met("v1", seconds=9.0 if turn < 100 else 0.01))
    summary = counts.summary("shop", "v2")
    assert summary.requests == KEPT + 100
    assert summary.p99 == 0.01


def test_quantile() -> None:
    assert quantile([], 0.99) is None
    assert quantile([3.0], 0.99) == 3.0
    assert quantile(range(100), 0.5) == 50


def test_repr_says_its_state() -> None:
    counts = CustomerCounts()
    counts.add(met("v1", 500))
    assert repr(counts) == "<CustomerCounts 1 answers, 1 failed>"

"""Outcomes for the tests of counting: one by one, and as strategies."""

from dataclasses import replace

from hypothesis import strategies as st

from proxy.routing.failures import Failures
from proxy.telemetry.counts import Counts
from proxy.telemetry.hyperloglog import Registers
from proxy.telemetry.outcome import ENDINGS, Outcome, classify
from proxy.telemetry.top_failures import TopFailures
from proxy.telemetry.users import Users

KEY = ("shop", 7, "canary")
STABLE = ("shop", 7, "stable")
THRESHOLDS = (0.01, 0.1, 1.0)


def outcome(
    key: tuple[str, int, str] = KEY,
    ending: str = "complete",
    status: int = 200,
    drawn: bool = True,
    head: float | None = 0.02,
    total: float = 0.03,
    method: str = "GET",
    route: bytes = b"/",
    **more: int | tuple[float | str, ...] | None,
) -> Outcome:
    result = classify(ending, status, Failures())
    return Outcome(key, method, status, ending, result, drawn, head, total, route, **more)


OUTCOMES = st.builds(
    outcome,
    ending=st.sampled_from(ENDINGS),
    status=st.sampled_from([0, 200, 404, 500, 503]),
    drawn=st.booleans(),
    head=st.none() | st.floats(0, 10),
    total=st.floats(0, 10),
    method=st.sampled_from(["GET", "POST"]),
    route=st.sampled_from([b"/", b"/a", b"/order/17"]),
    user=st.integers(0, 3) | st.integers(0, 2**64 - 1),
    exposed=st.booleans(),
    thresholds=st.sampled_from([(), (0.5,), (0.01, 0.1), THRESHOLDS]),
    taken_over=st.booleans(),
    passed_on=st.booleans(),
    rescue_of=st.none() | st.just(KEY),
)


def counted(outcomes: list[Outcome]) -> Counts:
    counts = Counts()
    for each in outcomes:
        counts.record(each)
    return counts


COUNTS = st.lists(OUTCOMES, max_size=12).map(counted)


def events(counts: Counts) -> Counts:
    """What is added up and differenced, without gauges, states and the log."""
    return replace(
        counts,
        in_flight=0,
        tunnels=0,
        overdue=0,
        users=Users(),
        exposed=Registers(),
        failed=TopFailures(),
        life=0,
    )

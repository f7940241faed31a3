"""What is held against an endpoint that fails: move by move, and what holds of any history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.health.ejection import EjectionRecord, after_attempt, attempt_result, begun, waited
from proxy.routing.failures import Ejection, Failures
from proxy.telemetry.outcome import Outcome, classify

RULE = Ejection(failures=3, backoff=10, longest=35)


class Sent:
    """A request on its way."""

    def __init__(self, response: str = "awaited", status: int = 0) -> None:
        self.response, self.status = response, status


@pytest.mark.parametrize(
    ("ending", "status", "said"),
    [
        ("complete", 200, "answered"),
        ("complete", 404, "answered"),
        ("complete", 500, "answered"),
        ("complete", 501, "answered"),
        *(("complete", status, "failed") for status in (502, 503, 504)),
        *((ending, 502, "failed") for ending in ("connect", "tls", "timeout", "reset", "garbage")),
        ("truncated", 200, "failed"),
        ("client-left", 0, "nothing"),
        ("client-left", 408, "nothing"),
        ("refused", 413, "nothing"),
        ("halted", 0, "nothing"),
        ("stale", 0, "nothing"),
    ],
)
def test_what_an_outcome_says_of_the_endpoint(ending: str, status: int, said: str) -> None:
    assert attempt_result(outcome(ending, status, Failures())) == said


def test_what_the_service_holds_against_nobody_is_not_held_against_the_endpoint() -> None:
    lenient = Failures(frozenset({500}), frozenset({"reset"}))
    assert attempt_result(outcome("complete", 503, lenient)) == "answered"
    assert attempt_result(outcome("timeout", 504, lenient)) == "nothing"
    assert attempt_result(outcome("reset", 502, lenient)) == "failed"


def outcome(ending: str, status: int, failures: Failures) -> Outcome:
    result = classify(ending, status, failures)
    return Outcome(("shop", 1, "stable"), "GET", status, ending, result, True, None, 0.1)


def after(
    *words: str, rule: Ejection | None = RULE, record: EjectionRecord | None = None, now: float = 100.0
) -> EjectionRecord | None:
    """What is held against it after requests of these words."""
    for each in words:
        record = after_attempt(record, Sent(), each, rule, now)
    return record


def test_failures_in_a_row_eject() -> None:
    assert after("failed") == EjectionRecord("counting", 1)
    assert after("failed", "failed") == EjectionRecord("counting", 2)
    assert after("failed", "failed", "failed") == EjectionRecord("ejected", 3, 10, until=110, out=True)
    assert after("failed", rule=Ejection(1, 5, 5)) == EjectionRecord("ejected", 1, 5, until=105, out=True)


def test_an_answer_between_them_begins_the_row_anew_and_nothing_does_not() -> None:
    assert after("failed", "failed", "answered") is None
    assert after("failed", "failed", "answered", "failed") == EjectionRecord("counting", 1)
    assert after("failed", "nothing", "failed") == EjectionRecord("counting", 2)
    assert after("answered") is after("nothing") is None


def test_where_nothing_is_ejected_nothing_is_counted() -> None:
    assert after(*["failed"] * 9, rule=None) is None
    counted = EjectionRecord("counting", 2)
    assert after("failed", "answered", rule=None, record=counted) is counted, "another service counts it"


@pytest.mark.parametrize("state", ["ejected", "due", "trial"])
@pytest.mark.parametrize("said", ["failed", "answered", "nothing"])
@pytest.mark.parametrize("rule", [RULE, None])
def test_what_else_was_sent_says_nothing_until_the_trial_is_over(
    state: str, said: str, rule: Ejection | None
) -> None:
    record = EjectionRecord(state, 3, 10, 110, Sent() if state == "trial" else None)
    assert after_attempt(record, Sent(), said, rule, 500.0) is record


def test_the_back_off_passes_and_one_request_is_the_trial() -> None:
    ejected, trial = EjectionRecord("ejected", 3, 10, 110), Sent()
    assert waited(ejected, 109.9) is begun(ejected, trial) is ejected
    due = waited(ejected, 110.0)
    assert due == EjectionRecord("due", 3, 10, 110)
    assert waited(due, 999.0) is due
    on_trial = begun(due, trial)
    assert on_trial == EjectionRecord("trial", 3, 10, 110, trial)
    assert begun(on_trial, Sent()) is on_trial, "one at a time"
    counting = EjectionRecord("counting", 1)
    assert begun(counting, trial) is waited(counting, 999.0) is counting


def tried(said: str, pause: float = 10.0, rule: Ejection | None = RULE) -> EjectionRecord | None:
    trial = Sent()
    return after_attempt(EjectionRecord("trial", 3, pause, 110, trial, out=True), trial, said, rule, 200.0)


def test_what_comes_of_the_trial() -> None:
    assert tried("answered") is None
    assert tried("nothing") == EjectionRecord("due", 3, 10, 110, out=True), "another one has to tell"
    for said in ("failed", "unreached"):
        assert tried(said) == EjectionRecord("ejected", 4, 20, until=220, out=True)
        assert tried(said, pause=20) == EjectionRecord("ejected", 4, 35, until=235, out=True), "the longest"
        assert tried(said, pause=35) == EjectionRecord("ejected", 4, 35, until=235, out=True)


def restarted(rule: Ejection | None, trials: list[str]) -> list[tuple[str, int, float]]:
    """What is held against an address that can't be connected to, and that is tried as soon as may be."""
    now, record, seen = 100.0, None, []
    for said in ("unreached", *trials):
        trial = Sent()
        record = begun(record, trial) if record else None
        record = after_attempt(record, trial, said, rule, now)
        if record is None:
            return seen
        seen.append((record.state, record.row, record.pause))
        now = record.until
        record = waited(record, now)
    return seen


def test_an_address_that_takes_no_connection_is_avoided_for_a_moment_and_then_ejected() -> None:
    avoided = [("avoided", 1, 0.1), ("avoided", 2, 0.2)]
    assert restarted(RULE, ["unreached"]) == avoided
    assert restarted(RULE, ["unreached", "answered"]) == avoided, "it is back as if nothing had been"
    assert restarted(RULE, ["unreached"] * 3) == [*avoided, ("ejected", 3, 10), ("ejected", 4, 20)]
    assert restarted(RULE, ["failed"]) == [avoided[0], ("counting", 2, 0.0)], "it took a connection"


def test_where_nothing_is_ejected_it_is_avoided_a_few_seconds_at_a_time() -> None:
    pauses = [pause for state, _, pause in restarted(None, ["unreached"] * 7)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0])
    assert restarted(None, ["unreached", "failed"]) == restarted(None, ["unreached"])


def test_connections_that_fail_at_one_time_count_as_one() -> None:
    record = after("unreached")
    assert record == EjectionRecord("avoided", 1, 0.1, until=100.1)
    assert after(*["unreached"] * 9, "failed", "answered", record=record) is record
    assert waited(record, 100.05) is begun(record, Sent()) is record
    assert waited(record, 100.1) == EjectionRecord("due", 1, 0.1, 100.1)


@pytest.mark.parametrize("said", ["failed", "answered"])
def test_a_trial_where_nothing_is_ejected_any_more_ends_it(said: str) -> None:
    assert tried(said, rule=None) is None


@pytest.mark.parametrize(
    ("response", "status", "passed"),
    [
        ("awaited", 0, False),
        ("open", 200, True),
        ("open", 500, True),
        ("open", 503, False),
        ("tunnel", 101, True),
        ("done", 200, False),
        ("cut", 200, False),
    ],
)
def test_a_trial_is_passed_once_its_answer_has_begun(response: str, status: int, passed: bool) -> None:
    record = EjectionRecord("trial", 3, 10, 110, Sent(response, status))
    assert waited(record, 200.0) == (None if passed else record)


class Endpoint:
    """One endpoint as a worker has to do with it, any number of requests at a time."""

    def __init__(self) -> None:
        self.record, self.now, self.open = None, 0.0, []

    def send(self) -> None:
        sent = Sent()
        self.open.append(sent)
        if self.record is not None:
            self.record = begun(self.record, sent)

    def end(self, which: int, said: str) -> None:
        if self.open:
            self.record = after_attempt(
                self.record, self.open.pop(which % len(self.open)), said, RULE, self.now
            )

    def wait(self, seconds: float) -> None:
        self.now += seconds
        if self.record is not None:
            self.record = waited(self.record, self.now)


ENDS = st.tuples(st.integers(0, 9), st.sampled_from(["failed", "unreached", "answered", "nothing"]))
MOVES = st.one_of(st.none(), ENDS, st.floats(0, 40))


@given(st.lists(MOVES, max_size=60))
def test_whatever_happens_a_trial_is_under_way_and_an_ejection_ends(
    moves: list[float | tuple[int, str] | None],
) -> None:
    endpoint = Endpoint()
    for move in moves:
        match move:
            case None:
                endpoint.send()
            case (which, said):
                endpoint.end(which, said)
            case seconds:
                endpoint.wait(seconds)
        record = endpoint.record
        if record is None:
            continue
        assert (record.state == "trial") == (record.trial is not None)
        assert record.trial is None or record.trial in endpoint.open
        assert record.out == (record.row >= RULE.failures)
        assert record.out or record.state != "ejected"
        assert not (record.out and record.state in ("counting", "avoided"))
        assert record.until <= endpoint.now + RULE.longest
        assert not record.out or RULE.backoff <= record.pause <= RULE.longest
        assert record.out or record.pause < RULE.backoff

"""An endpoint that is spared after failures in a row."""

from proxy.simulation.ejection import Endpoint
from proxy.simulation.scenario import Ejection


def test_without_ejection_it_is_always_alive() -> None:
    endpoint = Endpoint(None)
    for _ in range(100):
        endpoint.answered(failed=True, now=1.0)
    assert endpoint.alive(1.0)


def test_after_failures_in_a_row_and_not_before() -> None:
    endpoint = Endpoint(Ejection(after=3, pause=1.0))
    for failed in (True, True, False, True, True):
        endpoint.answered(failed, now=1.0)
    assert endpoint.alive(1.0)
    endpoint.answered(failed=True, now=1.0)
    assert not endpoint.alive(1.9)
    assert endpoint.alive(2.0)


def test_each_ejection_takes_twice_as_long_up_to_the_longest() -> None:
    endpoint, now, pauses = Endpoint(Ejection(after=2, pause=1.0, longest=3.0)), 0.0, []
    endpoint.answered(failed=True, now=now)
    for _ in range(4):
        endpoint.answered(failed=True, now=now)
        pause = next(step for step in (1.0, 2.0, 3.0, 9.0) if endpoint.alive(now + step))
        pauses.append(pause)
        now += pause
    assert pauses == [1.0, 2.0, 3.0, 3.0]


def test_a_good_answer_makes_it_new() -> None:
    endpoint = Endpoint(Ejection(after=1, pause=1.0))
    endpoint.answered(failed=True, now=0.0)
    endpoint.answered(failed=False, now=1.0)
    endpoint.answered(failed=True, now=1.0)
    assert endpoint.alive(2.0)


def test_answers_to_what_was_sent_before_are_not_held_against_it_twice() -> None:
    endpoint = Endpoint(Ejection(after=1, pause=1.0))
    endpoint.answered(failed=True, now=0.0)
    endpoint.answered(failed=True, now=0.5)
    assert endpoint.alive(1.0)

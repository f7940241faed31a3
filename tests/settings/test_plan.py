"""The file's plan as the rollout takes it."""

from proxy.config.reader import read
from proxy.rollout.plan import Gate, Plan, Step
from proxy.settings.plan import plan


def planned(keys: str) -> Plan | None:
    return plan(read(f"services: {{a: {{stable: http://a, {keys}}}}}", "f", {}).services["a"])


def test_without_a_rollout_there_is_no_plan() -> None:
    assert planned("rollout: off") is None
    assert planned("canary: http://b, weight: 5%") is None


def test_steps_that_say_nothing_have_what_the_rollout_says() -> None:
    assert planned(
        "rollout: {steps: [0.01%, {weight: 1%, hold: 0}, {weight: 100%, min_requests: 0}]}"
    ) == Plan((Step(1, 120.0, 200), Step(100, 0.0, 200), Step(10_000, 120.0, 0)), 86_400.0)
    assert planned("rollout: {steps: [100%], hold: 0, min_requests: 0, deadline: none}") == Plan(
        (Step(10_000, 0.0, 0),), None
    )


def test_pauses_are_gates_wherever_they_stand() -> None:
    found = planned(
        "rollout: {hold: 1m, min_requests: 9, steps: [{pause: go}, 100%, {pause: sure}], deadline: 1h}"
    )
    assert found == Plan((Gate("go"), Step(10_000, 60.0, 9), Gate("sure")), 3600.0)


def test_a_pause_keeps_its_text_over_the_ledger() -> None:
    found = planned("rollout: {steps: [{pause: ask the on-call}, 25%, 100%]}")
    assert Plan.from_json(found.to_json()) == found

import pytest

from proxy.rollout.phases import IDLE, MOVES, ROLLED_BACK, legal


@pytest.mark.parametrize(
    ("phase", "events"),
    [
        (IDLE, ("release", "set-weight", "trip", "adopt")),
        (ROLLED_BACK, ("adopt", "release", "resume")),
    ],
)
def test_what_can_happen_in_a_phase(phase, events):
    assert legal(phase) == events


def test_only_a_resume_and_a_release_lead_back_from_a_rollback():
    back = {event for (phase, event), after in MOVES.items() if phase == ROLLED_BACK and after != ROLLED_BACK}
    assert back == {"resume", "release"}

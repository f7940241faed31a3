import pytest

from proxy.rollout.phases import IDLE, MOVES, PAUSED, PROGRESSING, PROMOTED, PROMOTING, ROLLED_BACK, orders


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (IDLE, ("start", "promote", "abort", "set-weight")),
        (PROGRESSING, ("promote", "pause", "abort", "set-weight")),
        (PAUSED, ("promote", "resume", "abort", "set-weight")),
        (PROMOTING, ("promote", "pause", "abort", "set-weight")),
        (PROMOTED, ("start", "undo")),
        (ROLLED_BACK, ("start", "resume", "abort", "retry")),
    ],
)
def test_what_can_be_ordered_in_a_phase(phase, expected):
    assert orders(phase) == expected


def test_only_a_persons_word_and_a_release_lead_back_from_a_rollback():
    back = {
        event for (phase, event), after in MOVES.items() if phase == ROLLED_BACK and after != (ROLLED_BACK,)
    }
    assert back == {"start", "resume", "retry", "release"}

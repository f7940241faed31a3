from proxy.rollout.inputs import Held, Release, Resume, SetWeight
from proxy.rollout.side import VACANT


def test_inputs_are_values() -> None:
    assert SetWeight(500) == SetWeight(500) != SetWeight(501)
    assert Resume() == Resume(None) != Resume(0)
    assert (
        len({Release(VACANT, VACANT, 1, "s"), Release(VACANT, VACANT, 1, "s"), Held(1, True), Held(1, False)})
        == 3
    )

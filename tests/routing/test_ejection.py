import json

import pytest

from proxy.routing.ejection import Ejection


@pytest.mark.parametrize("ejection", [Ejection(), Ejection(1, 0.5, 60)])
def test_survives_json(ejection: Ejection) -> None:
    assert Ejection.from_json(json.loads(json.dumps(ejection.to_json()))) == ejection


def test_unless_told_five_failures_cost_ten_seconds_and_five_minutes_at_most() -> None:
    assert Ejection() == Ejection(failures=5, backoff=10, longest=300)

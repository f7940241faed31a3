from proxy.ledger.record import Record, iso
from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout


def test_an_entry_as_the_api_shows_it() -> None:
    record = Record("checkout", 1_700_000_000.0, "ann", "slow", Entry(3, "weight", 500, 1, ""), Rollout())
    assert record.to_json(12) == {
        "id": 12,
        "service": "checkout",
        "revision": 3,
        "at": "2023-11-14T22:13:20.000+00:00",
        "event": "weight",
        "actor": "ann",
        "reason": "slow",
        "from": 5.0,
        "to": 0.01,
        "phase": "idle",
        "step": 0,
        "generation": None,
        "acknowledged_ms": None,
        "finding": None,
    }


def test_times_are_utc() -> None:
    assert iso(0.0004) == "1970-01-01T00:00:00.000+00:00"

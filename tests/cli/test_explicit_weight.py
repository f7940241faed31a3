"""A weight of the command line before a ledger of an earlier run: it wins, or is refused with the reason."""

from pathlib import Path
from typing import Any

import pytest

from proxy.cli.explicit_weight import decide, put_in_force
from proxy.config.reader import read, single
from proxy.config.schema import Service
from proxy.ledger.errors import NotDurable
from proxy.ledger.ledger import Ledger
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Abort, Pause, Promote, Resume, SetWeight, Start
from proxy.rollout.plan import AT_ONCE, Plan, Step
from proxy.rollout.rollout import Advance, Rollout
from proxy.settings.service import release

STABLE, CANARY = "http://127.0.0.1:9001", "http://127.0.0.1:9002"
STEPS = Plan((Step(1000, 0.0, 0), Step(10_000, 0.0, 0)))


def service(weight: str = "20%", canary: str = CANARY, stable: str = STABLE) -> Service:
    return read(single(stable, canary, weight), "command line", {}).services["default"]


def after(*orders: Any) -> Rollout:
    """The state after a start at 50 % and these orders."""
    rollout = Rollout()
    for each in (release(service("50%"), "salt"), *orders):
        advanced = advance(rollout, each, 100.0)
        assert isinstance(advanced, Advance), advanced
        rollout = advanced.rollout
    return rollout


def decided(rollout: Rollout, **named: str) -> tuple[int, str, str]:
    """The weight and the phase that follow, and what is printed."""
    found, said = decide(rollout, "default", service(**named), 200.0)
    assert (found.entry is None) == (found.rollout == rollout)
    return found.rollout.weight, found.rollout.phase, said


def test_a_weight_that_is_named_wins() -> None:
    assert decided(after()) == (2000, "idle", "the canary goes from 50 % to 20 %, as --weight has it")
    assert decided(after(SetWeight(100)), weight="0%") == (
        0, "idle", "the canary goes from 1 % to 0 %, as --weight has it"
    )  # fmt: skip


def test_the_weight_that_is_there_already_needs_no_word() -> None:
    assert decided(after(), weight="50%") == (5000, "idle", "")


@pytest.mark.parametrize("named", [{"canary": "http://127.0.0.1:9003"}])
def test_another_canary_begins_with_its_weight_anyway(named: dict[str, str]) -> None:
    assert decided(after(), **named) == (5000, "idle", "")
    assert decided(after(Abort()), **named) == (0, "rolled-back", "")
    assert decided(Rollout()) == (0, "idle", ""), "the first of all"


def test_another_stable_makes_no_difference() -> None:
    assert decided(after(), stable="http://127.0.0.1:9009")[0] == 2000


def test_a_canary_that_was_taken_out_stays_out() -> None:
    assert decided(after(Abort())) == (
        0, "rolled-back",
        "--weight is not put in force: the canary was taken out and stays out; to let it back in: "
        "weir resume default canary=20",
    )  # fmt: skip
    assert decided(after(Abort(), Resume()))[:2] == (2000, "idle")


def test_a_rollout_under_way_goes_on() -> None:
    begun = after(Start(STEPS, "salt"), Promote())
    assert decided(begun) == (
        1000, "progressing",
        "--weight is not put in force: its rollout is progressing at 10 %; to set it by hand: "
        "weir set-weight default canary=20",
    )  # fmt: skip
    paused = after(Start(STEPS, "salt"), Promote(), Pause())
    assert "its rollout is paused at 10 %" in decided(paused)[2]


def test_a_canary_that_was_promoted_is_none() -> None:
    promoted = after(Start(AT_ONCE, "salt"), Promote(full=True), Promote())
    assert promoted.phase == "promoted"
    said = "--weight is not put in force: the canary was promoted and is stable now, so there is no canary"
    assert decided(promoted) == (0, "promoted", said)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of an earlier run that ended at 50 %."""
    advanced = advance(Rollout(), release(service("50%"), "salt"), 100.0)
    assert isinstance(advanced, Advance)
    assert advanced.entry
    ledger = Ledger(tmp_path / "weir.db")
    ledger.append(Record("default", 100.0, "weir", "", advanced.entry, advanced.rollout))
    ledger.close()
    return tmp_path / "weir.db"


def put(path: Path) -> list[str]:
    return list(put_in_force(path, "default", service(), "ann@host", 200.0))


def test_it_stands_in_the_ledger_with_who_ordered_it(path: Path) -> None:
    assert put(path) == ["the canary goes from 50 % to 20 %, as --weight has it"]
    ledger = Ledger(path)
    newest = ledger.entries("default")[-1]
    ledger.close()
    assert (newest["event"], newest["from"], newest["to"]) == ("weight", 50.0, 20.0)
    assert (newest["actor"], newest["reason"]) == ("ann@host", "weir run --weight 20%")
    assert put(path) == [], "it is so already"


def test_without_a_ledger_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert put(tmp_path / "weir.db") == []
    assert not (tmp_path / "weir.db").exists()


def test_what_is_wrong_with_a_ledger_is_for_control_to_tell(path: Path) -> None:
    held = Ledger(path)
    assert put(path) == []
    held.close()
    path.write_text("no ledger " * 1000)
    assert put(path) == []


def test_a_ledger_that_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise NotDurable("the disk is full")

    monkeypatch.setattr(Ledger, "append", full)
    assert put(path) == ["--weight is not put in force: the disk is full"]

"""The blast radius and its caps."""

import json

from proxy.analysis.blast_radius import BlastRadius
from proxy.analysis.policy import Caps
from proxy.telemetry.counts import Counts
from proxy.telemetry.hyperloglog import Registers
from tests.analysis.reports import counts


def exposed(*users: int) -> Registers:
    made = Registers()
    for user in users:
        made.add((user * 0x9E3779B97F4A7C15) % 2**64)
    return made


def blast_radius(*reports: Counts) -> BlastRadius:
    made = BlastRadius()
    for each in reports:
        made.add(each)
    return made


def states(made: BlastRadius, **caps: int) -> dict[str, tuple[str, int]]:
    return {finding.check: (finding.state, finding.value) for finding in made.findings(Caps(**caps))}


def test_all_that_met_the_canary_and_no_diverted_ones() -> None:
    canary = counts(ok=1, bad=2, pinned=(4, 8), taken_over={"success": 16}, diverted=99, harmed=3, rescued=5)
    canary.drawn["excluded"] = 32
    made = blast_radius(canary, canary)
    assert (made.met, made.harmed, made.rescued, made.exposed) == (126, 6, 10, None)


def test_clients_that_gave_up_waiting_are_harmed() -> None:
    made = blast_radius(counts(harmed=2, abandoned=12, abandoned_rescues=1))
    assert (made.harmed, made.gave_up) == (15, 13)
    assert states(made, harmed=15) == {"harmed": ("failing", 15)}


def test_an_older_ledger_has_not_counted_those_who_gave_up() -> None:
    kept = BlastRadius(met=9, harmed=2).to_json()
    del kept["gave_up"]
    assert BlastRadius.from_json(kept) == BlastRadius(met=9, harmed=2)


def test_users_count_once() -> None:
    made = blast_radius(counts(exposed=exposed(1, 2, 3)), counts(exposed=exposed(2, 3, 4)))
    assert made.users == 4


def test_caps() -> None:
    made = blast_radius(counts(harmed=9, exposed=exposed(*range(5))))
    assert states(made) == {}
    assert states(made, harmed=10, exposed_users=5) == {
        "harmed": ("healthy", 9),
        "exposed-users": ("failing", 5),
    }
    assert states(made, harmed=9) == {"harmed": ("failing", 9)}
    [finding] = made.findings(Caps(harmed=9))
    assert (finding.unit, finding.limit, finding.sentence) == (
        "count", 9,
        "harmed: 9 clients got a bad answer or gave up waiting since the release began; the cap is 9",
    )  # fmt: skip


def test_what_was_forgiven_doesnt_count() -> None:
    made = blast_radius(counts(harmed=9, exposed=exposed(1, 2)))
    assert not made.resumed
    made.forgive()
    assert made.resumed
    made.add(counts(harmed=2, exposed=exposed(2, 3)))
    assert states(made, harmed=3, exposed_users=1) == {
        "harmed": ("healthy", 2),
        "exposed-users": ("failing", 1),
    }
    assert (made.harmed, made.users) == (11, 3)


def test_what_was_merged_is_its_own() -> None:
    report = counts(exposed=exposed(1))
    made = blast_radius(report, counts(exposed=exposed(2)))
    assert (report.exposed.estimate(), made.users) == (1, 2)


def test_json_round_trip() -> None:
    made = blast_radius(counts(ok=3, harmed=9, abandoned=4, exposed=exposed(1, 2)))
    made.forgive()
    assert BlastRadius.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert BlastRadius.from_json(json.loads(json.dumps(BlastRadius().to_json()))) == BlastRadius()

"""Services and entries as text."""

import pytest

from proxy.cli import views
from tests.cli.fake_admin import Make


def test_a_table_is_aligned_and_tells_what_to_do(view: Make, tripped_view: Make) -> None:
    text = views.table([view(), tripped_view()], " --admin http://x")
    assert text == (
        "SERVICE   PHASE        BACKEND  WEIGHT    SEEN  REQUESTS  ERRORS      P99\n"
        "checkout  idle         stable     95 %  94.8 %      1234   0.2 %  12.3 ms\n"
        "                       canary      5 %   5.2 %         -       -        -\n"
        "pay       rolled-back  stable    100 %       -      1234   0.2 %  12.3 ms\n"
        "                       canary      0 %       -         -       -        -\n"
        "  out since 2026-01-02 03:04:05Z: error-rate 27.3 % is too high\n"
        "  every worker had taken it out after 12 ms\n"
        "  to let the canary back in at 20 %: weir resume pay --admin http://x\n"
        "(SEEN, REQUESTS, ERRORS and P99 are of the last 30 s)"
    )


def test_no_services() -> None:
    assert views.table([]) == "no services"


def test_notes_name_what_is_odd_and_its_remedy(view: Make) -> None:
    drift = {
        "says": "the weight is 5 % in the file, but 0.25 % is in force",
        "apply": "weir set-weight checkout canary=5",
    }
    drift |= {"write": "stable: http://10.0.0.7:8000\n# no canary"}
    assert list(views.notes(view(durable=False, drift=drift), " -x")) == [
        "in force but not durable yet: the ledger doesn't have it; control keeps trying",
        "the weight is 5 % in the file, but 0.25 % is in force",
        "to apply the file's: weir set-weight checkout canary=5 -x",
        "to keep what is in force, write into the file:",
        "  stable: http://10.0.0.7:8000",
        "  # no canary",
    ]


def test_details_tell_endpoints_verdict_and_findings(view: Make, tripped_view: Make) -> None:
    text = views.details(view(enforce=False))
    assert text.splitlines() == [
        "checkout  idle, revision 7, watching only",
        "  stable  weight 95 %  http://127.0.0.1:9001",
        "    last 30 s: 94.8 % of all, 1,234 requests, errors 0.2 %, p99 12.3 ms",
        "  canary  weight 5 %  http://127.0.0.1:9002 (version v3)",
        "    last 30 s: no requests",
        "  verdict  healthy",
        "    error-rate 0.2 % is within its limit of 10 %",
        "  watching only (`enforce: false`); the canary stays in",
    ]
    assert "canary  weight 0 %, halted  " in views.details(tripped_view())


BETS = {
    "evidence": {"odds": 12.4, "bar": 100.0, "cold_for": 0.0},
    "blast_radius": {
        "met": 231,
        "exposed_users": 180,
        "harmed": 3,
        "gave_up": 0,
        "rescued": 9,
        "since": None,
    },
    "overdue": {"stable": 4, "canary": 2},
    "verdict": {
        "state": "inconclusive",
        "findings": [{"sentence": "errors 0.3 % beside stable's 0.2 %"}],
        "assurance": {"odds": 3.25, "bar": 20.0, "requests": 130, "seconds": 41.3},
    },
}


def test_users_without_a_key_are_unknown(view: Make) -> None:
    blast = BETS["blast_radius"] | {"met": 46, "exposed_users": 0}
    assert "release so far: 46 canary requests of unknown users, " in views.table([view(blast_radius=blast)])


def test_bets_and_the_harm_stand_under_the_table(view: Make) -> None:
    text = views.table([view(**BETS)])
    assert text.splitlines()[3:-1] == [
        "  evidence that the canary is worse: 12:1, out at 100:1",
        "  good for a larger weight: 3.2:1, shown at 20:1; about 130 more requests (41 s)",
        "  release so far: 231 canary requests of about 180 users, 3 harmed, 9 rescued",
        "  2 requests on the canary are overdue now",
    ]
    assert max(map(len, text.splitlines())) <= 80
    assert views.details(view(**BETS)).splitlines()[5:] == [
        "  verdict  inconclusive",
        "    errors 0.3 % beside stable's 0.2 %",
        *text.splitlines()[3:-1],
    ]
    assert views.state_line(view(**BETS)).endswith(
        "canary 5 %, evidence that the canary is worse: 12:1, out at 100:1"
    )


def test_a_canary_that_is_out_has_harm_and_no_bets_left_to_wait_for(tripped_view: Make) -> None:
    told = list(views.notes(tripped_view(**BETS)))
    assert told[-2:] == [
        "release so far: 231 canary requests of about 180 users, 3 harmed, 9 rescued",
        "2 requests on the canary are overdue now",
    ]
    assert not any("evidence" in note or "good for" in note for note in told)


def test_a_failing_canary_is_not_good_enough_for_more(view: Make) -> None:
    told = list(views.notes(view(**BETS | {"verdict": BETS["verdict"] | {"state": "failing"}})))
    assert told[0] == "evidence that the canary is worse: 12:1, out at 100:1"
    assert not any("good for" in note for note in told)


def test_what_is_shown_already_waits_for_nothing(view: Make) -> None:
    shown = BETS["verdict"] | {"assurance": {"odds": 31.0, "bar": 20.0, "requests": 0, "seconds": 0.0}}
    assert "good for a larger weight: 31:1, shown at 20:1" in views.notes(view(**BETS | {"verdict": shown}))


def test_one_of_a_kind_is_told_in_the_singular(view: Make) -> None:
    blast = BETS["blast_radius"] | {"met": 1, "exposed_users": 1}
    assert list(views.blast_radius(view(blast_radius=blast, overdue={"canary": 1}))) == [
        "release so far: 1 canary request of about 1 user, 3 harmed, 9 rescued",
        "1 request on the canary is overdue now",
    ]


def test_clients_that_gave_up_waiting_are_told(view: Make) -> None:
    blast = BETS["blast_radius"] | {"harmed": 13, "gave_up": 12}
    [note] = views.blast_radius(view(blast_radius=blast))
    assert note.endswith(", 13 harmed (12 gave up waiting), 9 rescued")


def test_users_are_told_where_they_are_known(view: Make) -> None:
    blast = BETS["blast_radius"] | {"exposed_users": None}
    assert list(views.blast_radius(view(blast_radius=blast))) == [
        "release so far: 231 canary requests, 3 harmed, 9 rescued"
    ]
    assert list(views.blast_radius(view(blast_radius=None))) == []


def test_a_cold_canary_is_said_to_be_one(view: Make) -> None:
    evidence = {"odds": 2.0, "bar": 100.0, "cold_for": 43.2}
    told = "the canary is warming up, for 43 s at most, and may be slower than it will be"
    assert told in list(views.notes(view(evidence=evidence)))
    assert not any("warming" in note for note in views.notes(view()))


def test_what_only_watches_says_what_it_would_have_done(view: Make) -> None:
    verdict = {"state": "failing", "findings": [], "assurance": None, "sentence": "errors 25.0 %"}
    failing = view(enforce=False, verdict=verdict, evidence={"odds": 5e33, "bar": 100.0, "cold_for": 0.0})
    told = [
        "watching only (`enforce: false`); the canary would be out: errors 25.0 %",
        "evidence that the canary is worse: more than 1,000,000:1, would be out at 100:1",
    ]
    assert list(views.notes(failing)) == told
    assert all(f"  {line}" in views.table([failing]).splitlines() for line in told)
    assert list(views.observe_only(view(enforce=False, backends={"stable": {}}))) == []


@pytest.mark.parametrize("weight", [0.0, 100.0])
def test_where_no_coin_is_tossed_no_bets_are_shown(view: Make, weight: float) -> None:
    assert views.evidence_against(view(**BETS, weights={"stable": 100 - weight, "canary": weight})) == ""


def test_a_canary_that_segments_alone_send_to_is_let_back_in_for_them(tripped_view: Make) -> None:
    trip = tripped_view()["trip"] | {"weight_before": 0.0}
    told = list(views.notes(tripped_view(trip=trip)))
    assert told[-1] == "to let the canary back in for segments and `force`: weir resume pay"


def test_an_entry_is_a_line(entry: Make) -> None:
    assert views.entry_line(entry(8, reason="first users")) == (
        "2026-01-02 03:04:05Z  checkout  revision 8  weight  canary 5 % -> 10 %, idle  "
        "by ann@laptop: first users"
    )
    first = views.entry_line(entry(1, event="release", phase=None, **{"from": None}))
    assert first.endswith("release  canary at 10 %  by ann@laptop")
    step = views.entry_line(entry(9, event="trip", phase="rolled-back", acknowledged_ms=12.4, reason="bad"))
    gate = views.entry_line(entry(9, event="gate", to=5.0, phase="paused"))
    assert "gate  canary at 5 %, paused  by" in gate
    promotion = views.entry_line(entry(9, event="promotion", phase="promoted", **{"from": 100.0, "to": 0.0}))
    assert "promotion  canary 100 % -> stable, promoted  by" in promotion
    assert step.endswith("trip  canary 5 % -> 10 %, rolled-back  by ann@laptop: bad; everywhere after 12 ms")


def test_a_rollout_has_its_step_and_what_leads_on(rolling_view: Make, paused_view: Make) -> None:
    told = list(views.notes(rolling_view(), " -x"))
    assert told == [
        "step 1 of 3 (5 % for 10 min and 200 answers): 31 of 200 answers; at this rate in about 11 min",
        "to its end: about 42 min at 41 requests a second, and 1 pause",
    ]
    assert "to go on: weir promote checkout -x" in views.notes(paused_view(), " -x")
    assert "progressing, step 1 of 3" in views.details(rolling_view())
    assert "progressing, step 1 of 3" in views.state_line(rolling_view())


def test_who_says_that_a_backend_is_there_is_told_when_it_is_not_the_file(view: Make) -> None:
    origin = {"stable": "file", "canary": "ledger"}
    told = views.details(view(origin=origin)).splitlines()
    assert told[3] == "  canary  weight 5 %  http://127.0.0.1:9002 (version v3, from the ledger)"


def test_a_state_is_a_line(view: Make, tripped_view: Make) -> None:
    assert views.state_line(view()) == "checkout  revision 7  idle  stable 95 %, canary 5 %"
    assert views.state_line(tripped_view()).endswith("canary 0 %: error-rate 27.3 % is too high")
    outage = {"since": "2026-01-01T00:00:00Z", "sentence": "5 of its 5 latest requests failed"}
    failing = views.state_line(view(outage=outage))
    assert failing.endswith("canary 5 %, stable is failing: 5 of its 5 latest requests failed")


def test_an_endpoint_that_does_not_do_well_is_named(view: Make) -> None:
    seen = view()
    seen["backends"]["canary"]["conditions"] = {"http://a": "alive", "http://b": "dead: answered 503"}
    assert list(views.unhealthy_endpoints(seen)) == ["http://b of canary is dead: answered 503"]


def test_an_endpoint_is_shown_with_the_host_that_it_gets(view: Make) -> None:
    side = view()["backends"]["canary"] | {
        "endpoints": ["http://a", "http://b"],
        "hosts": {"http://a": "a.example"},
        "conditions": {"http://a": "dead: answered 404", "http://b": "alive"},
        "addresses": {},
    }
    assert views.endpoints(side) == "http://a (Host a.example, dead), http://b (alive)"

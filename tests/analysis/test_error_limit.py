"""The absolute limit where it could be unfair: among rounds, and where no coin is tossed any more."""

from proxy.analysis.comparison import ERROR_LIMIT, ERRORS, LEANING, Comparison
from proxy.analysis.judge import Judge
from proxy.analysis.observations import Observations
from proxy.analysis.policy import Policy
from proxy.telemetry.counts import Counts

LIMITED = Policy(slower=None, error_limit=0.05, guard=False)


def test_among_many_rounds_its_gate_is_as_much_higher_as_their_bar() -> None:
    bets = Comparison.begin(LIMITED, held_back=0.0)
    while bets.bets[ERRORS].capital < LEANING:
        bets = bets.after([(dict.fromkeys((ERRORS, ERROR_LIMIT), Observations(canary_bad=1)), 0.25)])
    assert bets.capitals(0.25)[ERROR_LIMIT] > 0
    assert bets.capitals(0.25, bound=1_000.0)[ERROR_LIMIT] == 0
    assert bets.reach(1.0, 0.25)
    assert not bets.reach(1.0, 0.25, bound=1_000.0)


def test_what_it_won_in_a_shared_incident_is_gone_when_the_coin_is() -> None:
    judge = Judge(LIMITED)
    judge.weigh(1, 5_000)
    both = Counts(drawn={"failure": 20, "success": 80})
    for second in range(50):
        judge.apply([(1, "stable", both), (1, "canary", both)], float(second))
    assert not judge.failing(50.0), "they fail alike"
    judge.weigh(2, 10_000)
    assert not judge.failing(50.0)
    judge.apply([(2, "canary", Counts(drawn={"failure": 100}))], 51.0)
    assert judge.failing(51.0), "it is asked from now on"


def test_a_resume_begins_with_half_of_the_capital_staked() -> None:
    judge = Judge(Policy())
    judge.weigh(1, 500)
    judge.weigh(2, 0)
    judge.afresh()
    judge.weigh(3, 500)
    assert {bet[2] for bet in judge.to_json()["case"].values()} == {0.5}

from dataclasses import replace

from proxy.config.reading import read
from proxy.control.refusing import overtaken, why_not
from proxy.control.release import side, template
from proxy.control.standing import Standing
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Promote, SetWeight, Undo
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import VACANT

CONFIG = read("services: {shop: {stable: http://a, canary: http://b}}", "weir.yaml", {})
FILE = CONFIG.services["shop"]
RUNNING = Rollout(revision=3, weight=525, stable=side(FILE.stable), canary=side(FILE.canary))
OUT = replace(RUNNING, weight=0, phase="rolled-back", trip=Trip(1.0, "it fails", None))


def standing(rollout):
    return Standing(template("shop", FILE, CONFIG.timeouts, None), FILE, rollout)


def said(rollout, order):
    return why_not(standing(rollout), advance(rollout, order, 5.0))


def test_what_is_possible_now_and_what_stays():
    assert said(RUNNING, Undo("")) == (
        "shop: undo is not possible while the rollout is idle; "
        "possible now: start, promote, abort, set-weight. The canary stays at 5.25 %"
    )


def test_a_canary_that_is_out_names_the_way_back():
    text = said(OUT, SetWeight(100))
    assert "was taken out (it fails) and stays at 0 % until it is resumed: weir resume shop" in text


def test_without_a_canary_nothing_was_changed():
    text = said(replace(RUNNING, weight=0, canary=VACANT), Promote())
    assert text.endswith("possible now: start, promote, abort, set-weight. Nothing was changed")


def test_who_was_overtaken_hears_by_what():
    assert "it is at revision 3, its canary at 5.25 %, and stays so" in overtaken(standing(RUNNING))

from dataclasses import replace

import pytest

from proxy.config import schema
from proxy.config.reader import read
from proxy.control.order_defaults import complete, planned
from proxy.control.standing import Standing
from proxy.rollout.inputs import Abort, Pause, Retry, SetWeight, Start, Undo
from proxy.rollout.plan import Plan, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint, Trust
from proxy.settings.plan import Planned
from proxy.settings.service import side, template

TEXT = """
services:
  shop:
    stable: {endpoints: https://a, tls: {ca: /ca.pem}}
    rollout: {steps: [10%, 100%], hold: 30s, min_requests: 7, deadline: 1h}
  bare: {match: {path: /bare}, stable: http://b}
"""
FILE_PLAN = Plan((Step(1000, 30.0, 7), Step(10_000, 30.0, 7)), 3600.0)
OWN = Plan((Step(10_000, 0.0, 0),))


def standing(name, **rollout):
    config = read(TEXT, "weir.yaml", {})
    file = config.services[name]
    state = Rollout(revision=1, stable=side(file.stable), **rollout)
    return Standing(template(name, file, config.timeouts, None), file, state)


def test_a_start_gets_the_files_plan_and_a_salt_of_its_own():
    one, other = (complete(Start(None, ""), standing("shop")) for _ in range(2))
    assert one.plan == FILE_PLAN
    assert len(one.salt) == 32
    assert one.salt != other.salt
    assert complete(Start(OWN, ""), standing("shop")).plan == OWN
    assert complete(Start(None, ""), standing("bare")).plan is None


def test_new_endpoints_are_trusted_as_the_files():
    named = Side((Endpoint.parse("https://c"),), "v2")
    made = complete(Start(OWN, "", named), standing("shop")).canary
    assert made.endpoints[0].trust == Trust(ca="/ca.pem")
    assert made.version == "v2"


def test_a_retry_goes_by_the_files_plan_as_it_is_now_unless_it_was_begun_by_another():
    canary = Side((Endpoint.parse("http://c"),), "v2")
    by_file = standing("shop", plan=OWN, canary=canary, definition=canary.definition)
    assert complete(Retry(""), by_file).plan == FILE_PLAN
    at_runtime = standing("shop", plan=OWN, canary=canary)
    assert complete(Retry(""), at_runtime).plan is None
    assert complete(Retry(""), standing("shop", canary=canary)).plan == FILE_PLAN


@pytest.mark.parametrize("order", [Undo(""), Undo("", OWN)])
def test_what_begins_anew_gets_a_salt(order):
    made = complete(order, standing("shop"))
    assert len(made.salt) == 32
    assert replace(made, salt="") == order


@pytest.mark.parametrize("order", [Pause("ann"), Abort("ann"), SetWeight(5)])
def test_others_are_complete_as_they_are(order):
    assert complete(order, standing("shop")) is order


def test_what_holds_for_steps_that_say_nothing():
    found = planned(standing("shop"))
    assert (found.plan, found.hold, found.min_requests, found.deadline) == (FILE_PLAN, 30.0, 7, 3600.0)
    assert planned(standing("bare")) == Planned()
    usual = {name: getattr(Planned(), name) for name in ("hold", "min_requests", "deadline")}
    assert usual == {name: schema.Rollout.model_fields[name].default for name in usual}, "as in the file"
    assert planned(standing("bare", plan=OWN)).plan == OWN, "undo goes back by the plan that led here"

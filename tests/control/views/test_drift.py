from dataclasses import replace

import pytest

from proxy.config.reader import read
from proxy.control.managed_service import ManagedService
from proxy.control.views.drift import Drift, drift
from proxy.rollout.plan import AT_ONCE
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint
from proxy.settings.service import side, template

CONFIG = read(
    "services: {checkout: {stable: {endpoints: http://a, version: v1}, canary: {endpoints: http://b, "
    "version: v2}, weight: 7.25%}}",
    "weir.yaml",
    {},
)
FILE = CONFIG.services["checkout"]
STABLE, CANARY = side(FILE.stable), side(FILE.canary)
OTHER = Side((Endpoint.parse("http://c"), Endpoint.parse("http://d")))
RUNNING = Rollout(revision=3, weight=725, stable=STABLE, canary=CANARY)


def found(rollout: Rollout) -> Drift | None:
    return drift(ManagedService(template("checkout", FILE, CONFIG.timeouts, None), FILE, rollout))


def test_what_agrees_has_no_drift() -> None:
    assert found(RUNNING) is None


def test_another_weight_names_the_order_that_applies_it() -> None:
    made = found(replace(RUNNING, weight=500))
    assert made.apply == "weir set-weight checkout canary=7.25"
    assert made.text == "the weight is 7.25 % in the file, but 5 % is in force"
    assert made.to_json() == {"says": made.text, "apply": made.apply, "write": None}


def test_a_trip_explains_itself() -> None:
    assert found(replace(RUNNING, weight=0, phase="rolled-back", trip=Trip(1.0, "it fails", None))) is None


def test_after_a_promotion_it_says_what_to_write() -> None:
    made = found(replace(RUNNING, weight=0, phase="promoted", stable=CANARY, canary=VACANT))
    assert made.text == (
        "stable is v1 in the file, but v2 is in force; canary is v2 in the file, but none is in force"
    )
    assert made.write == 'stable: {endpoints: ["http://b"], version: "v2"}\n# no canary'
    assert made.to_json()["apply"] is None


@pytest.mark.parametrize("phase", ["progressing", "paused", "promoting", "rolled-back"])
def test_a_canary_on_trial_is_no_matter_for_the_file(phase: str) -> None:
    assert found(replace(RUNNING, weight=0, canary=OTHER, phase=phase, plan=AT_ONCE)) is None


@pytest.mark.parametrize("phase", ["idle", "progressing", "paused", "promoting", "rolled-back", "promoted"])
def test_a_stable_that_is_not_the_files_is_reported_until_the_file_has_it(phase: str) -> None:
    promoted = replace(RUNNING, weight=0, stable=OTHER, phase=phase, plan=AT_ONCE)
    made = found(promoted)
    assert made is not None
    assert made.text.startswith("stable is v1 in the file, but http://c, http://d is in force")
    assert made.write.startswith('stable: {endpoints: ["http://c", "http://d"]}')
    after = found(replace(promoted, stable=STABLE))
    assert after is None or "stable" not in after.text


def test_a_canary_named_at_runtime() -> None:
    made = found(replace(RUNNING, canary=OTHER))
    assert made.text.startswith("canary is v2 in the file, but http://c, http://d is in force")
    assert made.write == 'canary: {endpoints: ["http://c", "http://d"]}'


def test_what_it_says_to_write_can_be_read_and_is_what_is_in_force() -> None:
    made = found(replace(RUNNING, canary=OTHER))
    text = f"services:\n  checkout:\n    stable: http://a\n    {made.write}\n"
    assert side(read(text, "weir.yaml", {}).services["checkout"].canary) == OTHER


@pytest.mark.parametrize(
    "keys",
    [
        "host: endpoint",
        "host: b.example",
        "tls: {server_name: b.example, verify: false}",
        "host: endpoint, tls: {ca: /ca.pem}",
    ],
)
def test_how_endpoints_are_asked_stands_in_the_lines_for_the_file(keys: str) -> None:
    config = read(f"services: {{checkout: {{stable: {{endpoints: https://c, {keys}}}}}}}", "f", {})
    made = found(replace(RUNNING, canary=side(config.services["checkout"].stable)))
    text = f"services:\n  checkout:\n    stable: http://a\n    {made.write}\n"
    again = side(read(text, "weir.yaml", {}).services["checkout"].canary)
    assert again == side(config.services["checkout"].stable)


def test_a_host_tells_a_promoted_canary_of_the_same_url_from_stable() -> None:
    text = "services: {checkout: {stable: {endpoints: http://c, host: a.example}, "
    text += "canary: {endpoints: http://c, host: b.example}}}"
    config = read(text, "weir.yaml", {})
    file = config.services["checkout"]
    promoted = Rollout(revision=3, phase="promoted", stable=side(file.canary), canary=VACANT)
    made = drift(ManagedService(template("checkout", file, config.timeouts, None), file, promoted))
    assert made.text.startswith(
        "stable is http://c (Host a.example) in the file, but http://c (Host b.example) is in force"
    )
    assert made.write.startswith('stable: {endpoints: ["http://c"], host: "b.example"}')


def test_without_a_canary_there_is_no_weight_to_drift() -> None:
    bare = read("services: {checkout: {stable: http://a}}", "weir.yaml", {})
    file = bare.services["checkout"]
    rollout = Rollout(revision=1, stable=side(file.stable))
    assert drift(ManagedService(template("checkout", file, bare.timeouts, None), file, rollout)) is None

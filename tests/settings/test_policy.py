import pytest

from proxy.analysis.check import Check
from proxy.analysis.policy import Caps, Policy, Slower, StepUp
from proxy.config.reader import read
from proxy.config.service import Service
from proxy.routing.failures import Failures
from proxy.settings.policy import UNJUDGED, checks, failures, policy

CANARY = "canary: http://127.0.0.1:9002"


def service(*keys: str) -> Service:
    both = ", ".join(("stable: http://127.0.0.1:9001", *keys))
    return read(f"services:\n  checkout: {{{both}}}\n", "weir.yaml", {}).services["checkout"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", Policy()),
        ("analysis: auto", Policy()),
        ("analysis: {}", Policy()),
        ("analysis: {enforce: false}", Policy()),
        ("analysis: off", Policy(comparing=False, step_up=None)),
        ("analysis: off, guard: off", Policy(comparing=False, step_up=None, guard=False)),
        (
            "analysis: off, caps: {harmed: 5}, sticky: {cookie: w}",
            Policy(comparing=False, step_up=None, caps=Caps(harmed=5), sticky=True),
        ),
        ("guard: off", Policy(guard=False)),
        ("sticky: {client_ip: true}", Policy(sticky=True)),
        (
            "caps: {harmed: 50, exposed_users: 2000}, sticky: {cookie: weir}",
            Policy(caps=Caps(50, 2000), sticky=True),
        ),
        ("analysis: {slower: off, step_up: off}", Policy(slower=None, step_up=None)),
        (
            "analysis: {extra_errors: 0.2%, slower: {by: 50%, at_least: 20ms}, false_rollbacks: 0.5%, "
            "error_limit: 5%, step_up: {extra_errors_below: 2%, confidence: 99%}}",
            Policy(
                extra_errors=0.002,
                slower=Slower(0.5, 0.02),
                false_rollbacks=0.005,
                error_limit=0.05,
                step_up=StepUp(0.02, 0.99),
            ),
        ),
        (
            "checks: [{metric: latency-p99, max: 400ms, window: 10s, min_requests: 5}]",
            Policy(checks=(Check("latency-p99", 0.4, 10, 5),)),
        ),
    ],
)
def test_the_file_s_word_becomes_a_policy(keys: str, expected: Policy) -> None:
    assert policy(service(CANARY, *([keys] if keys else []))) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", Failures()),
        ("analysis: off", Failures()),
        ("analysis: {failures: [5xx]}", Failures(frozenset(range(500, 600)), frozenset())),
        ("analysis: {failures: [timeout, tls]}", Failures(frozenset(), frozenset({"timeout", "tls"}))),
        (
            "analysis: {failures: [4xx, 503, '599', connect]}",
            Failures(frozenset({*range(400, 500), 503, 599}), frozenset({"connect"})),
        ),
    ],
)
def test_what_counts_as_a_failure(keys: str, expected: Failures) -> None:
    assert failures(service(CANARY, *([keys] if keys else []))) == expected


def test_nothing_is_judged_by_nothing() -> None:
    assert (UNJUDGED.comparing, UNJUDGED.guard, UNJUDGED.checks, UNJUDGED.caps) == (False, False, (), Caps())


def test_checks_of_one_metric_have_names_of_their_own() -> None:
    twice = "{metric: error-rate, max: 5%, window: 10s}, {metric: error-rate, max: 1%, window: 60s}"
    found = checks(service(CANARY, f"checks: [{twice}, {{metric: latency-p99, max: 400ms}}]"))
    assert [check.name for check in found] == ["error-rate-10s", "error-rate-60s", "latency-p99"]

"""The keys of judging: what they mean, their ranges, and what is told of mistakes in them."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.analysis import FAILURES, Analysis, Caps, Check, Slower, StepUp
from proxy.config.reader import read
from proxy.config.service import Service

BOTH = "stable: http://a\ncanary: http://b\n"


def service(keys: str, before: str = "") -> Service:
    lines = "".join(f"    {line}\n" for line in (BOTH + keys).splitlines())
    return read(f"{before}services:\n  checkout:\n{lines}", "f", {}).services["checkout"]


def test_without_a_word_the_canary_is_compared_and_guarded() -> None:
    found = service("")
    assert found.analysis == Analysis.model_validate({})
    assert (found.guard, found.checks, found.caps, found.enforce) == (True, (), Caps(), True)


def test_the_defaults_are_those_of_the_method() -> None:
    auto = service("analysis: auto").analysis
    assert auto is not None
    assert auto == service("analysis: {}").analysis
    assert (auto.extra_errors, auto.false_rollbacks, auto.error_limit) == (0.001, 0.01, None)
    assert (auto.slower, auto.step_up) == (Slower(), StepUp())
    assert (Slower().by, Slower().at_least) == (0.25, 0.005)
    assert (StepUp().extra_errors_below, StepUp().confidence) == (0.01, 0.95)
    assert auto.failures == FAILURES == ("5xx", "connect", "tls", "timeout", "reset", "garbage", "truncated")


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("extra_errors: 0", "extra_errors", 0.0),
        ("extra_errors: 50%", "extra_errors", 0.5),
        ("extra_errors: 0.01%", "extra_errors", 0.0001),
        ("slower: off", "slower", None),
        ("slower: {}", "slower", Slower()),
        ("slower: {by: 1000%, at_least: 60s}", "slower", Slower(by="1000%", at_least="60s")),
        ("slower: {by: 0, at_least: 0}", "slower", Slower(by="0", at_least="0")),
        ("false_rollbacks: 0.01%", "false_rollbacks", 0.0001),
        ("false_rollbacks: 20%", "false_rollbacks", 0.2),
        ("error_limit: off", "error_limit", None),
        ("error_limit: 0.01%", "error_limit", 0.0001),
        ("error_limit: 100%", "error_limit", 1.0),
        ("enforce: false", "enforce", False),
        ("failures: [5xx]", "failures", ("5xx",)),
        ("failures: [4xx, 500, 599, timeout]", "failures", ("4xx", "500", "599", "timeout")),
        ("failures: [400, 429]", "failures", ("400", "429")),
        ("step_up: off", "step_up", None),
        ("step_up: {}", "step_up", StepUp()),
        (
            "step_up: {extra_errors_below: 50%, confidence: 99.99%}",
            "step_up",
            StepUp(extra_errors_below="50%", confidence="99.99%"),
        ),
        (
            "step_up: {extra_errors_below: 0.01%, confidence: 50%}",
            "step_up",
            StepUp(extra_errors_below="0.01%", confidence="50%"),
        ),
    ],
)
def test_analysis(written: str, name: str, value: object) -> None:
    assert getattr(service(f"analysis: {{{written}}}").analysis, name) == value


def test_ratios_are_parts_of_one_and_times_are_seconds() -> None:
    slower, step_up = Slower(by="1000%", at_least="60s"), StepUp(extra_errors_below="2%", confidence="99.9%")
    assert (slower.by, slower.at_least) == (10.0, 60.0)
    assert (step_up.extra_errors_below, step_up.confidence) == (0.02, pytest.approx(0.999))


@pytest.mark.parametrize(
    ("written", "enforces"), [("analysis: off", True), ("analysis: {enforce: false}", False), ("", True)]
)
def test_verdicts_act_unless_they_only_watch(written: str, enforces: bool) -> None:
    assert service(written).enforce is enforces


def test_off_is_no_analysis_at_all() -> None:
    found = service("analysis: off\nguard: off")
    assert (found.analysis, found.guard) == (None, False)


@pytest.mark.parametrize(
    ("written", "caps"),
    [
        ("caps: {harmed: 1}", Caps(harmed="1")),
        ("caps: {exposed_users: 2000}\nsticky: {cookie: weir}", Caps(exposed_users="2000")),
        ("caps: {}", Caps()),
    ],
)
def test_caps(written: str, caps: Caps) -> None:
    assert service(written).caps == caps


def test_what_a_service_writes_replaces_the_default_whole() -> None:
    before = "defaults: {analysis: {extra_errors: 5%, enforce: false}, guard: off, caps: {harmed: 9}}\n"
    inherited, own = service("", before), service("analysis: {extra_errors: 2%}\ncaps: {}", before)
    assert (inherited.enforce, inherited.guard, inherited.caps.harmed) == (False, False, 9)
    assert own.analysis == Analysis.model_validate({"extra_errors": "2%"})
    assert (own.enforce, own.guard, own.caps) == (True, False, Caps())


@pytest.mark.parametrize(
    ("written", "limit", "window", "least"),
    [
        ("{metric: error-rate, max: 5%}", 0.05, 30, 20),
        ("{metric: error-rate, max: 0, window: 2m, min_requests: 1}", 0.0, 120, 1),
        ("{metric: latency-p99, max: 400ms, min_requests: 100}", 0.4, 30, 100),
        ("{metric: latency-p50, max: 1s}", 1.0, 30, 20),
    ],
)
def test_checks(written: str, limit: float, window: float, least: int) -> None:
    (check,) = service(f"checks: [{written}]").checks
    assert isinstance(check, Check)
    assert (check.max, check.window, check.min_requests) == (pytest.approx(limit), window, least)


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("analysis: atuo", "the single value `atuo` stands where a mapping is", "did you mean `auto`?"),
        ("analysis: on", "the single value `on` stands where a mapping", "write `analysis: auto`, or `off`"),
        ("caps: off", "the single value `off` stands where a mapping", "write `caps: {}` for no caps"),
        ("checks: off", "the single value `off` stands where a list", "or `checks: []` for none"),
        ("analysis: [auto]", "a list stands where a mapping is expected", "the keys `extra_errors`"),
        ("analysis: {extra_erors: 1%}", "`extra_erors` is not a key of", "did you mean `extra_errors`?"),
        ("analysis: {slower: on}", "the single value `on` stands where", "`by` and `at_least`; `off`"),
        ("analysis: {slower: {by: 5ms}}", "`5ms` is a duration, not a percent", "such as `5%`"),
        ("analysis: {slower: {by: 1000.01%}}", "`1000.01%` is more than 1000 %", "from `0%` to `1000%`"),
        ("analysis: {slower: {at_least: 61s}}", "`61s` is too long", "from `0s` to `1m`"),
        ("analysis: {slower: {atleast: 1s}}", "`atleast` is not a key of", "did you mean `at_least`?"),
        ("analysis: {extra_errors: 50.01%}", "`50.01%` is more than 50 %", "from `0%` to `50%`"),
        ("analysis: {extra_errors: 0.1}", "`0.1` is a number without its unit", "write `0.1%`, or `10%`"),
        ("analysis: {extra_errors: 0.001%}", "`0.001%` is finer than 0.01 %", "write `0.01%`"),
        ("analysis: {false_rollbacks: 0}", "`0` is less than 0.01 %", "from `0.01%` to `20%`"),
        ("analysis: {false_rollbacks: 20.01%}", "`20.01%` is more than 20 %", "from `0.01%` to `20%`"),
        ("analysis: {error_limit: 0%}", "`0%` is less than 0.01 %", "from `0.01%` to `100%`, or `off`"),
        ("analysis: {error_limit: 101%}", "`101%` is more than 100 %", "or `off`"),
        ("analysis: {enforce: off}", "`off` is neither `true` nor `false`", "write `false`"),
        ("analysis: {step_up: {confidence: 100%}}", "`100%` is more than 99.99 %", "`50%` to `99.99%`"),
        ("analysis: {step_up: {confidence: 49%}}", "`49%` is less than 50 %", "`50%` to `99.99%`"),
        ("analysis: {step_up: {extra_errors_below: 0}}", "`0` is less than 0.01 %", "`0.01%` to `50%`"),
        ("analysis: {step_up: 95%}", "the single value `95%` stands where a mapping", "`confidence`; `off`"),
        ("analysis: {failures: []}", "this list is empty", "such as `[5xx, connect]`"),
        ("analysis: {failures: 5xx}", "the single value `5xx` stands where", "such as `[5xx, connect]`"),
        ("analysis: {failures: [5XX]}", "`5XX` is not what can count as a failure", "did you mean `5xx`?"),
        ("analysis: {failures: [399]}", "`399` is not what can count as a", "a status from 400 to 599"),
        ("analysis: {failures: [600]}", "`600` is not what can count as a", "a status from 400 to 599"),
        ("analysis: {failures: [40000]}", "`40000` is not what can count", "a status from 400 to 599"),
        ("analysis: {failures: [conect]}", "`conect` is not what can", "did you mean `connect`?"),
        ("analysis: {failures: [client-left]}", "`client-left` is not what can", "expected `4xx`, `5xx`"),
        ("analysis: {failures: [5xx, 503]}", "`503` is one of `5xx`, which is in this list", "remove one"),
        ("analysis: {failures: [503, 5xx]}", "`503` is one of `5xx`, which is in this list", "remove one"),
        ("analysis: {failures: [tls, tls]}", "`tls` is in this list already", "remove one of the two"),
        ("guard: true", "`true` is neither `on` nor `off`", "write `on`"),
        ("caps: 50", "the single value `50` stands where a mapping is expected", "`harmed` and `exposed"),
        ("caps: {harmed: 0}", "`0` is out of range", "from 1"),
        ("caps: {harm: 1}", "`harm` is not a key of `services.checkout.caps`", "did you mean `harmed`?"),
        ("caps: {exposed_users: 9}", "`sticky`, and there is none in `services.checkout`", "add a `sticky`"),
        (
            "caps: {exposed_users: 9}\nsticky: off",
            "`exposed_users` counts keys of `sticky`, and there is none in",
            "or write `caps: {}` here",
        ),
        ("step_up: off", "`step_up` is not a key of", "under `analysis`: write `analysis: {step_up: ...}`"),
        ("enforce: false", "`enforce` is not a key of", "it belongs under `analysis`"),
        ("checks: [{metric: p99, max: 1s}]", "`p99` is not a metric", "did you mean `latency-p99`?"),
        ("checks: [{metric: error-rate, max: 1s}]", "`1s` is a duration, not a percent", "`5%`"),
        ("checks: [{metric: latency-p90, max: 5%}]", "`5%` is a percent, not a duration", "`300ms`"),
        ("checks: [{metric: latency-p90, max: [5s]}]", "`max` is one value", "`400ms`"),
        ("checks: [{metric: error-rate}]", "`max` is missing from", "`max: 5%`"),
        ("checks: [{max: 5%}]", "`metric` is missing from", "`metric: error-rate`"),
        ("checks: [{metric: error-rate, max: 5%, window: 0}]", "`0` is too short", "`1s` to `1h`"),
        ("checks: [{metric: error-rate, max: 5%, min_requests: 0}]", "out of range", "from 1"),
    ],
)  # fmt: skip
def test_what_is_wrong(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = of_service(BOTH + keys)
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


def test_a_cap_of_the_defaults_is_told_where_it_stands(wrong: Callable[..., Any]) -> None:
    (problem,) = wrong(
        "defaults:\n  caps: {exposed_users: 9}\nservices:\n  a: {stable: http://a, canary: http://b}\n"
    )
    assert (problem.span.line, problem.span.column, problem.span.width) == (2, 10, 13)


def test_caps_of_the_defaults_mean_nothing_without_a_canary(wrong: Callable[..., Any]) -> None:
    assert not wrong("defaults: {caps: {exposed_users: 9}}\nservices: {a: {stable: http://a}}\n")

"""Health and ejection: what may be written, and what is told of mistakes."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.health import Ejection, Health, falls_back
from proxy.config.problems import Unfit


def test_what_is_left_out() -> None:
    health, ejection = Health(path="/healthz"), Ejection()
    assert (health.path, health.interval, health.timeout) == ("/healthz", 5.0, 2.0)
    assert (health.healthy_after, health.unhealthy_after) == (2, 3)
    assert (health.host, health.headers, health.expect) == ("", {}, ((200, 399),))
    assert (ejection.failures, ejection.backoff, ejection.longest) == (5, 10.0, 300.0)


def test_everything_written() -> None:
    health = Health(path="/up?deep=1", interval="1m", timeout="1m", healthy_after="1", unhealthy_after="10")
    assert (health.path, health.interval, health.timeout) == ("/up?deep=1", 60.0, 60.0)
    assert (health.healthy_after, health.unhealthy_after) == (1, 10)
    health = Health(
        path="/",
        host="App.example:81",
        headers={"Authorization": "Bearer x y"},
        expect=["401", "2xx", "300-399"],
    )
    assert (health.host, health.headers) == ("app.example:81", {"Authorization": "Bearer x y"})
    assert health.expect == ((401, 401), (200, 299), (300, 399))
    assert Health(path="/", expect="204").expect == ((204, 204),)
    assert "Bearer" not in repr(health)
    ejection = Ejection(failures="1", backoff="1s", longest="1s")
    assert (ejection.failures, ejection.backoff, ejection.longest) == (1, 1.0, 1.0)


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("health: {}", "`path` is missing from `services.checkout.health`", "`health: {path: /healthz}`"),
        ("health: on", "the single value `on` stands where a mapping", "`health: {path: /healthz}`"),
        ("health: /up", "the single value `/up` stands where a mapping", "`off` may stand here"),
        ("health: {path: up}", "`up` is not a path to ask for", "write `/up`"),
        ("health: {path: 'http://a/up'}", "is not a path to ask for", "the path alone"),
        ("health: {path: /, interval: 5}", "`5` is a number without its unit", "write `5s`"),
        ("health: {path: /, interval: 0}", "`0` is too short", "from `100ms` to `1h`"),
        ("health: {path: /, timeout: 6s}", "`6s` is longer than the interval of `5s`", "`timeout: 5s`"),
        ("health: {path: /, interval: 1s}", "`2s` is longer than the interval of `1s`", "`timeout: 1s`"),
        ("health: {path: /, healthy_after: 0}", "`0` is out of range", "from 1 to 100"),
        ("health: {path: /, unhealthy: 3}", "`unhealthy` is not a key", "did you mean `unhealthy_after`?"),
        ("health: {path: /, host: client}", "`client` is not a Host to ask for", "leave `host` out"),
        ("health: {path: /, host: 'http://a'}", "is not a Host to send", "the host alone"),
        ("health: {path: /, headers: X-A}", "`X-A` stands where a mapping", "`{X-Probe: weir}`"),
        ("health: {path: /, headers: {Host: a}}", "`Host` has a key of its own", "`host: app.example`"),
        ("health: {path: /, headers: {TE: a}}", "`TE` is about the connection", "remove it"),
        ("health: {path: /, headers: {a b: c}}", "`a b` cannot be the name of a header", "`X-Canary`"),
        ("health: {path: /, headers: {X-A: 1, x-a: 2}}", "`x-a` is the same header as `X-A`", "keep one"),
        ('health: {path: /, headers: {X-A: "a\\r\\nB: c"}}', "a character that none may carry", "printable"),
        ("health: {path: /, expect: 99}", "`99` is no status of an answer", "from 200 to 599"),
        ("health: {path: /, expect: 101}", "`101` is no status of an answer", "from 200 to 599"),
        ("health: {path: /, expect: 300-299}", "`300-299` is no status", "`200-399`"),
        ("health: {path: /, expect: []}", "this list is empty", "`2xx`"),
        ("ejection: {failures: 0}", "`0` is out of range", "from 1 to 10000"),
        ("ejection: {backoff: 10m}", "`5m` at most is shorter than `10m` to begin with", "`longest: 10m`"),
        ("ejection: {longest: 5s}", "`5s` at most is shorter than `10s` to begin with", "shorter `backoff`"),
        ("ejection: {max: 5s}", "`max` is not a key of", "`failures`, `backoff`"),
    ],
)  # fmt: skip
def test_what_is_wrong(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = of_service("stable: http://a\n" + keys)
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


@pytest.mark.parametrize(
    ("keys", "underlined"),
    [
        ("health: {path: /, timeout: 6s}", "6s"),
        ("health: {path: /, interval: 1s}", "1s"),
        ("ejection: {backoff: 10m}", "10m"),
        ("ejection: {backoff: 10m, longest: 5m}", "5m"),
    ],
)
def test_of_two_that_quarrel_the_written_one_is_underlined(
    of_service: Callable[..., Any], keys: str, underlined: str
) -> None:
    (problem,) = of_service("stable: http://a\n" + keys)
    line = "    " + keys
    start = problem.span.column - 1
    assert line[start : start + problem.span.width] == underlined


def test_a_fallback_is_one_of_two_words() -> None:
    assert (falls_back("canary"), falls_back("off")) == (True, False)
    with pytest.raises(Unfit, match="`on` is not a fallback"):
        falls_back("on")


def test_values_of_headers_are_not_shown(of_service: Callable[..., Any]) -> None:
    text = "stable: http://a\nhealth: {path: /, headers: {Authorization: 'Bearer s3cr\u00e9t'}}"
    (problem,) = of_service(text)
    assert "s3cr" not in problem.message + " ".join(problem.advice)

"""The whole file: its defaults, and what its parts say of each other."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.config.schema import Config, HostPort, Limits, Log, Pool, Shutdown, Timeouts

ONE = "services: {a: {stable: http://a}}\n"
TWO = "services: {a: {stable: http://a%s}, b: {stable: http://b%s}}\n"


def config(text: str) -> Config:
    return read(text, "f", {})


def test_defaults() -> None:
    found = config(ONE)
    assert [each.address for each in found.listen] == [HostPort("", 8080)]
    assert found.listen[0].tls == ()
    assert (found.workers, found.state) == (None, None)
    assert found.log == Log(level="info", access="off")
    assert found.timeouts == Timeouts()
    assert (found.pool, found.limits) == (Pool(), Limits())
    assert (found.trusted_proxies, found.via, found.forwarded) == ((), False, False)
    assert found.shutdown == Shutdown(delay="0s", grace="30s")


def test_everything_written() -> None:
    found = config(
        ONE + "listen: [':80', '127.0.0.1:81']\nworkers: 4\nstate: /var/weir.db\n"
        "log: {level: debug, access: json}\n"
        "timeouts: {header: 1s, body: 500ms}\nshutdown: {delay: 0, grace: 1m}\n"
        "pool: {max_idle: 8}\nlimits: {body: 1MiB}\ntrusted_proxies: [10.0.0.0/8, '::1', unix]\n"
        "via: off\nforwarded: on\n"
    )
    assert [each.address for each in found.listen] == [HostPort("", 80), HostPort("127.0.0.1", 81)]
    assert (found.workers, found.state, found.log.access) == (4, "/var/weir.db", "json")
    assert (found.timeouts.header, found.timeouts.body, found.timeouts.connect) == (1.0, 0.5, 5.0)
    assert (found.shutdown.delay, found.shutdown.grace) == (0.0, 60.0)
    assert (found.pool.max_idle, found.limits.body) == (8, 1 << 20)
    assert found.trusted_proxies == ("10.0.0.0/8", "::1/128", "unix")
    assert (found.via, found.forwarded) == (False, True)


def test_off_is_a_word_where_the_key_knows_it() -> None:
    assert config(ONE + "log: {access: off}").log.access == "off"


def test_defaults_are_filled_in_and_a_service_wins() -> None:
    found = config(
        "defaults: {weight: 5%, choice_header: X-Weir, sticky: {cookie: weir}, checks: [], upgrades: []}\n"
        "services:\n"
        "  a: {stable: http://a, canary: http://b, match: {host: a}}\n"
        "  b: {stable: http://a, canary: http://b, match: {host: b}, weight: 1%, sticky: off, "
        "choice_header: off, upgrades: [websocket, tunnel]}\n"
        "  c: {stable: http://a}\n"
    ).services
    assert [one.weight for one in found.values()] == [
        500,
        100,
        0,
    ]  # without a canary there is nothing to weigh
    assert [one.choice_header for one in found.values()] == ["X-Weir", "", "X-Weir"]
    assert [one.sticky is None for one in found.values()] == [False, True, False]
    assert found["c"].checks == ()
    assert [one.upgrades for one in found.values()] == [(), ("websocket", "tunnel"), ()]


@pytest.mark.parametrize(
    ("common", "own", "weight", "steps"),
    [
        ("rollout: {steps: [100%]}", "", 0, 1),
        ("rollout: {steps: [100%]}", "weight: 5%", 500, 0),
        ("rollout: {steps: [100%]}", "weight: 0%", 0, 0),
        ("rollout: {steps: [100%]}", "rollout: {steps: [1%, 100%]}", 0, 2),
        ("rollout: {steps: [100%]}", "rollout: off", 0, 0),
        ("weight: 5%", "rollout: {steps: [100%]}", 0, 1),
        ("weight: 5%", "rollout: off", 500, 0),
        ("weight: 5%, rollout: off", "", 500, 0),
    ],
)
def test_of_weight_and_rollout_the_one_that_a_service_writes_counts(
    common: str, own: str, weight: int, steps: int
) -> None:
    text = f"defaults: {{{common}}}\nservices: {{a: {{stable: http://a, canary: http://b, {own}}}}}"
    found = config(text).services["a"]
    assert (found.weight, len(found.rollout.steps if found.rollout else ())) == (weight, steps)


def test_without_a_canary_the_rollout_of_defaults_stays_for_one_that_is_named_at_its_start() -> None:
    (found,) = config(
        "defaults: {rollout: {steps: [100%]}}\nservices: {a: {stable: http://a}}"
    ).services.values()
    assert found.rollout is not None


def test_weight_and_rollout_in_defaults_are_told_once(wrong: Callable[..., Any]) -> None:
    services = (
        "services: {a: {stable: http://a, canary: http://b, match: {host: a}}, b: {stable: http://a}}\n"
    )
    (problem,) = wrong(services + "defaults: {weight: 5%, rollout: {steps: [100%]}}")
    assert problem.message == "`weight` and `rollout` cannot be written together"
    assert (problem.span.line, problem.span.column) == (2, 12)


@pytest.mark.parametrize(
    ("text", "line", "column", "says", "advises"),
    [
        ("listen: :80", 1, 1, "`services` is missing from the file", "`stable: http://127.0.0.1:9001`"),
        ("services: {}", 1, 1, "there are no services", "`stable: http://127.0.0.1:9001`"),
        ("services:\n", 1, 1, "there are no services", "`stable: http://127.0.0.1:9001`"),
        ("services: [a]", 1, 1, "a list stands where a mapping is expected", "a name and its service"),
        ("services: {a b: {stable: http://a}}", 1, 12, "`a b` cannot be a name", "letters, digits"),
        (ONE + "lisen: ':80'", 2, 1, "`lisen` is not a key of the file", "did you mean `listen`?"),
        (ONE + "listen: 8080", 2, 9, "a port without an address", "write `:8080`"),
        (ONE + "listen: [':80', ':80']", 2, 17, "the same port as an address above, `:80`", "another port"),
        (ONE + "listen: [':80', '[::1]:80']", 2, 17, "the same port as an address above", "another port"),
        (ONE + "listen: ':9900'", 2, 9, "the same port as the admin API, `127.0.0.1:9900`", "another port"),
        (ONE + "listen: ':80'\nadmin: {listen: 'localhost:80'}", 2, 9, "the admin API", "another port"),
        (ONE + "listen: [':80', {address: ':80'}]", 2, 27, "the same port as an address above", "another"),
        (ONE + "listen: {address: ':9900'}", 2, 19, "the same port as the admin API", "another port"),
        (
            ONE + "listen: ['unix:/run/x', 'unix:///run/x']",
            2,
            25,
            "`unix:/run/x` takes the same path as an address above, `unix:/run/x`",
            "another path",
        ),
        (ONE + "workers: 0", 2, 10, "`0` is out of range", "from 1 to 256"),
        (ONE + "workers: 257", 2, 10, "`257` is out of range", "from 1 to 256"),
        (ONE + "workers: many", 2, 10, "`many` is not a whole number", "`auto`"),
        (ONE + "log: {access: on}", 2, 15, "`on` is not an access log", "`off`, `json`"),
        (ONE + "log: {level: warn}", 2, 14, "`warn` is not a level", "did you mean `warning`?"),
        (ONE + "via: true", 2, 6, "`true` is neither `on` nor `off`", "write `on`"),
        (ONE + "forwarded: false", 2, 12, "`false` is neither `on` nor `off`", "write `off`"),
        (ONE + "trusted_proxies: unix", 2, 18, "`unix` stands where a list is expected", "`[10.0.0.0/8, "),
        (ONE + "trusted_proxies: [unix, 10.1.0.0/8]", 2, 25, "bits beyond the first 8", "`10.0.0.0/8`"),
        (ONE + "timeouts: {idle: 75}", 2, 18, "`75` is a number without its unit", "`75s`"),
        (ONE + "timeouts: {idle: 0}", 2, 18, "`0` is too short", "from `1ms` to `24h`"),
        (ONE + "state: ''", 2, 8, "an empty text cannot be the path", "weir.db"),
        (ONE + "defaults: {stable: a}", 2, 12, "`stable` cannot be a key of `defaults`", "write it there"),
        (ONE + "defaults: {match: {}}", 2, 12, "`match` cannot be a key of `defaults`", "write it there"),
        (ONE + "defaults: {wieght: 5%}", 2, 12, "`wieght` is not a key of `defaults`", "`weight`"),
        (ONE + "defaults: {weight: 0.5}", 2, 20, "`0.5` is a number without its unit", "`0.5%`"),
        (TWO % ("", ""), 1, 35, "`b` matches the same requests as `a`: every host, path `/`", "`match: {"),
        (
            TWO % (", match: {host: X.a}", ", match: {host: x.A, path: /}"),
            1, 77, "the same requests as `a`: `x.a`, path `/`", "`match: {",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong(
    wrong: Callable[..., Any], text: str, line: int, column: int, says: str, advises: str
) -> None:
    (problem,) = wrong(text)
    assert says in problem.message
    assert (problem.span.line, problem.span.column) == (line, column)
    assert any(advises in one for one in problem.advice)


def test_different_matches_are_different() -> None:
    assert len(config(TWO % (", match: {host: a}", ", match: {host: a, path: /b}")).services) == 2


def test_a_mistake_in_defaults_is_told_once_and_where_it_stands(wrong: Callable[..., Any]) -> None:
    text = "defaults: {sticky: {cokie: weir}, weight: 0.5, "
    text += "segments: [{name: a b, to: canary, match: {path: /}}]}\n"
    text += "services:\n" + "".join(
        f"  s{n}: {{stable: http://a, canary: http://b, match: {{host: h{n}}}}}\n" for n in range(5)
    )
    assert [(one.span.line, one.message.split("`")[1]) for one in wrong(text)] == [
        (1, "sticky"),
        (1, "cokie"),
        (1, "0.5"),
        (1, "a b"),
    ]


def test_a_default_segment_names_the_service_without_that_backend(wrong: Callable[..., Any]) -> None:
    (problem,) = wrong(
        "defaults: {segments: [{name: s, to: canary, match: {path: /}}]}\nservices: {a: {stable: http://a}}"
    )
    assert problem.message == "`canary` names no backend of `services.a`"
    assert (problem.span.line, problem.span.column) == (1, 37)
    assert "`segments: []`" in problem.advice[0]

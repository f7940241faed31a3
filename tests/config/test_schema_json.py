"""The JSON Schema for editors agrees with what the file's reader accepts.

The judge below knows the few keywords that the schema uses, and fails on any other.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.config.problems import Problems
from proxy.config.reader import read
from proxy.config.schema import Config
from proxy.config.schema_json import json_schema

SCHEMA = json_schema()
EXAMPLES = Path(__file__).parents[2] / "config"

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def fits(schema: Any, value: Any) -> bool:
    if isinstance(schema, bool):
        return schema
    return all(keyword(name, schema, value) for name in schema)


def keyword(name: str, schema: Any, value: Any) -> bool:
    given = schema[name]
    return bool(KEYWORDS[name](schema, given, value))


def is_type(schema: Any, given: Any, value: Any) -> bool:
    return any(TYPES[one](value) for one in ([given] if isinstance(given, str) else given))


def properties(schema: Any, given: Any, value: Any) -> bool:
    return not isinstance(value, dict) or all(
        fits(given[key], value[key]) for key in given.keys() & value.keys()
    )


def patterns(schema: Any, given: Any, value: Any) -> bool:
    pairs = value.items() if isinstance(value, dict) else ()
    return all(
        fits(one, inner) for key, inner in pairs for text, one in given.items() if re.search(text, key)
    )


def additional(schema: Any, given: Any, value: Any) -> bool:
    known, expressions = schema.get("properties", {}), schema.get("patternProperties", {})
    pairs = value.items() if isinstance(value, dict) else ()
    rest = [
        inner for key, inner in pairs if key not in known and not any(re.search(e, key) for e in expressions)
    ]
    return all(fits(given, inner) for inner in rest)


def depends(schema: Any, given: Any, value: Any) -> bool:
    return not isinstance(value, dict) or all(
        set(need) <= set(value) for key, need in given.items() if key in value
    )


def branches(schema: Any, given: Any, value: Any) -> bool:
    return fits(schema["then"] if fits(given, value) else schema["else"], value)


KEYWORDS: dict[str, Callable[[Any, Any, Any], bool]] = {
    **dict.fromkeys(
        ("$schema", "title", "description", "default", "definitions", "then", "else"), lambda *_: True
    ),
    "$ref": lambda _, given, value: fits(SCHEMA["definitions"][given.removeprefix("#/definitions/")], value),
    "type": is_type,
    "enum": lambda _, given, value: any(same(one, value) for one in given),
    "const": lambda _, given, value: same(given, value),
    "pattern": lambda _, given, value: not isinstance(value, str) or re.search(given, value),
    "minimum": lambda _, given, value: not TYPES["number"](value) or value >= given,
    "maximum": lambda _, given, value: not TYPES["number"](value) or value <= given,
    "minItems": lambda _, given, value: not isinstance(value, list) or len(value) >= given,
    "minProperties": lambda _, given, value: not isinstance(value, dict) or len(value) >= given,
    "maxProperties": lambda _, given, value: not isinstance(value, dict) or len(value) <= given,
    "required": lambda _, given, value: not isinstance(value, dict) or set(given) <= set(value),
    "items": lambda _, given, value: not isinstance(value, list) or all(fits(given, one) for one in value),
    "anyOf": lambda _, given, value: any(fits(one, value) for one in given),
    "allOf": lambda _, given, value: all(fits(one, value) for one in given),
    "oneOf": lambda _, given, value: [fits(one, value) for one in given].count(True) == 1,
    "properties": properties,
    "patternProperties": patterns,
    "additionalProperties": additional,
    "dependencies": depends,
    "if": branches,
}


class Editor(yaml.SafeLoader):
    """Reads scalars as editors do, by the core schema of YAML 1.2: `off` and `12:30` are texts."""


Editor.yaml_implicit_resolvers = {}
for tag, expression, starts in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[0-9]+$", "0123456789"),
    ("float", r"^[0-9]+\.[0-9]+$", "0123456789"),
    ("null", r"^(?:|null|~)$", ["", "n", "~"]),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(expression), list(starts))


def editor_accepts(text: str) -> bool:
    return fits(SCHEMA, yaml.load(text, Editor))


def reader_accepts(text: str) -> bool:
    try:
        read(text, "weir.yaml", {"V": "5%"})
    except Problems:
        return False
    return True


SERVICE = "services: {a: {stable: http://a, canary: http://b, %s}}"
ONE = "services: {a: {stable: http://a}}\n"
SEGMENT = SERVICE % "segments: [{name: s, to: canary, match: %s}]"


@pytest.mark.parametrize(
    "text",
    [
        *(path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))),
        "services: {a: {stable: http://a}}",
        "services: {a: {stable: [http://a, 'unix:/b']}}",
        "services: {a: {stable: {endpoints: http://a, version: 2.1}}}",
        "listen: [':80', '[::1]:81']\nworkers: 4\nservices: {a: {stable: http://a}}",
        "listen: ['unix:/run/x', {address: 'unix:/run/y'}]\nservices: {a: {stable: http://a}}",
        "listen: {address: ':80', tls: {cert: a, key: b}}\nservices: {a: {stable: http://a}}",
        "listen: [{address: ':80', tls: [{cert: a, key: b}, {cert: c, key: d}]}]\n"
        "services: {a: {stable: http://a}}",
        "services: {a: {stable: HTTPS://a, canary: 'https://[::1]:8443'}}",
        "services: {a: {stable: {endpoints: https://a, tls: {}}}}",
        "services: {a: {stable: {endpoints: [http://a, https://b], tls: {verify: false}}}}",
        "services: {a: {stable: {endpoints: https://a, "
        "tls: {ca: a, server_name: b.c, verify: true, cert: c, key: d}}}}",
        "workers: auto\ntimeouts: {idle: 1.5h}\nshutdown: {delay: 0}\nservices: {a: {stable: http://a}}",
        "defaults: {weight: 5%, sticky: off}\nservices: {a: {stable: http://a}}",
        "admin: {token: 12345}\nlog: {access: off}\nservices: {a: {stable: http://a}}",
        SERVICE % "weight: 0",
        SERVICE % "weight: 100%",
        SERVICE % "weight: 0.25 %",
        SERVICE % "weight: '${V}'",
        SERVICE % "weight: '${NOPE:-1%}'",
        SERVICE % "sticky: {cookie: weir, issue: false}",
        SERVICE % "sticky: {client_ip: true}",
        SERVICE % "sticky: off, force: off, choice_header: off",
        SERVICE % "checks: []",
        SERVICE % "checks: [{metric: error-rate, max: 5%, window: 30s, min_requests: 20}]",
        SERVICE % "checks: [{metric: latency-p99, max: 400ms}]",
        SERVICE % "analysis: {enforce: false}",
        SERVICE % "analysis: auto, guard: on, rescue: on",
        SERVICE % "analysis: off, guard: off, rescue: off, caps: {}",
        SERVICE % "analysis: {extra_errors: 0, slower: off, error_limit: off, step_up: off}",
        SERVICE % "analysis: {slower: {by: 1000%, at_least: 0}, false_rollbacks: 0.5%, error_limit: 5%}",
        SERVICE % "analysis: {step_up: {extra_errors_below: 1%, confidence: 99.99%}}",
        SERVICE % "analysis: {failures: [4xx, 503, '504', connect]}",
        SERVICE % "analysis: {extra_errors: '${V}'}",
        SERVICE % "caps: {harmed: 50, exposed_users: 2000}, sticky: {cookie: a}",
        SERVICE % "rescue: {max_body: 0, keyed: true}, halt: {drain: keep}",
        SERVICE % "rescue: {max_body: 1MiB}, halt: {drain: 0}",
        "defaults: {analysis: off, guard: off, rescue: off, halt: {drain: 1m}}\n" + ONE,
        SERVICE % "upgrades: []",
        SERVICE % "upgrades: [websocket, my-own.protocol]",
        SERVICE % "rollout: {steps: [100%]}",
        SERVICE % "weight: 5",
        SERVICE % "weight: 12.5",
        SERVICE % "rollout: {steps: [0.5%, 1, {weight: 25, hold: 1m}, 100]}",
        SERVICE
        % "rollout: {start: on-change, hold: 0, min_requests: 0, deadline: none, steps: ['${V}', 100%]}",
        SERVICE % "rollout: {steps: [{weight: 0.01%, hold: 1m, min_requests: 5}, {pause: why}, 100%]}",
        SERVICE % "rollout: off, health: off, ejection: off, fallback: off, hooks: [], notify: []",
        SERVICE % "health: {path: '/up?x=1', interval: 10s, timeout: 10s, healthy_after: 1}",
        SERVICE % "ejection: on, health: {path: /h}, fallback: canary",
        SERVICE % "ejection: {failures: 3, backoff: 1s, longest: 1m}",
        SERVICE % "hooks: [{at: before-step, url: 'https://a:81/x?y', timeout: 1s, retries: 0, secret: "
        "1234567890123456}]",
        SERVICE % "notify: ['http://a', {url: 'http://b', events: [trip], format: slack}]",
        SERVICE % "notify: [{url: '${U:-http://a}', secret: '${S:-0123456789abcdef}'}]",
        "defaults: {rollout: {steps: [100%]}, hooks: [{at: after, url: 'http://a'}]}\n" + ONE,
        ONE + "pool: {idle: 90s, max_idle: 0}",
        ONE + "limits: {line: 512B, head: 1 KiB, fields: 1, body: 2GiB, connections: 1000000}",
        ONE + "limits: {body: none, connections: auto}",
        ONE + "limits: {body: '${BODY:-1MiB}'}",
        ONE + "trusted_proxies: []",
        ONE + "trusted_proxies: [10.0.0.0/8, 192.0.2.1, '::1', '2001:db8::/32', unix]",
        ONE + "via: off\nforwarded: on\ntimeouts: {tunnel: 24h}",
        SEGMENT % "{header: {X: 1, Y: {present: true}}, path: {prefix: /a}}",
        SEGMENT % "{cookie: {a: {in: [x, 1, true]}}, query: {a b: {regex: x}}, method: GET, path: /a}",
    ],
)
def test_what_is_accepted(text: str) -> None:
    assert reader_accepts(text)
    assert editor_accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "services: [a]",
        "services: {a b: {stable: http://a}}",
        "services: {a: {canary: http://a}}",
        "services: {a: {stable: ftp://a}}",
        "services: {a: {stable: {endpoints: https://a, tls: {cert: c.pem}}}}",
        "services: {a: {stable: {endpoints: https://a, tls: {verify: maybe}}}}",
        "services: {a: {stable: {endpoints: https://a, tls: {server_name: 'https://b'}}}}",
        "services: {a: {stable: {endpoints: https://a, tls: [ca.pem]}}}",
        "listen: {tls: {cert: a, key: b}}\nservices: {a: {stable: http://a}}",
        "listen: {address: ':80', tls: []}\nservices: {a: {stable: http://a}}",
        "listen: {address: ':80', tls: {cert: a}}\nservices: {a: {stable: http://a}}",
        "listen: {address: ':80', tls: a.pem}\nservices: {a: {stable: http://a}}",
        "listen: ['unix:run/x']\nservices: {a: {stable: http://a}}",
        "services: {a: {stable: http://a/b}}",
        "services: {a: {stable: []}}",
        "services: {a: {stable: {version: v1}}}",
        "services: {a: {stable: }}",
        "lisen: ':80'\nservices: {a: {stable: http://a}}",
        "listen: 8080\nservices: {a: {stable: http://a}}",
        "listen: []\nservices: {a: {stable: http://a}}",
        "workers: 0\nservices: {a: {stable: http://a}}",
        "workers: many\nservices: {a: {stable: http://a}}",
        "timeouts: {idle: 75}\nservices: {a: {stable: http://a}}",
        "timeouts: {idle: 12:30:45}\nservices: {a: {stable: http://a}}",
        "log: {access: on}\nservices: {a: {stable: http://a}}",
        "defaults: {stable: http://a}\nservices: {a: {stable: http://a}}",
        SERVICE % "weight: 0.5",
        SERVICE % "weight: on",
        SERVICE % "weight: 101%",
        SERVICE % "weight: 0.001%",
        SERVICE % "weight: [5%]",
        SERVICE % "wieght: 5%",
        SERVICE % "sticky: {}",
        SERVICE % "sticky: {cookie: a, header: b}",
        SERVICE % "sticky: {header: a, issue: true}",
        SERVICE % "sticky: {client_ip: false}",
        SERVICE % "force: X-Canary",
        SERVICE % "checks: [{metric: p99, max: 5s}]",
        SERVICE % "checks: [{metric: error-rate, max: 400ms}]",
        SERVICE % "checks: [{metric: latency-p99, max: 5%}]",
        SERVICE % "checks: [{metric: error-rate}]",
        SERVICE % "checks: [{metric: error-rate, max: 5%, min_requests: 0}]",
        SERVICE % "analysis: {enforce: yes}",
        SERVICE % "analysis: on",
        SERVICE % "analysis: {extra_errors: 0.1}",
        SERVICE % "analysis: {extra_errors: 101%}",
        SERVICE % "analysis: {false_rollbacks: 0}",
        SERVICE % "analysis: {slower: on}",
        SERVICE % "analysis: {slower: {by: 5ms}}",
        SERVICE % "analysis: {slower: {at_least: 5}}",
        SERVICE % "analysis: {error_limit: none}",
        SERVICE % "analysis: {step_up: 95%}",
        SERVICE % "analysis: {failures: []}",
        SERVICE % "analysis: {failures: [399]}",
        SERVICE % "analysis: {failures: [refused]}",
        SERVICE % "guard: true",
        SERVICE % "caps: {harmed: 0}",
        SERVICE % "caps: {harmed: many}",
        SERVICE % "rescue: true",
        SERVICE % "rescue: {max_body: 64}",
        SERVICE % "halt: 10s",
        SERVICE % "halt: {drain: off}",
        SERVICE % "upgrades: websocket",
        SERVICE % "upgrades: [WebSocket]",
        SERVICE % "upgrades: [h2c]",
        SERVICE % "upgrades: [h2]",
        SERVICE % "upgrades: [web socket]",
        SERVICE % "rollout: {}",
        SERVICE % "rollout: [100%]",
        SERVICE % "rollout: {steps: []}",
        SERVICE % "rollout: {steps: [0.5, 100%]}",
        SERVICE % "rollout: {steps: [5, 101]}",
        SERVICE % "rollout: {steps: [{}, 100%]}",
        SERVICE % "rollout: {steps: [{pause: a, weight: 1%}, 100%]}",
        SERVICE % "rollout: {steps: [{pause: a, hold: 1m}, 100%]}",
        SERVICE % "rollout: {steps: [100%], start: auto}",
        SERVICE % "rollout: {steps: [100%], deadline: off}",
        SERVICE % "rollout: {steps: [100%], hold: 2}",
        SERVICE % "health: {}",
        SERVICE % "health: on",
        SERVICE % "health: {path: up}",
        SERVICE % "health: {path: /, healthy_after: 0}",
        SERVICE % "ejection: true",
        SERVICE % "ejection: {failures: none}",
        SERVICE % "fallback: on",
        SERVICE % "hooks: off",
        SERVICE % "hooks: [{at: after}]",
        SERVICE % "hooks: [{at: later, url: 'http://a'}]",
        SERVICE % "hooks: ['http://a']",
        SERVICE % "hooks: [{at: after, url: 'http://a b'}]",
        SERVICE % "notify: http://a",
        SERVICE % "notify: [{url: 'http://a', events: []}]",
        SERVICE % "notify: [{url: 'http://a', events: [trips]}]",
        SERVICE % "notify: ['unix:/a']",
        ONE + "pool: {max_idle: 10001}",
        ONE + "pool: {max: 3}",
        ONE + "limits: {line: 4096}",
        ONE + "limits: {head: 64kB}",
        ONE + "limits: {fields: 0}",
        ONE + "limits: {fields: none}",
        ONE + "limits: {body: auto}",
        ONE + "limits: {connections: none}",
        ONE + "trusted_proxies: 10.0.0.0/8",
        ONE + "trusted_proxies: [gateway.internal]",
        ONE + "via: true",
        ONE + "forwarded: yes",
        SEGMENT % "{}",
        SEGMENT % "{header: {}}",
        SEGMENT % "{header: {X Y: a}}",
        SEGMENT % "{header: {X: {}}}",
        SEGMENT % "{header: {X: {exact: a, in: [b]}}}",
        SEGMENT % "{header: {X: {in: []}}}",
        SEGMENT % "{header: {X: {present: false}}}",
        SEGMENT % "{path: admin}",
        SERVICE % "segments: [{name: s, to: blue, match: {path: /a}}]",
    ],
)
def test_what_is_refused(text: str) -> None:
    assert not reader_accepts(text)
    assert not editor_accepts(text)


def test_the_schema_is_draft_7_and_plain_json() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert not re.search(r'"\$defs"|"null"|"prefixItems"', json.dumps(SCHEMA))


def every_key(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for inner in schema.values():
            yield from every_key(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from every_key(inner)


def test_every_key_is_described() -> None:
    described = {key for key, schema in every_key(SCHEMA) if "description" in schema}
    assert {key for key, _ in every_key(SCHEMA)} <= described
    assert set(Config.known()) <= described


def test_defaults_are_told_as_they_are_written() -> None:
    timeouts = SCHEMA["definitions"]["Timeouts"]["properties"]
    assert {key: schema["default"] for key, schema in timeouts.items()} == {
        "header": "10s", "connect": "5s", "response": "60s", "body": "60s", "idle": "75s",
        "tunnel": "1h", "events": "1h",
    }  # fmt: skip
    written = {key: schema["default"] for key, schema in SCHEMA["properties"].items() if "default" in schema}
    assert written == {
        "listen": ":8080", "workers": "auto", "trusted_proxies": [], "via": "off", "forwarded": "off",
    }  # fmt: skip
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in written.items())
    one = "services: {a: {stable: http://a}}\n"
    assert read(text + one, "f", {}) == read(one, "f", {})

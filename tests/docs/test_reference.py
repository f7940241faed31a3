"""The reference pages: as the code gives them, and with an entry for everything that the code has.

What the code has is asked here in other ways than the generator asks it, so that what one of the two
forgets is found: the JSON Schema for keys, the source text for metrics, verbs and reasons, the router for
routes.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from docs.generator import DIRECTORY, PAGES, accesslog, endings, keys, metrics, pages, refusals, verbs
from docs.generator.markdown import Undescribed, described
from proxy.cli import VERBS
from proxy.config.schema_json import json_schema
from proxy.control.api import routes
from proxy.telemetry.accesslog import format_json
from proxy.telemetry.outcome import ENDINGS
from tests.docs.pages import ROOT

SOURCES = {path: path.read_text() for path in (ROOT / "proxy").rglob("*.py")}


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("file", PAGES)
def test_what_is_committed_is_what_the_code_gives(written: dict[str, str], file: str) -> None:
    assert (DIRECTORY / file).read_text() == written[file], "run `python -m docs.generator`"


def test_every_ending_is_in_the_table_of_endings() -> None:
    found = {attempt.ending for row in endings.ROWS for attempt in row.attempts}
    assert found == set(ENDINGS)
    assert len({row.name for row in endings.ROWS}) == len(endings.ROWS)


def test_nothing_else_is_committed_as_reference() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(PAGES)


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each key of the file, by the model that has it."""
    for model, node in {"Config": schema, **schema["definitions"]}.items():
        for form in [node, *node.get("anyOf", ())]:
            for key in form.get("properties", ()):
                yield model, key


@pytest.mark.parametrize(("model", "key"), sorted(set(properties(json_schema()))))
def test_every_config_key_has_its_row(written: dict[str, str], model: str, key: str) -> None:
    row = re.search(
        rf"^\| `{re.escape(key)}` \| (.+?) \| (.+?) \| (.+?) \| (.{{6,}}) \|$", sections(written)[model], re.M
    )
    assert row, f"{model}.{key} has no row with type, default, example and meaning"
    assert all(cell.strip() for cell in row.groups())


def sections(written: dict[str, str]) -> dict[str, str]:
    """The part of the page that is about a model, by the model's name."""
    text, found = written["config.md"], {}
    for mapped in keys.mappings():
        title = f"## {keys.title(mapped)}\n"
        begin = text.index(title)
        end = text.find("\n## ", begin)
        found[mapped.model.__name__] = text[begin : end if end > 0 else len(text)]
    found["Defaults"] += found["Service"]
    return found


def test_every_metric_has_its_row(written: dict[str, str]) -> None:
    named = {name for text in SOURCES.values() for name in re.findall(r'"(weir_[a-z_]+)"', text)}
    assert len(named) > 25
    for name in named:
        assert re.search(rf"^\| `{name}` \| \w+ \| .* \| .{{10,}} \|$", written["metrics.md"], re.M), name


def test_every_verb_has_its_section(written: dict[str, str]) -> None:
    commands = set()
    for path, text in SOURCES.items():
        if path.parent.name != "cli" or path.name == "__init__.py":
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and any(
                "click.command" in ast.unparse(each) for each in node.decorator_list
            ):
                commands.add(node.name.replace("_", "-"))
    assert commands == set(VERBS)
    for verb in commands:
        section = re.search(rf"^## `weir {verb}`\n(.*?)(?=^## |\Z)", written["cli.md"], re.M | re.S)
        assert section, verb
        assert "Exit codes: `0`" in section[1], f"{verb} has no exit codes"


def test_exit_codes_of_verbs_are_explained(written: dict[str, str]) -> None:
    for code in re.findall(r"^Exit codes: (.+)$", written["cli.md"], re.M):
        assert set(re.findall(r"`(\d+)`", code)) <= set(verbs.GENERAL)


def test_every_route_has_its_section(written: dict[str, str]) -> None:
    class Anything:
        token, open_metrics, listen = None, False, type("At", (), {"host": "127.0.0.1"})()
        overview = history = None

    app = routes.build(Anything(), Anything(), Anything())
    found = {
        f"### `{route.method} {route.resource.canonical}`"
        for route in app.router.routes()
        if route.method != "HEAD" and isinstance(route.resource, web.Resource)
    }
    assert len(found) > 15
    assert found == set(re.findall(r"^### `[A-Z]+ /.*`$", written["api.md"], re.M))


def test_every_refusal_reason_has_its_row() -> None:
    said = set()
    for path, text in SOURCES.items():
        if path.parent.name not in ("http1", "forwarding"):
            continue
        said |= set(re.findall(r'BadMessage\([^,]+, "([a-z-]+)"', text))
        said |= set(re.findall(r'turn_away\([^"\n]*\d{3}, "([a-z-]+)"', text))
        said |= set(re.findall(r'count_refusal\("([a-z-]+)"', text))
        said |= set(re.findall(r'Refusal\(head, \d+, "([a-z-]+)"', text))
    assert len(said) > 15
    assert said <= set(refusals.TEXTS)
    assert set(refusals.TEXTS) == {*refusals.REASONS, *refusals.ALSO}


def test_every_log_field_has_its_row(written: dict[str, str]) -> None:
    fields = set(re.findall(r'"(\w+)":', format_json(accesslog.SAMPLE)))
    assert fields == set(accesslog.FIELDS)
    for field in fields:
        assert f"| `{field}` | " in written["access-log.md"]


def test_every_reason_for_a_choice_has_its_row() -> None:
    said = {"sticky", "force"}  # chosen in a return statement
    for path, text in SOURCES.items():
        if path.parent.name in ("routing", "forwarding"):
            said |= set(re.findall(r'\bwhy="([a-z]+)"', text))
    assert said | {"weight", "segment:NAME"} == set(accesslog.WHYS)


def test_what_nobody_has_described_is_named() -> None:
    with pytest.raises(Undescribed, match="label 'colour' has no description"):
        described(metrics.LABELS, "colour", "label")

"""The example files are valid, and the complete one is complete."""

import re
from pathlib import Path

import pytest

from proxy.config.notices import NOTIFIED
from proxy.config.reader import decode, read
from proxy.config.schema import Config, Health, Hook, Rollout, RolloutStep
from proxy.config.schema_json import json_schema

EXAMPLES = Path(__file__).parents[2] / "config"


def example(name: str) -> Config:
    return read(decode((EXAMPLES / name).read_bytes(), name), name, {})


@pytest.mark.parametrize("name", ["weir.yaml", "minimal.yaml"])
def test_the_examples_are_valid(name: str) -> None:
    assert example(name).services["checkout"].weight == 500


def test_no_other_file_pretends_to_be_an_example() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {"weir.yaml", "minimal.yaml"}


def test_the_complete_example_has_every_key() -> None:
    text = (EXAMPLES / "weir.yaml").read_text()
    known = {
        key
        for model in json_schema()["definitions"].values()
        for form in model.get("anyOf", [model])
        for key in form.get("properties", {})
    }
    missing = {key for key in known | set(Config.known()) if not re.search(rf"\b{key}\b", text)}
    assert missing == set()


def test_what_the_complete_example_says_of_rollouts_is_true() -> None:
    service = example("weir.yaml").services["search"]
    assert service.rollout
    first = {"weight": "1%", "hold": "10m", "min_requests": "500"}
    assert service.rollout == Rollout(steps=[first, "5%", {"pause": "ask the on-call"}, "25%", "100%"])
    assert service.rollout.steps[1] == RolloutStep(weight="5%")
    assert service.hooks == (Hook(at="before-promotion", url="https://ci.example/may-promote"),)
    assert "default: " + ", ".join(NOTIFIED) in (EXAMPLES / "weir.yaml").read_text()


def test_what_the_complete_example_says_of_defaults_is_true() -> None:
    complete, minimal = example("weir.yaml"), example("minimal.yaml")
    assert complete.timeouts == minimal.timeouts
    assert complete.pool == minimal.pool
    assert complete.limits == minimal.limits
    assert (complete.via, complete.forwarded) == (minimal.via, minimal.forwarded)
    assert complete.services["site"].upgrades == minimal.services["checkout"].upgrades
    ours, theirs = complete.services["checkout"], minimal.services["checkout"]
    assert ours.analysis
    assert ours.analysis.model_copy(update={"error_limit": None}) == theirs.analysis
    assert (ours.guard, ours.rescue, ours.halt) == (theirs.guard, theirs.rescue, theirs.halt)
    assert (ours.ejection, ours.fallback) == (theirs.ejection, theirs.fallback)
    assert ours.health
    assert ours.health.model_copy(update={"host": "", "headers": {}}) == Health(path="/healthz")
    assert complete.shutdown == minimal.shutdown
    assert complete.workers == minimal.workers
    assert complete.admin == minimal.admin
    assert complete.log.level == minimal.log.level

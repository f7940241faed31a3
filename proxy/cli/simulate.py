"""`weir simulate`: a service's policy before traffic that never was."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from proxy.analysis.policy import Policy
from proxy.cli.configfile import DEFAULT, load_or_exit, refuse
from proxy.cli.trial import Tried
from proxy.config import units
from proxy.config.problems import Unfit
from proxy.config.schema import Config
from proxy.control.policy import policy
from proxy.simulation.run import run
from proxy.simulation.scenario import GOOD, Crowd, Scenario
from proxy.simulation.scenarios import SCENARIOS
from proxy.simulation.summary import Summary, summary

LONGEST = 1e7
"""Seconds: what nobody waits for."""
USERS = 1000
"""Who ask a sticky service when the scenario names no users: without any, no user's coin could be tossed."""


def as_share(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    """5% or 0.25% as a part of 1; None for none given."""
    return None if text is None else _number(text, units.percent) / units.WHOLE


def as_seconds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    """50ms or 3h in seconds; None for none given."""
    return None if text is None else _number(text, _duration)


def _duration(text: str) -> float:
    return units.duration(text, 0, LONGEST)


def _number(text: str, read: Callable[[str], float]) -> float:
    """What an option says; BadParameter tells what is wrong and how to write it."""
    try:
        return read(text)
    except Unfit as unfit:
        raise click.BadParameter(f"{unfit}; {unfit.advice}") from None


def _list(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """The scenarios that have a name, and the end."""
    if not asked:
        return
    width = max(map(len, SCENARIOS))
    for name, named in SCENARIOS.items():
        click.echo(f"{name:<{width}}  {named.line}")
    context.exit()


def _share(name: str, words: str) -> Callable[[Any], Any]:
    return click.option(name, callback=as_share, metavar="PERCENT", help=words)


def _time(name: str, words: str, default: str | None = None) -> Callable[[Any], Any]:
    return click.option(name, callback=as_seconds, metavar="DURATION", help=words, default=default)


def _factor(name: str, words: str, least: float, most: float) -> Callable[[Any], Any]:
    return click.option(name, type=click.FloatRange(least, most), metavar="NUMBER", help=words)


@click.command()
@click.option("--policy", "source", default=DEFAULT, metavar="FILE", help="The config file (./weir.yaml).")
@click.option("--service", metavar="NAME", help="Whose policy; not needed where there is one service.")
@click.option("--scenario", default="dead", metavar="NAME|FILE", help="A name of --list, or a YAML file.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List scenarios."
)
@_factor("--rate", "Requests a second.", 0.01, 1e6)
@_share("--weight", "The canary's share, such as 5%.")
@_time("--latency", "Stable's median time to the response head, such as 50ms.")
@_factor("--spread", "Of all times: 0.5 makes p99 3.2 times the median.", 0, 3)
@_share("--stable-errors", "The share of stable's requests that fail.")
@_share("--canary-errors", "The share of the canary's, once it is bad.")
@_factor("--slow-down", "How many times longer it takes then.", 0.001, 1000)
@_share("--hang", "The share of its requests that are never answered then.")
@_time("--onset", "How long it is good before.")
@_time("--lasts", "How long a run goes on from then at most.")
@_time("--good-for", "How long a good canary is watched (10m; 0s: not at all).", "10m")
@click.option("--runs", type=click.IntRange(1, 100_000), default=100, help="How many of each (100).")
@click.option("--seed", type=int, default=1, help="The same seed, the same runs (1).")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def simulate(
    source: str,
    service: str | None,
    scenario: str,
    good_for: float,
    runs: int,
    seed: int,
    as_json: bool,
    **changes: float | None,
) -> None:
    """Try a service's policy on made traffic: how soon is a bad canary out, and how often a good one?

    The judge is the real one; the traffic is a scenario (--list), changed by the options. A FILE has the same
    names as `--json` shows under `scenario`, with numbers or with units (`5%`, `50ms`). Changes nothing.
    """
    name, judged_by = _policy(load_or_exit(source)[1], source, service)
    played = _with_users(_changed(_scenario(scenario), changes), judged_by)
    watched = played.lasts if played.good else good_for
    tried = Tried(
        f"{name} by {source}, scenario {scenario}",
        played,
        seed,
        bad=None if played.good else _played(judged_by, played, runs, f"{seed}"),
        good=_played(judged_by, _made_good(played, watched), runs, f"{seed} good") if watched else None,
        watched=watched,
    )
    click.echo(json.dumps(tried.to_json(), indent=2) if as_json else tried.text())


def _policy(config: Config, source: str, service: str | None) -> tuple[str, Policy]:
    """The name and the policy of a service of the file; exits when it has none such."""
    names = [*config.services]
    if service is None and len(names) > 1:
        refuse(f"{source} has {len(names)} services; say which with --service: {', '.join(names)}")
    name = service if service is not None else names[0]
    if name not in config.services:
        refuse(f"{source} has no service `{name}`; there are {', '.join(names)}")
    if config.services[name].canary is None:
        refuse(
            f"service `{name}` in {source} has no canary, so there is nothing to judge; write `canary: URL`"
        )
    return name, policy(config.services[name])


def _scenario(name: str) -> Scenario:
    """A scenario by its name or from a file; exits when it is neither or says what can't be."""
    if name in SCENARIOS:
        return SCENARIOS[name].scenario
    path = Path(name)
    if not path.exists():
        refuse(f"`{name}` is neither a scenario nor a file; scenarios are {', '.join(SCENARIOS)}")
    try:
        return Scenario.from_json(_plain(yaml.safe_load(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, yaml.YAMLError, Unfit) as error:
        refuse(f"{name}: error: {error}")


def _plain(value: Any) -> Any:
    """Shares and durations with their units as numbers, wherever in the file."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    return units.percent(value) / units.WHOLE if value.endswith("%") else _duration(value)


def _changed(scenario: Scenario, changes: Mapping[str, float | None]) -> Scenario:
    """The scenario with what the options say; those not given are None."""
    given = {name: value for name, value in changes.items() if value is not None}
    of_stable = {"latency": "median", "spread": "spread", "stable_errors": "errors"}
    of_canary = {"canary_errors": "errors", "slow_down": "times", "hang": "hang"}
    whole: dict[str, Any] = {
        name: value for name, value in given.items() if name not in {**of_stable, **of_canary}
    }
    try:
        return replace(
            scenario,
            stable=replace(
                scenario.stable, **{of_stable[name]: given[name] for name in of_stable.keys() & given}
            ),
            canary=replace(
                scenario.canary, **{of_canary[name]: given[name] for name in of_canary.keys() & given}
            ),
            **whole,
        )
    except ValueError as error:
        raise click.UsageError(f"{error}") from None


def _with_users(scenario: Scenario, judged_by: Policy) -> Scenario:
    """Users where the service keeps them on one side."""
    if judged_by.sticky and scenario.crowd is None:
        return replace(scenario, crowd=Crowd(USERS))
    return scenario


def _made_good(scenario: Scenario, lasts: float) -> Scenario:
    """The same traffic before a canary that is as good as stable."""
    return replace(scenario, canary=GOOD, onset=0.0, lasts=lasts)


def _played(judged_by: Policy, scenario: Scenario, runs: int, seed: str) -> Summary:
    """So many runs, each with a chance of its own."""
    return summary([run(judged_by, scenario, random.Random(f"{seed} {number}")) for number in range(runs)])

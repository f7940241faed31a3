"""The verb `weir simulate`, which tests a service's policy on simulated traffic."""

import json
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from proxy.analysis.policy import Policy
from proxy.cli.configfile import DEFAULT, load_or_exit, refuse
from proxy.cli.params import Whole
from proxy.cli.run_progress import RunProgress
from proxy.cli.trial import MEANING, Trial
from proxy.config import units
from proxy.config.problems import Unfit
from proxy.config.schema import Config, Service
from proxy.counted import counted
from proxy.settings.policy import policy
from proxy.simulation.run import RunResult, run
from proxy.simulation.scenario import GOOD, Population, Scenario
from proxy.simulation.scenarios import SCENARIOS
from proxy.simulation.summary import Summary, summary

LONGEST = 2_000 * 3600.0
"""Seconds of any time, at most."""
SHORTEST = 0.01
"""Seconds of a run, at least."""
GOOD_FOR = 600.0
"""Seconds for which a good canary is judged beside a bad one."""
USERS = 1000
"""Users of a sticky service in a scenario without users: its coin is tossed for users."""


def as_share(_context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Return 5% or 0.25% as a part of 1, a weight also without its unit; None: not given."""
    read = units.weight if parameter.name == "weight" else units.percent
    return None if text is None else _number(text, read) / units.WHOLE


def _duration(text: str, least: float = 0.0, most: float = LONGEST) -> float:
    return units.duration(text, least, most)


def _number(text: str, read: Callable[[str], float]) -> float:
    """Return the value of an option; raise BadParameter with the error and the correct syntax."""
    try:
        return read(text)
    except Unfit as unfit:
        raise click.BadParameter(f"{unfit}; {unfit.advice}") from None


def _list(context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    """Print the named scenarios and end."""
    if not given:
        return
    width = max(map(len, SCENARIOS))
    for name, named in SCENARIOS.items():
        click.echo(f"{name:<{width}}  {named.line}")
    context.exit()


def _share(name: str, words: str) -> Callable[[Any], Any]:
    return click.option(name, callback=as_share, metavar="PERCENT", help=words)


def _time(name: str, words: str, least: float = 0.0, most: float = LONGEST) -> Callable[[Any], Any]:
    def as_seconds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
        return None if text is None else _number(text, lambda text: _duration(text, least, most))

    return click.option(name, callback=as_seconds, metavar="DURATION", help=words)


def _factor(name: str, words: str, least: float, most: float) -> Callable[[Any], Any]:
    return click.option(name, type=click.FloatRange(least, most), metavar="NUMBER", help=words)


@click.command()
@click.option("--policy", "source", default=DEFAULT, metavar="FILE", help="The config file (./weir.yaml).")
@click.option("--service", metavar="NAME", help="The service; needed only when the file has several.")
@click.option("--scenario", default="dead", metavar="NAME|FILE", help="A name from --list, or a YAML file.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List scenarios."
)
@_factor("--rate", "Requests a second.", 0.01, 1e6)
@_share("--weight", "The canary's share, such as 5% (by default that of the file, unless 0).")
@_time("--latency", "Stable's median time to the response head, such as 50ms.", 1e-4, 60)
@_factor("--spread", "The spread of all times: 0.5 makes p99 3.2 times the median.", 0, 3)
@_share("--stable-errors", "The share of stable's requests that fail.")
@_share("--canary-errors", "The share of the canary's requests that fail, once it is bad.")
@_factor("--slow-down", "How many times as long its answers take then.", 0.001, 1000)
@_share("--hang", "The share of its requests without an answer then.")
@_time("--onset", "How long the canary is good at first.")
@_time("--lasts", "How long a run goes on after that, at most.", SHORTEST)
@_time(
    "--good-for", "How long a good canary is judged (10m; in a good scenario: its own time; 0s: not at all)."
)
@click.option(
    "--runs", type=Whole(1, 100_000), metavar="N", default=100, help="How many runs of each kind (100)."
)
@click.option("--seed", type=int, default=1, help="The seed: the same one gives the same runs (1).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def simulate(
    source: str,
    service: str | None,
    scenario: str,
    good_for: float | None,
    runs: int,
    seed: int,
    as_json: bool,
    **changes: float | None,
) -> None:
    """Test a service's policy on simulated traffic: how soon is a bad canary out, and how often a good one?

    The judge is the real one. The traffic is a scenario (--list), changed by the options. A FILE has the keys
    that `--json` prints under `scenario`, as numbers or with units (`5%`, `50ms`).

    Exit codes: 0 done, 2 usage or config.
    """
    name, of_file = _service(load_or_exit(source)[1], source, service)
    judge_policy, (made, weighs) = policy(of_file), _scenario(scenario)
    what = f"{name} by {source}, scenario {scenario}"
    if not weighs and changes["weight"] is None:
        if of_file.weight:
            made = replace(made, weight=of_file.weight / units.WHOLE)
        else:
            what += " (weight 0 % in the file, so the scenario's is used)"
    changed = _with_users(_changed(made, changes), judge_policy)
    watched = _good_seconds(changed, good_for)
    trial = Trial(what, changed, seed, bad=None, good=None, watched=watched)
    show = _silent if as_json else _say
    show([trial.heading()])
    if not changed.good:
        trial = replace(trial, bad=_run(judge_policy, changed, runs, f"{seed}", "bad"))
        show(trial.on_bad())
    if watched:
        good = _made_good(changed, watched)
        trial = replace(trial, good=_run(judge_policy, good, runs, f"{seed} good", "good"))
        show(trial.on_good())
    show(["", MEANING])
    if as_json:
        click.echo(json.dumps(trial.to_json(), indent=2))


def _say(lines: Iterable[str]) -> None:
    """Print lines as soon as they are known: the runs that follow may take minutes."""
    for line in lines:
        click.echo(line)


def _silent(lines: Iterable[str]) -> None:
    """Print nothing: JSON is printed whole."""


def _good_seconds(changed: Scenario, good_for: float | None) -> float:
    """Return the seconds for which a good canary is judged; raise BadParameter when that is too short."""
    if good_for is None:
        return changed.lasts if changed.good else GOOD_FOR
    if good_for < SHORTEST and (good_for or changed.good):
        raise click.BadParameter(
            f"{good_for:g} s is too short; write a time such as `10m`", param_hint="--good-for"
        )
    return good_for


def _service(config: Config, source: str, service: str | None) -> tuple[str, Service]:
    """Return a service of the file and its name; exit with 2 when there is none to judge."""
    names = [*config.services]
    if service is None and len(names) > 1:
        refuse(
            f"{source} has {counted(len(names), 'service')}; choose one with --service: {', '.join(names)}"
        )
    name = service if service is not None else names[0]
    if name not in config.services:
        refuse(f"{source} has no service `{name}`; there are {', '.join(names)}")
    if config.services[name].canary is None:
        refuse(
            f"service `{name}` in {source} has no canary, so there is nothing to judge; write `canary: URL`"
        )
    return name, config.services[name]


def _scenario(name: str) -> tuple[Scenario, bool]:
    """Return a scenario by its name or from a file, and whether it has a weight; exit with 2 on an error."""
    if name in SCENARIOS:
        found = SCENARIOS[name].scenario
        return found, found.weight != Scenario().weight
    path = Path(name)
    if not path.exists():
        refuse(f"`{name}` is neither a scenario nor a file; scenarios are {', '.join(SCENARIOS)}")
    try:
        data = _as_numbers(yaml.safe_load(path.read_text(encoding="utf-8")))
        return Scenario.from_json(data), "weight" in data
    except (OSError, ValueError, yaml.YAMLError, Unfit) as error:
        refuse(f"{name}: error: {error}")


def _as_numbers(value: Any) -> Any:
    """Return a value of a file with all its shares and durations as numbers."""
    if isinstance(value, Mapping):
        return {key: _as_numbers(each) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    return units.percent(value) / units.WHOLE if value.endswith("%") else _duration(value)


def _changed(scenario: Scenario, changes: Mapping[str, float | None]) -> Scenario:
    """Return the scenario with the values of the given options."""
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


def _with_users(scenario: Scenario, judge_policy: Policy) -> Scenario:
    """Return the scenario with users, when the service is sticky and the scenario has none."""
    if judge_policy.sticky and scenario.crowd is None:
        return replace(scenario, crowd=Population(USERS))
    return scenario


def _made_good(scenario: Scenario, lasts: float) -> Scenario:
    """Return the same traffic with a canary that is as good as stable."""
    return replace(scenario, canary=GOOD, onset=0.0, lasts=lasts)


def _run(judge_policy: Policy, scenario: Scenario, runs: int, seed: str, canary: str) -> Summary:
    """Run a scenario `runs` times, each with a seed of its own, and summarise."""
    progress = RunProgress(canary, runs, sys.stderr)
    results: list[RunResult] = []
    progress.show(results)
    for number in range(runs):
        results.append(run(judge_policy, scenario, random.Random(f"{seed} {number}")))
        progress.show(results)
    progress.end()
    return summary(results)

"""The deployment: its config file is one that the proxy accepts, and a taken port is tried around."""

import signal
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proxy.config.reader import read
from proxy.demo import deployment
from proxy.demo.admin_api import AdminApi
from proxy.demo.processes import LifelineProcess, ProcessEnded
from proxy.demo.story import HALFWAY

SAMPLES = {version: f"http://127.0.0.1:{port}" for version, port in (("v1", 1), ("v2", 2), ("v3", 3))}


def test_the_config_is_valid_and_writes_no_checks() -> None:
    config = read(deployment.config_text(8080, 9900, SAMPLES, 1.5), "weir.yaml", {})
    assert (config.listen[0].address.port, config.admin.listen.port) == (8080, 9900)
    assert list(config.services) == ["shop", "search"]
    assert [service.checks for service in config.services.values()] == [(), ()]
    assert [service.weight for service in config.services.values()] == [0, 0]


def test_the_step_in_which_v3_turns_bad_outlasts_the_verdict() -> None:
    rollout = (
        read(deployment.config_text(8080, 9900, SAMPLES, 0.5), "weir.yaml", {}).services["search"].rollout
    )
    assert rollout is not None
    assert [step.hold for step in rollout.steps][HALFWAY - 1] == 0.5 * deployment.HALFWAY_HOLDS
    assert len(rollout.steps) > HALFWAY, "it is on its way, and not at its end"


def test_the_version_that_is_made_to_fail_gets_the_signal_and_no_other() -> None:
    signals: list[tuple[str, int]] = []

    def child(version: str) -> LifelineProcess:
        process = SimpleNamespace(send_signal=lambda signum: signals.append((version, signum)))
        return cast(LifelineProcess, SimpleNamespace(name=f"sample {version}", process=process))

    children = tuple(child(version) for version in SAMPLES)
    deployment.Deployment("", AdminApi("http://127.0.0.1:9900"), SAMPLES, Path(), children).start_failing(
        "v3"
    )
    assert signals == [("v3", signal.SIGUSR1)]


@pytest.mark.parametrize(
    ("failures", "starts"), [(0, True), (deployment.STARTS - 1, True), (deployment.STARTS, False)]
)
def test_a_proxy_that_does_not_start_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failures: int, starts: bool
) -> None:
    attempts: list[int] = []
    made = deployment.Deployment(
        "http://127.0.0.1:8080", AdminApi("http://127.0.0.1:9900"), SAMPLES, tmp_path, ()
    )

    def attempt(samples: Any, directory: Path, hold: float) -> deployment.Deployment:
        attempts.append(1)
        if len(attempts) <= failures:
            raise ProcessEnded("the proxy ended with exit code 1: port in use")
        return made

    monkeypatch.setattr(deployment, "try_proxy", attempt)
    outcome = None
    with suppress(ProcessEnded):
        outcome = deployment.start_proxy(SAMPLES, tmp_path, 1.0)
    assert outcome is (made if starts else None)
    assert len(attempts) == min(failures + 1, deployment.STARTS)

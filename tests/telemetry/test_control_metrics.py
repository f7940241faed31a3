from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from proxy.telemetry.control_metrics import Operations, families


class Collector:
    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    def collect(self) -> Iterator[Any]:
        return families(self.operations)


def exposed(operations: Operations) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Collector(operations))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_before_anything_happened() -> None:
    assert exposed(Operations()) == [
        "weir_config_last_reload_successful 1.0",
        "weir_config_last_reload_timestamp_seconds 0.0",
    ]


def test_all_of_it() -> None:
    made = Operations(
        hooks={("shop", "before-step", "open"): 2},
        notices={("shop", "failed"): 1},
        endpoints={("shop", "canary", "http://b"): False, ("shop", "stable", "http://a"): True},
        reloaded=False,
        reloaded_at=1_700_000_000.5,
    )
    assert exposed(made) == [
        'weir_hooks_total{at="before-step",result="open",service="shop"} 2.0',
        'weir_notices_total{result="failed",service="shop"} 1.0',
        'weir_endpoint_up{backend="canary",endpoint="http://b",service="shop"} 0.0',
        'weir_endpoint_up{backend="stable",endpoint="http://a",service="shop"} 1.0',
        "weir_config_last_reload_successful 0.0",
        "weir_config_last_reload_timestamp_seconds 1.7000000005e+09",
    ]

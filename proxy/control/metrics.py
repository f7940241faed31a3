"""GET /metrics: the merged tallies in Prometheus' text format, collected anew for every scrape.

No registry lives longer than a scrape and none is global: the numbers belong to control, and what
prometheus-client does here is to write them down.
"""

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from proxy.telemetry.exposition import Snapshot, families

# What generate_latest writes; its own constant for this has changed name and meaning between releases.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Source(Protocol):
    """Where the numbers come from."""

    async def snapshot(self) -> Snapshot: ...


class Scrape(Collector):
    """A collector of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        """The metric families of the snapshot."""
        return families(self._snapshot)


async def scrape(source: Source) -> web.Response:
    """The answer to one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Scrape(await source.snapshot()))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE})

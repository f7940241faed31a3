"""GET /metrics: the merged tallies in Prometheus' text format, collected anew for every scrape.

No registry lives longer than a scrape and none is global: the numbers belong to control, and what
prometheus-client does here is to write them down. For 1,000 services that takes it half a second, so it is
given a few of them at a time, and what it wrote is put together by families.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from proxy.control.schedule import in_turns
from proxy.telemetry.exposition import Snapshot, families
from proxy.telemetry.slices import sliced

# What generate_latest writes; its own constant for this has changed name and meaning between releases.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


SERVICES = 2
"""Services that are written in one turn of the loop, 1 to 2 ms: a verdict needs several turns."""


class SnapshotSource(Protocol):
    """The source of the numbers."""

    async def snapshot(self) -> Snapshot: ...


class Scrape(Collector):
    """A collector of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        """Return the metric families of the snapshot."""
        return families(self._snapshot)


async def scrape(source: SnapshotSource) -> web.Response:
    """Return the answer to one scrape."""
    families: dict[bytes, list[bytes]] = {}
    async for part in in_turns(sliced(await source.snapshot(), SERVICES), at_once=1):
        for head, samples in _families(written(part)):
            family = families.setdefault(head, [])
            if samples not in family:  # what is no service's own is in every slice
                family.append(samples)
    return web.Response(body=_one_by_one(families), headers={"Content-Type": CONTENT_TYPE})


async def _one_by_one(families: dict[bytes, list[bytes]]) -> AsyncIterator[bytes]:
    """Yield each family, and free it as it is sent: 10 MB at once are another 20 ms."""
    for head in list(families):
        yield b"".join((head, *families.pop(head)))


def written(snapshot: Snapshot) -> bytes:
    """Return a snapshot as text, in one go."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Scrape(snapshot))
    return generate_latest(registry)


def _families(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the families of a text: the two lines that head one, and its samples. No value has a line end."""
    for family in (b"\n" + text).split(b"\n# HELP ")[1:]:
        name, kind, samples = (family.removesuffix(b"\n") + b"\n").split(b"\n", 2)
        yield b"# HELP " + name + b"\n" + kind + b"\n", samples

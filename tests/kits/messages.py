"""Messages between a worker and control: those that tests vary, and examples of every kind."""

from dataclasses import replace

from proxy.link.messages import (
    Ack,
    DeadAddresses,
    Hello,
    Message,
    Report,
    ReportStored,
    ResolvedNames,
    Settings,
    Table,
    ThresholdUpdate,
)
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, Service
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Outcome

SETTINGS = Settings(
    header=10.0,
    idle=75.0,
    access="off",
    line=16_384,
    head=65_536,
    fields=200,
    connections=None,
    pool_idle=60.0,
    max_idle=64,
    pool_age=61.0,
    trusted=(),
    via=True,
    forwarded=False,
)

HELLO = Hello("b00t", 1, 4711, held={"checkout": 7, "": 1}, halted={"checkout": ("canary",)})

SERVICE = Service(
    name="checkout",
    revision=7,
    match=RouteMatch(host="shop.example", path="/pay"),
    backends=(
        Backend("stable", (Endpoint.parse("http://127.0.0.1:9001"),)),
        Backend("canary", (Endpoint.parse("unix:/run/v2.sock"),), version="v2"),
    ),
    split=Split((("canary", 500),)),
    halted=frozenset({"canary"}),
)

COUNTS = Counts()
COUNTS.record(
    Outcome(
        key=("checkout", 7, "canary"),
        method="GET",
        status=502,
        ending="connect",
        result="failure",
        drawn=True,
        head_seconds=None,
        total_seconds=0.3,
    )
)

EXAMPLES: list[Message] = [
    HELLO,
    Hello("b00t", 0, 1, held={}, halted={"kassa-ä": ("canary",)}),
    Report("b00t", 3, {("checkout", 7, "canary"): COUNTS, ("checkout", 6, "stable"): Counts()}, held=12),
    Report("b00t", 4, {}, held=12),
    Report("b00t", 5, {}, held=12, ejected=("http://127.0.0.1:9001",)),
    Ack(12),
    Table(12, (SERVICE, replace(SERVICE, name="kassa-ä")), removed=("old",), complete=False),
    Table(13, (), removed=(), complete=True),
    Table(14, (SERVICE,), removed=(), complete=False, more=True),
    SETTINGS,
    replace(SETTINGS, idle=0.5, access="json", connections=4000),
    replace(SETTINGS, trusted=("10.0.0.0/8", "unix"), via=False, forwarded=True),
    ThresholdUpdate({"checkout": {"stable": (0.01, 0.1, 1.5), "canary": (0.015,)}, "idle": {}}),
    ResolvedNames({"app.test": ("192.0.2.1", "2001:db8::1"), "gone.test": ()}),
    DeadAddresses(
        {"checkout": frozenset({("http://a:1", "192.0.2.1"), ("unix:/b", "")}), "idle": frozenset()}
    ),
    ReportStored(3),
]
"""What a link must carry; no two fields of a kind have the same value in all of its examples."""

"""The whole file: where to listen, how the processes behave, and the services."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from proxy import defaults
from proxy.config import addresses, names
from proxy.config.addresses import HostPort, SocketPath
from proxy.config.admin import Admin, exposure
from proxy.config.analysis import Analysis, Caps, Check, Slower, StepUp
from proxy.config.backend import Backend
from proxy.config.connections import Limits, Pool, Resolver, ServiceTimeouts, Timeouts
from proxy.config.health import Ejection, Health
from proxy.config.notices import Hook, Notify
from proxy.config.problems import Unfit, quoted
from proxy.config.rescue import Halt, Rescue
from proxy.config.rollout import Rollout, RolloutStep
from proxy.config.section import Quarrel, Section
from proxy.config.segment import Condition, Segment
from proxy.config.service import Defaults, Force, Match, Service
from proxy.config.sticky import Sticky
from proxy.config.tls import Listener, Pair, Trust
from proxy.config.units import as_seconds, as_switch
from proxy.config.values import (
    File,
    Items,
    Name,
    NamedItems,
    Switch,
    Trusted,
    attempt,
    duration,
    key,
    or_word,
    whole,
    words,
)

__all__ = [
    "Admin",
    "Analysis",
    "Backend",
    "Caps",
    "Check",
    "Condition",
    "Config",
    "Defaults",
    "Ejection",
    "Force",
    "Halt",
    "Health",
    "Hook",
    "HostPort",
    "Limits",
    "Listener",
    "Log",
    "Match",
    "Notify",
    "Pair",
    "Pool",
    "Rescue",
    "Resolver",
    "Rollout",
    "RolloutStep",
    "Segment",
    "Service",
    "ServiceTimeouts",
    "Shutdown",
    "Slower",
    "SocketPath",
    "StepUp",
    "Sticky",
    "Timeouts",
    "Trust",
    "exposure",
]

DEFAULT_LISTEN = ":8080"
MOST_WORKERS = 256

Level = Literal["debug", "info", "warning", "error"]
Access = Literal["off", "json", "combined", "common"]

_DAY = 86_400


class Log(Section):
    """What is written to standard error and standard output."""

    level: Annotated[Level, words("debug", "info", "warning", "error", what="a level")] = key(
        "how much the processes log", default="info", written=str
    )
    access: Annotated[Access, words("off", "json", "combined", "common", what="an access log")] = key(
        "one line for each request", default="off", written=str
    )


_Pause = Annotated[float, duration(0, _DAY)]


class Shutdown(Section):
    """How the end goes, in seconds."""

    delay: _Pause = key("between 503 on /readyz and closing the listeners", default=0.0, written=as_seconds)
    grace: _Pause = key("for the requests in flight", default=30.0, written=as_seconds)


class Config(Section):
    """The content of the file."""

    needs: ClassVar[Mapping[str, str]] = {
        "services": "write `services:` and under it a name with its `stable: http://127.0.0.1:9001`"
    }

    listen: Annotated[
        tuple[Listener, ...], Items("an address such as `:8080`, or a list of them", one=True, mapped=True)
    ] = key(
        "where clients connect",
        default=(Listener.model_validate(DEFAULT_LISTEN),),
        written=DEFAULT_LISTEN,
    )
    workers: Annotated[int | None, or_word("auto", whole(1, MOST_WORKERS))] = key(
        "processes that carry traffic; `auto`: one for each processor", default=None, written="auto"
    )
    admin: Admin = key("control API and metrics", default=Admin())
    state: File | None = key("the file of the ledger; left out: weir.db beside the config file", default=None)
    log: Log = key("what is logged", default=Log())
    timeouts: Timeouts = key("how long to wait", default=Timeouts())
    pool: Pool = key("connections to endpoints that are kept", default=Pool())
    resolver: Resolver = key("how the names of endpoints are resolved", default=Resolver())
    limits: Limits = key("how much is taken from a peer", default=Limits())
    trusted_proxies: Annotated[tuple[Trusted, ...], Items("a list such as `[10.0.0.0/8, unix]`")] = key(
        "whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` are kept: networks, addresses, or `unix`",
        default=(),
        written=list,
    )
    via: Switch = key(
        "on: add `Via` to requests; nginx compresses no answer to such ones", default=False, written=as_switch
    )
    forwarded: Switch = key("on: add `Forwarded` (RFC 7239) to requests", default=False, written=as_switch)
    shutdown: Shutdown = key("how the end goes", default=Shutdown())
    defaults: Defaults = key("keys for all services; what a service writes itself wins", default=Defaults())
    services: Annotated[dict[Name, Service], NamedItems("a name and its service")] = key(
        "what clients ask for"
    )

    @classmethod
    def shaped(cls, raw: object) -> object:
        """Fill `defaults` into the services. A canary's share means nothing to a service without one.

        Of `weight` and `rollout` the one that a service writes drops the other of `defaults`.
        """
        if not isinstance(raw, dict) or not isinstance(raw.get("services"), dict):
            return raw
        written = raw.get("defaults")
        common = written if isinstance(written, dict) else {}
        services = {name: _filled(service, common) for name, service in raw["services"].items()}
        return {**raw, "services": services}

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        if raw.get("services") == {}:
            yield ("services",), Unfit("there are no services", cls.needs["services"], on="key")
        yield from _same_addresses(raw)
        if isinstance(raw.get("services"), dict):
            yield from _same_matches(raw["services"])


def _filled(service: object, common: Mapping[str, Any]) -> object:
    if not isinstance(service, dict):
        return service
    shared = {key: value for key, value in common.items() if key in Defaults.known()}
    if "canary" not in service or service.get("rollout", "off") != "off":
        shared.pop("weight", None)
    if "weight" in service:
        shared.pop("rollout", None)
    return shared | service


def _same_addresses(raw: Mapping[str, Any]) -> Iterator[Quarrel]:
    admin = raw.get("admin")
    text = admin.get("listen", defaults.ADMIN_ADDRESS) if isinstance(admin, dict) else defaults.ADMIN_ADDRESS
    control = attempt(addresses.address, text)
    seen: list[HostPort | SocketPath] = []
    for index, address in _listens(raw.get("listen", DEFAULT_LISTEN)):
        others = [(other, "an address above,") for other in seen if address.clashes(other)]
        if control is not None and address.clashes(control):
            others.append((control, "the admin API,"))
        for other, what in others:
            where = "path" if isinstance(address, SocketPath) else "port"
            message = f"{quoted(str(address))} takes the same {where} as {what} {quoted(str(other))}"
            yield ("listen", *index), Unfit(message, f"give one of the two another {where}")
        seen.append(address)


def _listens(raw: object) -> Iterator[tuple[tuple[int | str, ...], HostPort | SocketPath]]:
    """Yield the addresses that are well written, each with its place below `listen`."""
    for index, item in enumerate(raw if isinstance(raw, list) else [raw]):
        within: tuple[int | str, ...] = (index,) if isinstance(raw, list) else ()
        if isinstance(item, dict):
            item, within = item.get("address"), (*within, "address")
        address = attempt(addresses.listening, item)
        if address is not None:
            yield within, address


def _same_matches(services: Mapping[str, Any]) -> Iterator[Quarrel]:
    seen: dict[tuple[str, str], str] = {}
    for name, service in services.items():
        match = _match(service.get("match", {})) if isinstance(service, dict) else None
        if match is None:
            continue
        first = seen.setdefault(match, name)
        if first != name:
            host = quoted(match[0]) if match[0] else "every host"
            what = f"{host}, path {quoted(match[1])}"
            message = f"{quoted(name)} matches the same requests as {quoted(first)}: {what}"
            advice = "give each its own `match: {host: ..., path: ...}`; what is left out matches everything"
            yield ("services", name, "match"), Unfit(message, advice, on="key")


def _match(raw: object) -> tuple[str, str] | None:
    """Return what a service matches, if that is well written."""
    if not isinstance(raw, dict):
        return None
    host = attempt(names.host, raw["host"]) if "host" in raw else ""
    path = attempt(names.path, raw.get("path", "/"))
    return None if host is None or path is None else (host, path)

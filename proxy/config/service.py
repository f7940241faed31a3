"""One service as its owner writes it: backends, weight, pins, and how the canary is judged."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from proxy import defaults
from proxy.config import names, units
from proxy.config.analysis import Analysis, Caps, Check
from proxy.config.backend import Backend
from proxy.config.connections import ServiceTimeouts
from proxy.config.health import Ejection, Health, falls_back
from proxy.config.notices import Hook, Notify
from proxy.config.problems import Unfit, quoted
from proxy.config.rescue import Halt, Rescue
from proxy.config.rollout import Rollout
from proxy.config.section import Quarrel, Section
from proxy.config.segment import Segment
from proxy.config.sticky import Sticky
from proxy.config.units import as_switch
from proxy.config.values import (
    FieldName,
    Items,
    OrOff,
    Protocol,
    Scalar,
    Switch,
    Weight,
    attempt,
    key,
    pattern,
)


class Match(Section):
    """The requests that a service is for. The host is in lower case, empty for every host."""

    host: Annotated[str, Scalar(names.host, "a host such as `shop.example`", pattern(names.HOST_PATTERN))] = (
        key("`shop.example` or `*.example`; left out: every host", default="")
    )
    path: Annotated[str, Scalar(names.path, "a path such as `/api`", pattern(names.PATH_PATTERN))] = key(
        "a prefix that ends at a `/` boundary", default="/", written=str
    )


class Force(Section):
    """A header with which a client chooses for itself: `always` is canary, `never` is stable."""

    needs: ClassVar[Mapping[str, str]] = {"header": "write `force: {header: X-Canary}`"}

    header: FieldName = key("the request header to obey")


# Another line of one of these would change what the answer means, or where it ends.
_TAKEN = frozenset(
    [
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "location",
        "set-cookie",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


def _choice_header(text: str) -> str:
    if text.lower() in _TAKEN:
        raise Unfit(
            f"`{text}` means something else in every answer", "write a name of its own: `X-Weir-Choice`"
        )
    return "" if text == "off" else names.field(text)


_ASKED = frozenset(
    [
        "accept",
        "authorization",
        "baggage",
        "cache-control",
        "connection",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "from",
        "host",
        "http2-settings",
        "keep-alive",
        "max-forwards",
        "origin",
        "pragma",
        "prefer",
        "priority",
        "range",
        "referer",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
        "via",
        "x-real-ip",
        "x-request-id",
    ]
)
_ASKED_ABOUT = ("accept-", "access-control-", "content-", "if-", "proxy-", "sec-", "x-forwarded-")


def _endpoint_header(text: str) -> str:
    read = text.lower().replace("_", "-")  # as applications that read fields as CGI has them do
    if read in _ASKED or read.startswith(_ASKED_ABOUT):
        raise Unfit(
            f"`{text}` means something else in every request", "write a name of its own: `X-Weir-Backend`"
        )
    return "" if text == "off" else names.field(text)


class Shared(Section):
    """The keys that services may have in common."""

    weight: Weight = key("the canary's share, in steps of 0.01 %", default=0, written="0%")
    rollout: Annotated[Rollout | None, OrOff()] = key(
        "how the canary walks to 100 % by itself, in the place of a weight", default=None
    )
    force: Annotated[Force | None, OrOff()] = key("a header that chooses the side", default=None)
    sticky: Annotated[Sticky | None, OrOff()] = key("what keeps a user on one side", default=None)
    segments: Annotated[tuple[Segment, ...], Items("a list of segments, or `segments: []` for none")] = key(
        "rules that pin requests to a backend; the first match wins", default=()
    )
    analysis: Annotated[Analysis | None, OrOff()] = key(
        "how the canary is compared with stable; `auto`: by the defaults; `off`: it isn't",
        default=Analysis(),
        written="auto",
    )
    guard: Switch = key(
        "on: watch the canary's error rate where no coin is tossed", default=True, written=as_switch
    )
    checks: Annotated[tuple[Check, ...], Items("a list of checks, or `checks: []` for none")] = key(
        "plain rules on windows of the canary's answers, beside all else", default=(), written=list
    )
    caps: Caps = key("how far the harm of one release may go; left out: as far as it will", default=Caps())
    rescue: Annotated[Rescue | None, OrOff()] = key(
        "on: send what the canary failed to stable, where that is safe", default=Rescue(), written="on"
    )
    halt: Halt = key("what taking a canary out does to what is open", default=Halt())
    health: Annotated[Health | None, OrOff()] = key(
        "how endpoints are asked whether they are alive; `off`: they aren't", default=None, written="off"
    )
    ejection: Annotated[Ejection | None, OrOff()] = key(
        "on: leave out endpoints that fail again and again", default=Ejection(), written="on"
    )
    fallback: Annotated[bool, Scalar(falls_back, "`canary` or `off`", {"enum": ["canary", "off"]})] = key(
        "`canary`: it answers when no endpoint of stable is alive", default=False, written="off"
    )
    hooks: Annotated[tuple[Hook, ...], Items("a list of hooks, or `hooks: []` for none")] = key(
        "URLs that are asked before a rollout goes on, or notified of its end", default=(), written=list
    )
    notify: Annotated[tuple[Notify, ...], Items("a list of URLs, or `notify: []` for none")] = key(
        "URLs that are notified of what happens", default=(), written=list
    )
    choice_header: Annotated[
        str, Scalar(_choice_header, "the name of a header", pattern(names.FIELD_PATTERN))
    ] = key("a response header with backend and reason", default="")
    endpoint_header: Annotated[
        str, Scalar(_endpoint_header, "the name of a header", pattern(names.FIELD_PATTERN))
    ] = key("a request header with backend and reason, for the endpoint", default="")
    timeouts: ServiceTimeouts = key(
        "how long its endpoints may take; left out: as for all services", default=ServiceTimeouts()
    )
    upgrades: Annotated[tuple[Protocol, ...], Items("a list of protocols, or `[]` for none")] = key(
        "protocols that requests may upgrade to", default=defaults.UPGRADES, written=list
    )

    @property
    def enforce(self) -> bool:
        """Whether a failing verdict takes the canary out; without a comparison it always does."""
        return self.analysis is None or self.analysis.enforce

    @classmethod
    def unknown(cls, key: str) -> Unfit:
        """Return the fault of an unknown key.

        Keys of `analysis` and `rollout` are often written a level too high.
        """
        fault = super().unknown(key)
        for owner, keys in (("analysis", Analysis.known()), ("rollout", Rollout.known())):
            if key in keys:
                fault.advice = f"it belongs under `{owner}`: write `{owner}: {{{key}: ...}}`"
        return fault

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from _repeated(raw, "segments", ("name",), "has the name of a segment above", "name")
        yield from _repeated(
            raw, "checks", ("metric", "window"), "is checked over this window already", "metric"
        )
        if "weight" in raw and raw.get("rollout", "off") != "off":
            message = "`weight` and `rollout` cannot be written together"
            advice = "a rollout starts from 0 and sets the weight itself: remove one of the two"
            yield ("weight",), Unfit(message, advice, on="key")
        if raw.get("fallback") == "canary" and raw.get("health", "off") == "off":
            message = "without `health` no stable is known to be dead, and its `fallback` would never come"
            yield ("fallback",), Unfit(message, "add `health: {path: /healthz}`, or remove it", on="key")
        told = raw.get("endpoint_header")
        for name in ("force", "sticky"):
            section = raw.get(name)
            read = section.get("header") if isinstance(section, dict) else None
            if isinstance(told, str) and isinstance(read, str) and told.lower() == read.lower():
                message = (
                    f"{quoted(told)} is the header of `{name}`, and endpoints would get another value in it"
                )
                yield ("endpoint_header",), Unfit(message, "write a name of its own: `X-Weir-Backend`")


class Defaults(Shared):
    """Keys for all services, which what a service writes itself replaces whole."""

    @classmethod
    def unknown(cls, key: str) -> Unfit:
        if key not in ("stable", "canary", "match"):
            return super().unknown(key)
        advice = (
            "it differs from service to service: write it there; all other keys of a service may stand here"
        )
        return Unfit(f"{quoted(key)} cannot be a key of", advice, on="key", of=1)


class Service(Shared):
    """What clients ask for, with the keys of `defaults` filled in."""

    needs: ClassVar[Mapping[str, str]] = {
        "stable": "write `stable: http://127.0.0.1:9001`, the backend for all that the canary does not take"
    }

    match: Match = key("the requests that this service is for; left out: all", default=Match())
    stable: Backend = key("the backend that can be trusted")
    canary: Backend | None = key("the backend on trial", default=None)

    @classmethod
    def known(cls) -> tuple[str, ...]:
        return ("match", "stable", "canary", *Shared.known())

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from super().quarrels(raw)
        # With a rollout there may be a canary though the file has none: `weir start --canary` names it.
        yield from _unreturned(raw)
        tried = "canary" in raw or raw.get("rollout", "off") != "off"
        yield from _uncountable(raw) if tried else cls._without_canary(raw)

    @classmethod
    def _without_canary(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        if "weight" in raw and attempt(units.weight, raw["weight"]) != 0:
            advice = "add `canary: http://127.0.0.1:9002`, or remove the weight"
            yield (
                ("weight",),
                Unfit("a weight is the share of the canary, and there is none", advice, on="key"),
            )
        for index, segment in _mappings(raw.get("segments")):
            if segment.get("to") == "canary":
                advice = (
                    "add a `canary`, or write `segments: []` in this service if they come from `defaults`"
                )
                yield ("segments", index, "to"), Unfit("`canary` names no backend of", advice, of=3)


def _uncountable(raw: Mapping[str, Any]) -> Iterator[Quarrel]:
    """Yield a cap on users, where nothing identifies users."""
    caps = raw.get("caps")
    if isinstance(caps, dict) and "exposed_users" in caps and raw.get("sticky", "off") == "off":
        message = "`exposed_users` counts keys of `sticky`, and there is none in"
        advice = (
            "add a `sticky` such as `{cookie: weir}`, or write `caps: {}` here if it comes from `defaults`"
        )
        yield ("caps", "exposed_users"), Unfit(message, advice, on="key", of=2)


def _unreturned(raw: Mapping[str, Any]) -> Iterator[Quarrel]:
    """Yield the domain and the path of a cookie that no request to this service would come with.

    The rules are those of RFC 6265 sections 5.1.3 and 5.1.4.
    """
    match, sticky = raw.get("match"), raw.get("sticky")
    if not isinstance(match, dict) or not isinstance(sticky, dict):
        return
    advice = "remove it, or write a `sticky` of its own here if it comes from `defaults`"
    host, domain = attempt(names.host, match.get("host")), attempt(names.domain, sticky.get("domain"))
    if host and domain and not _covers(domain, host):
        message = f"browsers take no cookie of the domain {quoted(domain)} from the host {quoted(host)} of"
        yield ("sticky", "domain"), Unfit(message, advice, of=2)
    path, below = attempt(names.path, match.get("path")), attempt(names.cookie_path, sticky.get("path"))
    if path and below and not _meet(path, below):
        message = (
            f"no request for the path {quoted(path)} comes with a cookie of the path {quoted(below)}, in"
        )
        yield ("sticky", "path"), Unfit(message, advice, of=2)


def _covers(domain: str, host: str) -> bool:
    """Return whether a host, or one of those that it stands for, may set a cookie of this domain."""
    base = host.removeprefix("*.")
    return f".{base}".endswith(f".{domain}") or (base != host and domain.endswith(f".{base}"))


def _meet(one: str, other: str) -> bool:
    """Return whether one of two path prefixes lies below the other."""
    one, other = sorted((one.rstrip("/") + "/", other.rstrip("/") + "/"), key=len)
    return other.startswith(one)


def _mappings(raw: object) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, item in enumerate(raw if isinstance(raw, list) else []):
        if isinstance(item, dict):
            yield index, item


def _repeated(
    raw: Mapping[str, Any], lists: str, identity: tuple[str, ...], message: str, on: str
) -> Iterator[Quarrel]:
    seen: set[tuple[str, ...]] = set()
    for index, item in _mappings(raw.get(lists)):
        this = tuple(str(item.get(part, "30s")) for part in identity)
        if on in item and this in seen:
            yield (lists, index, on), Unfit(f"{quoted(str(item[on]))} {message}", "keep one of the two")
        seen.add(this)

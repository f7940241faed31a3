"""What keeps a user on one side: a cookie, a header or the client's address."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy import defaults
from proxy.config import names
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section, one_of
from proxy.config.units import as_seconds, as_switch
from proxy.config.values import (
    Boolean,
    FieldName,
    JsonSchema,
    Scalar,
    Switch,
    duration,
    key,
    pattern,
    words,
)

_LONGEST_COOKIE = 400 * 24 * 60 * 60
"""Seconds: browsers keep none for longer (RFC 6265bis section 5.5)."""


class Sticky(Section):
    """What keeps a user on one side: exactly one of a cookie, a header and the client's address."""

    cookie: FieldName | None = key("the name of a cookie", default=None)
    header: FieldName | None = key("the name of a request header", default=None)
    client_ip: Boolean = key("true: the address of the client", default=False)
    issue: Boolean = key("false: only read the cookie, never set it", default=True, written=bool)
    same_site: Annotated[
        Literal["lax", "strict", "none"], words("lax", "strict", "none", what="a SameSite")
    ] = key("whether the cookie comes with requests from other sites", default="lax", written=str)
    domain: Annotated[str | None, Scalar(names.domain, "a domain", pattern(names.DOMAIN_PATTERN))] = key(
        "the domain below which the cookie is sent; left out: to the host that was asked", default=None
    )
    path: Annotated[
        str, Scalar(names.cookie_path, "a path such as `/shop`", pattern(names.COOKIE_PATH_PATTERN))
    ] = key("the path below which the cookie is sent", default="/", written=str)
    max_age: Annotated[float, duration(1, _LONGEST_COOKIE)] = key(
        "how long the cookie is kept", default=float(defaults.COOKIE_MAX_AGE), written=as_seconds
    )
    secure: Switch = key(
        "on: always for TLS alone; off: only where the client came over TLS", default=False, written=as_switch
    )

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from one_of(raw, ("cookie", "header", "client_ip"), "`sticky`")
        if raw.get("client_ip") == "false":
            yield ("client_ip",), Unfit("`client_ip` is only written to be `true`", "write `sticky: off`")
        for name in ("issue", *_ATTRIBUTES):
            if name in raw and "cookie" not in raw:
                fault = Unfit(f"`{name}` belongs to `cookie`", "nothing else is issued: remove it", on="key")
                yield (name,), fault
        if raw.get("issue") == "false":
            # The cookie is the application's own, and its name and attributes too.
            for name in _ATTRIBUTES:
                if name in raw and "cookie" in raw:
                    message = f"`{name}` is of a cookie that is issued, and `issue` is `false` in"
                    advice = f"remove `{name}`, or `issue: false`"
                    yield (name,), Unfit(message, advice, on="key", of=1)
        elif isinstance(raw.get("cookie"), str):
            yield from _unset(raw, raw["cookie"].lower())

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        schema["oneOf"] = [{"required": [name]} for name in ("cookie", "header", "client_ip")]
        schema["dependencies"] = {name: ["cookie"] for name in ("issue", *_ATTRIBUTES)}
        schema["properties"]["client_ip"] = {
            "description": schema["properties"]["client_ip"]["description"],
            "enum": [True, "true"],
        }
        return schema


_ATTRIBUTES = ("same_site", "domain", "path", "max_age", "secure")


def _unset(raw: Mapping[str, Any], cookie: str) -> Iterator[Quarrel]:
    """Yield the attributes with which no browser would take the cookie (RFC 6265bis section 4.1.3)."""
    secure = raw.get("secure", "off") == "on"
    on = "write `secure: on`, or another name for the cookie"
    if raw.get("same_site") == "none" and not secure:
        yield ("same_site",), Unfit("browsers take no `SameSite=None` without `Secure`", "write `secure: on`")
    if cookie.startswith(("__host-", "__secure-", "__http-")) and not secure:
        yield (
            ("cookie",),
            Unfit(f"browsers take no cookie named {quoted(raw['cookie'])} without `Secure`", on),
        )
    if cookie.startswith("__host-"):
        for name, only in (("domain", None), ("path", "/")):
            if raw.get(name, only) != only:
                message = f"browsers take no cookie named {quoted(raw['cookie'])} with a `{name}` of its own"
                yield (name,), Unfit(message, "remove it, or name the cookie otherwise")

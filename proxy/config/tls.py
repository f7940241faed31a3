"""TLS on both sides: the certificates that clients are shown, and which endpoints are trusted."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import GetJsonSchemaHandler, ValidationInfo, field_validator
from pydantic_core import CoreSchema

from proxy.config import addresses, networks
from proxy.config.context import FileContext
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.values import (
    BindAddress,
    Boolean,
    File,
    Items,
    JsonSchema,
    Scalar,
    Trusted,
    attempt,
    either,
    key,
    pattern,
)


class Pair(Section):
    """A certificate and its private key, as absolute paths of two PEM files."""

    needs: ClassVar[Mapping[str, str]] = {
        "cert": "write `cert: shop.pem`, the certificate with its chain",
        "key": "write `key: shop.key`, the private key of the certificate",
    }

    cert: File = key("a PEM file: the certificate, and behind it its chain")
    key: File = key("a PEM file: the private key, without a passphrase")

    @field_validator("cert", "key", mode="after")
    @classmethod
    def _absolute(cls, path: str, info: ValidationInfo) -> str:
        return FileContext.of(info).place(path)


class Listener(Section):
    """One place where clients connect: an address, or a mapping with what else has to be known of it."""

    needs: ClassVar[Mapping[str, str]] = {"address": 'write `address: ":8443"`'}

    address: BindAddress = key(
        "`:8443` (every address), `127.0.0.1:8443`, `[::1]:8443` or `unix:/run/weir.sock`"
    )
    tls: Annotated[
        tuple[Pair, ...], Items("`{cert: shop.pem, key: shop.key}`, or a list of such pairs", mapped=True)
    ] = key(
        "a pair, or several of which the client's server name (SNI) chooses; the first is the default",
        default=(),
    )
    proxy_protocol: Annotated[
        tuple[Trusted, ...], Items("a list such as `[10.0.0.0/8]` of the load balancers", one=True)
    ] = key(
        "the load balancers that begin each connection with a header of the PROXY protocol (version 1 or 2), "
        "which names the client: networks, addresses, or `unix`; nobody else may connect there",
        default=(),
        written=list,
    )

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        written = raw.get("proxy_protocol")
        peers = written if isinstance(written, list) else [written]
        address = attempt(addresses.listening, raw.get("address"))
        if written is None or address is None or not all(isinstance(each, str) for each in peers):
            return
        on_socket = isinstance(address, addresses.SocketPath)
        if (networks.UNIX in peers) if on_socket else (set(peers) != {networks.UNIX}):
            return
        message = f"nobody who connects to {quoted(str(address))} is among these"
        advice = "write `proxy_protocol: [unix]`" if on_socket else "write networks such as `10.0.0.0/8`"
        yield ("proxy_protocol",), Unfit(message, advice)

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {"address": raw} if isinstance(raw, str) else raw

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        return either(schema["properties"]["address"], schema)


class Trust(Section):
    """The certificates that endpoints of a backend must have, and the one that they are shown."""

    ca: File | None = key(
        "a PEM file with the certificates to trust; left out: those that the system trusts", default=None
    )
    server_name: Annotated[
        str | None,
        Scalar(addresses.server_name, "a name such as `shop.internal`", pattern(r"[A-Za-z0-9._:-]+")),
    ] = key("the name to ask for and to find in the certificate; left out: the host of the URL", default=None)
    verify: Boolean = key("false: trust every certificate", default=True, written=bool)
    cert: File | None = key("a PEM file: the certificate that endpoints ask of us", default=None)
    key: File | None = key("a PEM file: its private key, without a passphrase", default=None)

    @field_validator("ca", "cert", "key", mode="after")
    @classmethod
    def _absolute(cls, path: str | None, info: ValidationInfo) -> str | None:
        return None if path is None else FileContext.of(info).place(path)

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        for one, other in (("cert", "key"), ("key", "cert")):
            if one in raw and other not in raw:
                message = f"{quoted(one)} is written without {quoted(other)}"
                yield (one,), Unfit(message, "a certificate and its private key go together", on="key")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        schema["dependencies"] = {"cert": ["key"], "key": ["cert"]}
        return schema

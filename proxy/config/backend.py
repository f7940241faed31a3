"""One side of a service: its endpoints, and the version of the program behind them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from proxy.config import addresses, names
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.tls import Trust
from proxy.config.values import TEXT, Items, JsonSchema, Scalar, Url, attempt, either, key, pattern


class Backend(Section):
    """One side of a service: a URL, a list of URLs, or a mapping with a version beside them."""

    needs: ClassVar[Mapping[str, str]] = {"endpoints": "write `endpoints: [http://127.0.0.1:9001]`"}

    endpoints: Annotated[tuple[Url, ...], Items("a URL, or a list of them", one=True)] = key(
        "where it answers: one URL or several"
    )
    version: Annotated[str, Scalar(names.label, "a version", TEXT)] = key(
        "a change of it is a new release, even when the endpoints stay", default=""
    )
    host: Annotated[
        str, Scalar(names.host_sent, "`client`, `endpoint` or a host", pattern(names.HOST_SENT_PATTERN))
    ] = key(
        "the Host that its endpoints get: the `client`'s, their own (`endpoint`), or this one",
        default="client",
        written=str,
    )
    tls: Trust | None = key("which `https://` endpoints to trust", default=None)

    @classmethod
    def shaped(cls, raw: object) -> object:
        return {"endpoints": raw} if isinstance(raw, str | list) else raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        written = raw.get("endpoints")
        texts = written if isinstance(written, list) else [written]
        urls = [attempt(addresses.endpoint, text) for text in texts]
        for index, url in enumerate(urls):
            if url is not None and url in urls[:index]:
                yield (
                    ("endpoints", index),
                    Unfit(f"{quoted(url)} is in this list already", "remove one of the two"),
                )
        if "tls" in raw and None not in urls and not any(map(_secure, urls)):
            advice = "write `https://` where an endpoint speaks TLS, or remove `tls`"
            yield ("tls",), Unfit("`tls` without an `https://` endpoint in", advice, on="key", of=1)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema = handler.resolve_ref_schema(handler(core))
        return either(*schema["properties"]["endpoints"]["anyOf"], schema)


def _secure(url: str | None) -> bool:
    return url is not None and url.startswith("https:")

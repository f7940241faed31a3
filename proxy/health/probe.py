"""A probe of an endpoint: one request over a connection of its own, as a client of it would come.

Its answer is read as those to clients are, by the same reader and under the same limits.
"""

import asyncio
import os
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping, Sequence
from typing import Protocol

from proxy import __version__
from proxy.http1.errors import BadMessage
from proxy.http1.limits import DEFAULT, Limits
from proxy.http1.parser import head_end, read_response
from proxy.routing.address import Address
from proxy.tls.pem import Unusable
from proxy.tls.trusts import Trusts, expected_name, handshake_failure

GOODBYE_SECONDS = 3.0
"""How long an endpoint may take to answer our goodbye (close_notify)."""
_READ = 64 * 1024
"""Bytes read at a time, at most."""


class Question(Protocol):
    """What an endpoint is asked for by a GET, and which answers mean that it is alive."""

    @property
    def path(self) -> str:
        """The path, and a query behind it if need be."""

    @property
    def host(self) -> str:
        """The Host, in place of the one that requests get there; empty: that one."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Further fields of the request; they replace the probe's own of the same name."""

    @property
    def expect(self) -> Sequence[tuple[int, int]]:
        """The statuses of good answers, as ranges with both of their ends."""


class Prober:
    """Asks endpoints. It keeps contexts for TLS, while they do, and no connection."""

    def __init__(self) -> None:
        self._limits = DEFAULT
        self._trusts = Trusts()

    def __repr__(self) -> str:
        return f"<Prober with {self._trusts}>"

    def limit(self, limits: Limits) -> None:
        """Read answers under these limits from now on."""
        self._limits = limits

    async def probe(self, address: Address, question: Question | None, seconds: float) -> str:
        """Ask an address, and wait for the answer for so many seconds.

        Returns "" when it is a good answer, else what is wrong, in words. Without a question, it is asked for
        /, and any answer at all will do.
        """
        try:
            async with asyncio.timeout(seconds):
                status = await self._ask(address, _request(address, question))
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except BadMessage as bad:
            return f"its answer is no HTTP/1.1: {bad.detail}"
        except (OSError, EOFError, Unusable) as error:
            if address.endpoint.scheme == "https":
                # It may be what we have read of our own files that is out of date.
                self._trusts.forget(address.endpoint.trust)
            return _words(error)
        good = question is None or any(least <= status <= most for least, most in question.expect)
        return "" if good else f"answered {status}"

    async def _ask(self, address: Address, request: bytes) -> int:
        reader, writer = await self._connect(address)
        try:
            writer.write(request)
            return await self._status(reader)
        except ConnectionError as error:
            raise EOFError from error
        finally:
            writer.close()

    async def _connect(self, address: Address) -> tuple[StreamReader, StreamWriter]:
        endpoint = address.endpoint
        if endpoint.scheme == "unix":
            return await asyncio.open_unix_connection(endpoint.path)
        if endpoint.scheme == "http":
            return await asyncio.open_connection(address.ip, endpoint.port)
        return await asyncio.open_connection(
            address.ip,
            endpoint.port,
            ssl=await self._trusts.context(endpoint.trust),
            server_hostname=expected_name(endpoint),
            ssl_shutdown_timeout=GOODBYE_SECONDS,
        )

    async def _status(self, reader: StreamReader) -> int:
        """Return the status of the answer, without the interim ones before it."""
        data = b""
        while True:
            while not (end := head_end(data, self._limits)):
                more = await reader.read(_READ)
                if not more:
                    raise EOFError
                data += more
            head, data = read_response(data[:end], self._limits), data[end:]
            if head.status == 101:
                raise BadMessage(502, "malformed", "a change of protocol that wasn't asked for")
            if head.status >= 200:
                return head.status


def _request(address: Address, question: Question | None) -> bytes:
    endpoint = address.endpoint
    asked = question.headers if question else {}
    host = (question.host if question else "") or endpoint.host_sent or endpoint.authority
    own = {"User-Agent": f"weir/{__version__} (probe)", "Accept": "*/*"}
    replaced = {name.lower() for name in asked}
    fields = {name: value for name, value in own.items() if name.lower() not in replaced} | dict(asked)
    lines = [f"GET {question.path if question else '/'} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _words(error: Exception) -> str:
    """Return what went wrong."""
    match error:
        case Unusable():
            return str(error)
        case EOFError():
            return "it hung up without an answer"
        case ssl.SSLError():
            return handshake_failure(error)
        case ConnectionRefusedError():
            return "connection refused"
        case OSError(errno=int() as number):
            return os.strerror(number).lower()
        case ConnectionError():  # asyncio's own
            return handshake_failure(error)
        case _:
            return str(error).lower()

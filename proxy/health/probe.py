"""A probe of an endpoint: one request over a connection of its own, as a client of it would come."""

import asyncio
import socket
import ssl

import aiohttp
import aiohttp.abc
from yarl import URL

from proxy import __version__
from proxy.routing.address import Address
from proxy.routing.endpoint import Endpoint
from proxy.tls.pem import Unusable
from proxy.tls.trusts import Trusts, expected_name, handshake_failure

_HEADERS = {"User-Agent": f"weir/{__version__} (probe)", "Accept": "*/*", "Connection": "close"}
_NO_OTHER_TIMEOUT = aiohttp.ClientTimeout(total=None)


class Prober:
    """Asks endpoints. It keeps contexts for TLS, while they do, and no connection."""

    def __init__(self) -> None:
        self._trusts = Trusts()

    def __repr__(self) -> str:
        return f"<Prober with {self._trusts}>"

    async def probe(self, address: Address, path: str | None, seconds: float) -> str:
        """Ask for a path, and wait for the answer for so many seconds.

        Returns "" when it is a success or a redirection, else what went wrong, in words. Without a path, any
        answer at all will do.
        """
        try:
            async with asyncio.timeout(seconds):
                status = await self._ask(address, path or "/")
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except (aiohttp.ClientError, OSError, ValueError, Unusable) as error:
            if address.endpoint.scheme == "https":
                # It may be what we have read of our own files that is out of date.
                self._trusts.forget(address.endpoint.trust)
            return _words(error)
        return "" if path is None or 200 <= status < 400 else f"answered {status}"

    async def _ask(self, address: Address, path: str) -> int:
        endpoint = address.endpoint
        context: ssl.SSLContext | bool = True
        name = None
        if endpoint.scheme == "https":
            context, name = await self._trusts.context(endpoint.trust), expected_name(endpoint)
        async with aiohttp.ClientSession(
            connector=_connector(address),
            headers=_HEADERS | ({"Host": endpoint.host_sent} if endpoint.host_sent else {}),
            skip_auto_headers=("Accept-Encoding",),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_OTHER_TIMEOUT,
            auto_decompress=False,
        ) as session:
            url = URL(_base(endpoint) + path, encoded=True)  # as it was written, not as yarl would
            asked = session.get(url, allow_redirects=False, ssl=context, server_hostname=name)
            async with asked as answer:
                return answer.status


def _base(endpoint: Endpoint) -> str:
    return "http://localhost" if endpoint.scheme == "unix" else endpoint.url


class _Known(aiohttp.abc.AbstractResolver):
    """Resolves every name to one address."""

    def __init__(self, ip: str) -> None:
        self._ip = ip

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[aiohttp.abc.ResolveResult]:
        family = socket.AF_INET6 if ":" in self._ip else socket.AF_INET
        return [
            aiohttp.abc.ResolveResult(
                hostname=host, host=self._ip, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Do nothing."""


def _connector(address: Address) -> aiohttp.BaseConnector:
    if address.endpoint.scheme == "unix":
        return aiohttp.UnixConnector(address.endpoint.path, force_close=True)
    return aiohttp.TCPConnector(force_close=True, resolver=_Known(address.ip))


def _words(error: Exception) -> str:
    """Return what went wrong."""
    match error:
        case Unusable():
            return str(error)
        case aiohttp.ClientConnectorCertificateError():
            return handshake_failure(error.certificate_error)
        case aiohttp.ClientConnectorError():
            return _no_connection(error.os_error)
        case aiohttp.ServerDisconnectedError() | OSError():
            return "it hung up without an answer"
        case _:
            return "its answer is no HTTP/1.1"


def _no_connection(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return handshake_failure(error)
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (error.strerror or str(error)).lower()

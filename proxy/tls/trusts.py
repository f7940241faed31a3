"""TLS towards endpoints: one client context for each kind of trust, created once and kept.

Loading the system's certificates takes 10 to 30 ms. So a context is created in another thread by the first
connection that needs it, and other connections that need it wait for the same one.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterable

from proxy.routing.endpoint import Endpoint, Trust
from proxy.tls.pem import Pair, Unusable, load_pair, openssl_reason

log = logging.getLogger(__name__)

# Codes of X509_verify_cert(3) whose reason helps a person; the others mean that there is no trust.
_UNTRUSTED = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    23: "its certificate was revoked",
    62: "its certificate is for another name",
    64: "its certificate is for another name",
}
_NOT_TLS = frozenset(
    ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
)
_NO_COMMON_VERSION = frozenset(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"))


class Trusts:
    """The client contexts of one process."""

    def __init__(self) -> None:
        self._kept: dict[Trust, asyncio.Future[ssl.SSLContext]] = {}

    def __repr__(self) -> str:
        return f"<Trusts {len(self._kept)} contexts>"

    def __len__(self) -> int:
        return len(self._kept)

    async def context(self, trust: Trust) -> ssl.SSLContext:
        """Return the context for connections under this trust; raise Unusable."""
        made = self._kept.get(trust)
        if made is None:
            made = self._kept[trust] = _make(trust)
        try:
            return await asyncio.shield(made)
        except Unusable as unusable:
            # Not kept, so that the next connection reads the file again.
            if self._kept.get(trust) is made:
                del self._kept[trust]
                log.error("%s; no connection can be made to the endpoints that need it", unusable)
            raise

    async def warm(self, trusts: Iterable[Trust]) -> None:
        """Create these contexts before the first connection needs them; log files that can't be used."""
        for trust in set(trusts):
            with contextlib.suppress(Unusable):  # logged already; the file may be correct when it is needed
                await self.context(trust)

    def forget(self, trust: Trust) -> None:
        """Drop the context of this trust, so that the next connection reads its files again."""
        self._kept.pop(trust, None)

    async def renew(self) -> None:
        """Read all files again, for new connections. Raises Unusable, and then nothing has changed."""
        fresh: dict[Trust, asyncio.Future[ssl.SSLContext]] = {}
        for trust in tuple(self._kept):
            fresh[trust] = _make(trust)
            await fresh[trust]
        self._kept |= fresh


def _make(trust: Trust) -> asyncio.Future[ssl.SSLContext]:
    made = asyncio.get_running_loop().run_in_executor(None, client_context, trust)
    made.add_done_callback(_retrieve_error)
    return made


def _retrieve_error(made: asyncio.Future[ssl.SSLContext]) -> None:
    """Retrieve the error, or asyncio logs one that no connection awaits: after a client left or a timeout."""
    if not made.cancelled():
        made.exception()


def client_context(trust: Trust) -> ssl.SSLContext:
    """Return a new context; raise Unusable. Blocks for some milliseconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if trust.cert:
        load_pair(context, Pair(trust.cert, trust.key))
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca:
        _load_authorities(context, trust.ca)
    else:
        context.load_default_certs()
    return context


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise Unusable(f"{path}: there is no certificate in it: {openssl_reason(error)}") from error
    except OSError as error:
        raise Unusable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    # The certificates in the file are trusted as they are: roots, intermediates or the server's own.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def expected_name(endpoint: Endpoint) -> str:
    """Return the name to send (SNI) and to find in the certificate: that of the Host, where one is set.

    A dot at its end belongs to DNS only; SNI and certificates are without it (RFC 6066 section 3).
    """
    trust, sent = endpoint.trust, endpoint.host_sent
    host = sent.rpartition(":")[0] if sent.rpartition(":")[2].isdigit() else sent
    return trust.server_name or (host.strip("[]") or endpoint.host).rstrip(".")


def handshake_failure(error: Exception) -> str:
    """Return why a handshake with an endpoint failed, without its address."""
    match error:
        case ssl.SSLCertVerificationError():
            return _UNTRUSTED.get(error.verify_code, "its certificate is not trusted")
        case ssl.SSLError() if error.reason in _NOT_TLS:
            return "it does not speak TLS"
        case ssl.SSLError() if error.reason in _NO_COMMON_VERSION:
            return "it speaks no version of TLS that is accepted"
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return "it refused the TLS handshake"
        case ConnectionError():
            return "it closed the connection within the TLS handshake"
        case _:
            return "the TLS handshake failed"

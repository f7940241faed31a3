"""How we meet endpoints over TLS: one client context for each way to trust, made once and kept.

Loading the system's store takes 10 to 30 ms, so a context is made in another thread, by the first connection
that needs it, while others that need it wait for the same one.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterable

from proxy.routing.endpoint import Endpoint, Trust
from proxy.tls.pem import Pair, Unusable, load_pair, said

log = logging.getLogger(__name__)

# Codes of X509_verify_cert(3) that tell a person more than that there is no trust.
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
        """The context for connections under this trust. Raises Unusable."""
        made = self._kept.get(trust)
        if made is None:
            made = self._kept[trust] = _make(trust)
        try:
            return await asyncio.shield(made)
        except Unusable as unusable:
            # Not kept: the file may be there the next time.
            if self._kept.get(trust) is made:
                del self._kept[trust]
                log.error("%s; no connection can be made to the endpoints that need it", unusable)
            raise

    async def warm(self, trusts: Iterable[Trust]) -> None:
        """Make these contexts before the first connection needs them; files that are no good are told."""
        for trust in set(trusts):
            with contextlib.suppress(
                Unusable
            ):  # it has been logged, and may be mended by the time it matters
                await self.context(trust)

    def forget(self, trust: Trust) -> None:
        """Read the files of this trust again for the next connection."""
        self._kept.pop(trust, None)

    async def renew(self) -> None:
        """Read all files again, for connections from now on. Raises Unusable and changes nothing."""
        fresh: dict[Trust, asyncio.Future[ssl.SSLContext]] = {}
        for trust in tuple(self._kept):
            fresh[trust] = _make(trust)
            await fresh[trust]
        self._kept |= fresh


def _make(trust: Trust) -> asyncio.Future[ssl.SSLContext]:
    made = asyncio.get_running_loop().run_in_executor(None, client_context, trust)
    made.add_done_callback(_heard)
    return made


def _heard(made: asyncio.Future[ssl.SSLContext]) -> None:
    """Its failure is told to whoever asks next, and nobody may: the client left, or the time was up."""
    if not made.cancelled():
        made.exception()


def client_context(trust: Trust) -> ssl.SSLContext:
    """A new context. Blocks for some milliseconds; raises Unusable."""
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
        raise Unusable(f"{path}: there is no certificate in it: {said(error)}") from error
    except OSError as error:
        raise Unusable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    # What a person named is trusted as it is, be it a root, an intermediate or the server's own certificate.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def expected_name(endpoint: Endpoint) -> str:
    """The name to ask for (SNI) and to find in the certificate.

    A dot at its end is for DNS alone, neither of the two has it (RFC 6066 section 3).
    """
    return endpoint.trust.server_name or endpoint.host.rstrip(".")


def refusal(error: Exception) -> str:
    """Why a handshake with an endpoint failed, in words that name no address."""
    match error:
        case ssl.SSLCertVerificationError():
            return _UNTRUSTED.get(error.verify_code, "its certificate is not trusted")
        case ssl.SSLError() if error.reason in _NOT_TLS:
            return "it does not speak TLS"
        case ssl.SSLError() if error.reason in _NO_COMMON_VERSION:
            return "it speaks no version of TLS that we accept"
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return "it refused the TLS handshake"
        case ConnectionError():
            return "it hung up within the TLS handshake"
        case _:
            return "the TLS handshake failed"

"""The certificates that a listener shows to clients, and how they are renewed under traffic.

A listener has one context for its whole life, the outer one, which has no certificate at all. When a client
says which server it is looking for (SNI, RFC 6066 section 3), the handshake goes on with a context of the
present table. A renewal builds new contexts, tries each of them, and swaps the table: new handshakes see the
new certificates, connections that are established go on, and a pair that is no good changes nothing. Nothing
is ever loaded into a context in use: after a certificate that does not fit its key, that would fail every
client.
"""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from proxy.tls.pem import Pair, Unusable, load_pair, said

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which `ssl` has no name for: what has expired is for clients to judge."""
_MOST_TURNS = 10
"""Of a handshake in memory: far more than any takes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which context answers to which name."""

    default: ssl.SSLContext
    """Of the first pair: for clients that say no name, or one that no certificate is for."""
    named: Mapping[str, ssl.SSLContext]
    """By name in lower case, `*.example` for all that is one label below `example`."""

    @classmethod
    def read(cls, pairs: Sequence[Pair]) -> Self:
        """Read all pairs and try each of them. Blocks for some milliseconds; raises Unusable."""
        contexts = [(context := _loaded(pair), _names(context, pair)) for pair in pairs]
        named: dict[str, ssl.SSLContext] = {}
        for context, names in contexts:
            for name in names:
                named.setdefault(name, context)
        return cls(contexts[0][0], named)

    def pick(self, name: str | None) -> ssl.SSLContext:
        """The context for the name that a client said; an exact one before a wildcard (RFC 9525 section
        6.3)."""
        if name is None:
            return self.default
        name = name.lower()
        found = self.named.get(name) or self.named.get("*." + name.partition(".")[2])
        return found or self.default


class Certificates:
    """What one listener shows.

    Args:
        pairs: at least one; the first is the default. None is read before the first `renew`.
    """

    _shown: Shown

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self.context = _server_context()
        """The outer context, the same for ever."""
        self.context.sni_callback = self._choose

    def __repr__(self) -> str:
        return f"<Certificates {', '.join(pair.cert for pair in self.pairs)}>"

    def show(self, shown: Shown) -> None:
        """From now on show these."""
        self._shown = shown

    def _choose(self, connection: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        connection.context = self._shown.pick(name)


def renew(certificates: Iterable[Certificates]) -> None:
    """Read the files of all of them again, then show what they hold now. Raises Unusable and changes nothing.

    May be called in another thread: the swap of each is one assignment.
    """
    fresh = [(each, Shown.read(each.pairs)) for each in certificates]
    for each, shown in fresh:
        each.show(shown)


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # A client could have us renegotiate for ever, and each time costs us more than it does the client.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _loaded(pair: Pair) -> ssl.SSLContext:
    context = _server_context()
    load_pair(context, pair)
    return context


def _names(context: ssl.SSLContext, pair: Pair) -> tuple[str, ...]:
    """The DNS names that the certificate is for: of its subjectAltName, the common name is long dead.

    `ssl` tells them only of a peer's certificate that was verified, so a client in memory does that: it
    trusts what the server showed to a first one. It proves as well that the pair does its work.
    """
    try:
        leaf = _handshake(context, _trusting(None)).getpeercert(binary_form=True)
        cert: dict[str, Any] = _handshake(context, _trusting(leaf)).getpeercert() or {}
    except ssl.SSLError as error:
        raise Unusable(f"{pair.cert}: no client would take it: {said(error)}") from error
    return tuple(value.lower() for kind, value in cert.get("subjectAltName", ()) if kind == "DNS")


def _trusting(leaf: bytes | None) -> ssl.SSLContext:
    """A client that trusts this one certificate alone, or everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if leaf is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=leaf)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    return context


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let the two meet in memory; the client's end, once both are content."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server)
    ends = [near, server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(_MOST_TURNS):
        ends = [end for end in ends if not _moved_on(end)]
        if not ends:
            break
    return near


def _moved_on(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True

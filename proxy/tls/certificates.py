"""The certificates that a listener presents to clients, and their renewal under traffic.

A listener has one outer context for its whole life, which has no certificate. When a client sends the name of
the server (SNI, RFC 6066 section 3), the handshake goes on with a context of the present table. A renewal
builds new contexts, tries each of them, and swaps the table: new handshakes use the new certificates,
established connections go on, and a bad pair changes nothing. No file is ever loaded into a context in use,
because after a certificate that does not match its key every client would fail.
"""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from proxy.tls.pem import Pair, Unusable, load_pair, openssl_reason

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which `ssl` does not define. Clients reject expired certificates themselves."""
_MOST_TURNS = 10
"""Turns of a handshake in memory, at most: more than any needs."""


@dataclass(frozen=True, slots=True)
class CertificateTable:
    """The contexts of a listener by server name."""

    default: ssl.SSLContext
    """The context of the first pair, for clients that send no name or an unknown one."""
    named: Mapping[str, ssl.SSLContext]
    """Contexts by name in lower case; `*.example` stands for all names one label below `example`."""

    @classmethod
    def read(cls, pairs: Sequence[Pair]) -> Self:
        """Read all pairs and try each of them; raise Unusable. Blocks for some milliseconds."""
        contexts = [(context := _loaded(pair), _names(context, pair)) for pair in pairs]
        named: dict[str, ssl.SSLContext] = {}
        for context, names in contexts:
            for name in names:
                named.setdefault(name, context)
        return cls(contexts[0][0], named)

    def pick(self, name: str | None) -> ssl.SSLContext:
        """Return the context for the name that a client sent, an exact one before a wildcard.

        RFC 9525 section 6.3; None: the client sent no name.
        """
        if name is None:
            return self.default
        name = name.lower().removesuffix(".")  # which names the same host
        found = self.named.get(name) or self.named.get("*." + name.partition(".")[2])
        return found or self.default


class Certificates:
    """The certificates of one listener.

    Args:
        pairs: at least one; the first is the default. They are read by the first `renew`.
    """

    table: CertificateTable
    """The table for new handshakes; it is swapped, never edited."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self.context = _server_context()
        """The outer context, which never changes."""
        self.context.sni_callback = self._choose

    def __repr__(self) -> str:
        return f"<Certificates {', '.join(pair.cert for pair in self.pairs)}>"

    def use(self, table: CertificateTable) -> None:
        """Present the certificates of a table from now on."""
        self.table = table

    def _choose(self, connection: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        connection.context = self.table.pick(name)


def renew(certificates: Iterable[Certificates]) -> None:
    """Read the files of all listeners again, then use them. Raises Unusable, and then nothing has changed.

    May be called in another thread: the swap of each is one assignment.
    """
    fresh = [(each, CertificateTable.read(each.pairs)) for each in certificates]
    for each, table in fresh:
        each.use(table)


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # A client could renegotiate without end, and each time costs the server more than the client.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _loaded(pair: Pair) -> ssl.SSLContext:
    context = _server_context()
    load_pair(context, pair)
    return context


def _names(context: ssl.SSLContext, pair: Pair) -> tuple[str, ...]:
    """Return the DNS names in the certificate's subjectAltName; its common name is obsolete.

    `ssl` returns them only for a verified certificate of a peer. So a client in memory meets the server
    twice: it takes the certificate the first time and trusts it the second. That proves too that the pair
    works.
    """
    try:
        leaf = _handshake(context, _trusting(None)).getpeercert(binary_form=True)
        cert: dict[str, Any] = _handshake(context, _trusting(leaf)).getpeercert() or {}
    except ssl.SSLError as error:
        raise Unusable(f"{pair.cert}: no client would accept it: {openssl_reason(error)}") from error
    return tuple(value.lower() for kind, value in cert.get("subjectAltName", ()) if kind == "DNS")


def _trusting(leaf: bytes | None) -> ssl.SSLContext:
    """Return a client context that trusts one certificate; None: every certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if leaf is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=leaf)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    return context


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Do a handshake in memory; return the client's end of it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server)
    ends = [near, server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(_MOST_TURNS):
        ends = [end for end in ends if not _advance(end)]
        if not ends:
            break
    return near


def _advance(end: ssl.SSLObject) -> bool:
    """Go on with the handshake as far as possible; return whether it is complete."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True

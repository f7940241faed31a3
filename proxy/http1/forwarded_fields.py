"""The fields that name where a request came from: X-Forwarded-*, X-Real-IP, Forwarded, Via, X-Request-Id.

They are made from what the socket knows. Anybody can write X-Forwarded-For, so what a client states of itself
is dropped. Only a peer that the operator trusts (another proxy, in front of this one) is believed: what it
stated is kept, and this hop is added to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from proxy.http1.fields import OURS, TOKEN, is_claim
from proxy.http1.head import RequestHead

UNIX = "unix"
"""The address of every client on a unix socket, and the word that trusts them all."""
LONGEST_ID = 128
"""Bytes of a request id that is kept: it is repeated in each line of the access log."""

TrustedNetwork = IPv4Network | IPv6Network

_USUAL_PORTS = {b"http": b"80", b"https": b"443"}
_VIA = (b"Via: 1.0 weir\r\n", b"Via: 1.1 weir\r\n")


@dataclass(frozen=True, slots=True)
class Peers:
    """Those whom the operator knows and believes. Raises ValueError for a network that is none.

    Args:
        written: addresses and networks (CIDR), and `unix` for all on unix sockets.
    """

    written: Sequence[str] = ()
    _networks: Sequence[TrustedNetwork] = field(init=False, repr=False, compare=False)
    """Read once for all connections."""

    def __post_init__(self) -> None:
        networks = tuple(ip_network(one) for one in self.written if one != UNIX)
        object.__setattr__(self, "_networks", networks)

    def __contains__(self, peer: str) -> bool:
        """Return whether this is one of them: an address, or `unix`; empty is nobody."""
        if peer == UNIX:
            return UNIX in self.written
        found = ip_address(peer.partition("%")[0]) if peer and self._networks else None
        return any(found in network for network in self._networks)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What all hops of one proxy have in common. Raises ValueError for a trusted network that is none.

    Args:
        trusted: addresses and networks (CIDR) of the peers that are believed, and `unix`.
        via: whether Via is added (RFC 9110 section 7.6.3).
        forwarded: whether Forwarded is added (RFC 7239).
    """

    trusted: Sequence[str] = ()
    via: bool = False
    forwarded: bool = False
    peers: Peers = field(init=False, repr=False, compare=False)
    """The trusted ones."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "peers", Peers(self.trusted))

    def hop(self, peer: str, *, secure: bool) -> "Hop":
        """Return the hop of requests from this peer: an address, or `unix`."""
        return Hop(self, peer, secure=secure)


class Hop:
    """The fields of the requests of one connection, as far as they are the same for all of them.

    Args:
        provenance: what all hops have in common.
        peer: the address at the other end of the socket, or `unix`.
        secure: whether the connection speaks TLS.
    """

    __slots__ = (
        "_forwarded",
        "_host",
        "_lines",
        "_lines_with_host",
        "_peers",
        "_proto",
        "_shown",
        "_via",
        "peer",
        "trusted",
    )

    def __init__(self, provenance: Provenance, peer: str, *, secure: bool) -> None:
        self.peer = peer
        self._peers = provenance.peers
        self.trusted = peer in self._peers
        """Whether the peer is believed."""
        self._shown = b"unknown" if peer == UNIX else peer.encode()
        self._proto = b"https" if secure else b"http"
        self._lines = b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n" % (self._shown, self._proto)
        self._host: bytes | None = None
        self._lines_with_host = b""
        self._via = _VIA if provenance.via else (b"", b"")
        self._forwarded = provenance.forwarded

    def __repr__(self) -> str:
        return f"<Hop from {self.peer}{', trusted' if self.trusted else ''}>"

    def client(self, head: RequestHead) -> str:
        """Return the client's address: the last one in X-Forwarded-For that isn't a trusted proxy's own."""
        found = self.peer
        if not self.trusted:
            return found
        for value in reversed(b",".join(head.values(b"x-forwarded-for")).split(b",")):
            address = _address(value.strip(b" \t").decode("latin-1"))
            if not address:
                break
            found = address
            if address not in self._peers:
                break
        return found

    def request_id(self, head: RequestHead) -> bytes:
        """Return the request id that a trusted peer has given; empty for none that can be kept."""
        given = head.values(b"x-request-id") if self.trusted else []
        kept = given[0] if len(given) == 1 else b""
        return kept if len(kept) <= LONGEST_ID and kept.isascii() and kept.decode().isprintable() else b""

    def lines(self, head: RequestHead, request_id: bytes) -> bytes:
        """Return our own field lines for the endpoint, each with its CRLF."""
        host = head.steering.get(b"host", b"")
        if self.trusted:
            lines = self._kept(head, host)
        elif host == self._host:
            lines = self._lines_with_host
        else:
            lines = self._lines_for(host)
        if self._forwarded:
            lines += self._forwarded_line(head, host)
        return b"%bX-Request-Id: %b\r\n%b" % (lines, request_id, self._via[head.minor])

    def _lines_for(self, host: bytes) -> bytes:
        """Return the lines of a request for this host. Another one on the same connection is rare."""
        self._host = host
        lines = self._lines + (b"X-Forwarded-Host: %b\r\n" % host if host else b"")
        lines += b"X-Forwarded-Port: %b\r\n" % (_port(host) or _USUAL_PORTS[self._proto])
        if self.peer != UNIX:
            lines += b"X-Real-IP: %b\r\n" % self._shown
        self._lines_with_host = lines
        return lines

    def _kept(self, head: RequestHead, host: bytes) -> bytes:
        """Return the lines as the trusted peer has them; what it didn't state is added."""
        chain = _joined(head, b"x-forwarded-for")
        lines = b"X-Forwarded-For: %b\r\n" % (chain + b", " + self._shown if chain else self._shown)
        lines += b"X-Forwarded-Proto: %b\r\n" % (_joined(head, b"x-forwarded-proto") or self._proto)
        if host := _joined(head, b"x-forwarded-host") or host:
            lines += b"X-Forwarded-Host: %b\r\n" % host
        proto = _joined(head, b"x-forwarded-proto").rpartition(b",")[2].strip().lower()
        port = _joined(head, b"x-forwarded-port") or _port(host) or _USUAL_PORTS.get(proto or self._proto)
        if port:
            lines += b"X-Forwarded-Port: %b\r\n" % port
        if client := _joined(head, b"x-real-ip") or self._client(head):
            lines += b"X-Real-IP: %b\r\n" % client
        chain = _joined(head, b"forwarded")
        if chain and not self._forwarded:
            lines += b"Forwarded: %b\r\n" % chain
        others = (line for name, line in head.fields if is_claim(name) and name not in OURS)
        return lines + b"".join(line + b"\r\n" for line in others)

    def _client(self, head: RequestHead) -> bytes:
        client = self.client(head)
        return b"" if client == UNIX else client.encode()

    def _forwarded_line(self, head: RequestHead, host: bytes) -> bytes:
        node = b'"[%b]"' % self._shown if b":" in self._shown else self._shown
        element = b"for=%b;proto=%b" % (node, self._proto)
        if host:
            # A port's colon is no token; RFC 7239 section 4 has such a value in quotes.
            element += b";host=%b" % (host if TOKEN.fullmatch(host) else b'"%b"' % host)
        chain = _joined(head, b"forwarded") if self.trusted else b""
        return b"Forwarded: %b\r\n" % (chain + b", " + element if chain else element)


def peer_address(peername: object) -> str:
    """Return the address in what a TCP socket calls its peer, an IPv4 one as such, however it came.

    It is empty when there is none: the peer has gone by now, and must not pass for one on a unix socket.
    """
    if not isinstance(peername, tuple):
        return ""
    return _address(peername[0]) or str(peername[0])


def _port(host: bytes) -> bytes:
    """Return the port in `shop:81` or `[::1]:81`; empty for none."""
    name, _, port = host.rpartition(b":")
    return port if name and port.isdigit() and not (b":" in name and not name.endswith(b"]")) else b""


def _joined(head: RequestHead, name: bytes) -> bytes:
    return b", ".join(head.values(name))


def _address(text: str) -> str:
    """Return the address in `192.0.2.7`, `192.0.2.7:80` or `[2001:db8::1]:80`; empty for none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)

"""Trusted networks: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`, or `unix` for every unix socket."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from proxy.config.problems import Unfit, quoted

UNIX = "unix"
PEER_PATTERN = rf"{UNIX}|[0-9A-Fa-f:.]+(?:/[0-9]{{1,3}})?"

_FORMS = f"write a network such as `10.0.0.0/8`, an address such as `192.0.2.1`, or `{UNIX}`"
_MAPPED = IPv6Network("::ffff:0:0/96")


def peer(text: str) -> str:
    """Return a network in its one spelling, an address as the network of it alone, or `unix`.

    Raises:
        Unfit: It is none of these.
    """
    if text == UNIX:
        return text
    address, _, prefix = text.partition("/")
    network = _network(text) if re.fullmatch(PEER_PATTERN, text) else None
    if network is None:
        raise Unfit(f"{quoted(text)} is not a network or an address", _advice(text, address, prefix))
    if network.network_address != ip_address(address):
        raise Unfit(
            f"the address in {quoted(text)} has bits beyond the first {prefix}",
            f"write `{network}` for the whole network, or `{address}` for the one address",
        )
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise Unfit(
            f"{quoted(text)} is IPv4 written as IPv6",
            f"clients are known by their IPv4 address: write `{_ipv4(network)}`",
        )
    return str(network)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _ipv4(network: IPv6Network) -> IPv4Network:
    address = int(network.network_address) & 0xFFFF_FFFF
    return IPv4Network((address, network.prefixlen - 96))


def _advice(text: str, address: str, prefix: str) -> str:
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?", text)
    if text in ("*", "all", "any"):
        return "write `0.0.0.0/0` and `::/0` to believe everybody who can connect"
    if bracketed:
        return f"write the address alone: `{bracketed[1]}`"
    if re.fullmatch(r"[0-9.]+:[0-9]+", text):
        return f"the port does not matter here: write `{text.partition(':')[0]}`"
    if prefix and _network(address) is not None:
        most = 128 if ":" in address else 32
        return f"after the `/` comes how many bits all its addresses share, 0 to {most}"
    return f"{_FORMS}; names are not looked up"

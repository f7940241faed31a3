"""Networks, addresses and `unix`: in one spelling, or with what to write instead."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.networks import peer
from proxy.config.problems import Unfit


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.1/32", "192.0.2.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::1", "::1/128"),
        ("::/0", "::/0"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("unix", "unix"),
    ],
)
def test_peers(text: str, spelling: str) -> None:
    assert peer(text) == spelling


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6, network="2000::/3")), st.integers(0, 128))
def test_every_network_is_read_as_it_is_written(address: object, bits: int) -> None:
    network = str(ip_network(f"{address}/{min(bits, 32 if '.' in str(address) else 128)}", strict=False))
    assert peer(network) == network


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        (
            "10.0.0.5/8",
            "the address in `10.0.0.5/8` has bits beyond the first 8",
            "write `10.0.0.0/8` for the whole network, or `10.0.0.5` for the one address",
        ),
        ("2001:db8::1/32", "bits beyond the first 32", "write `2001:db8::/32` for the whole network"),
        ("10.0.0.0/33", "`10.0.0.0/33` is not a network or an address", "how many bits all its add"),
        ("10.0.0.0/255.0.0.0", "`10.0.0.0/255.0.0.0` is not a network", "share, 0 to 32"),
        ("::/129", "`::/129` is not a network", "share, 0 to 128"),
        ("10.0.0.0/", "`10.0.0.0/` is not a network", "such as `10.0.0.0/8`"),
        ("10.0.0", "`10.0.0` is not a network", "such as `192.0.2.1`, or `unix`"),
        ("010.0.0.1", "`010.0.0.1` is not a network", "such as `192.0.2.1`"),
        ("10.0.0.1:80", "is not a network", "the port does not matter here: write `10.0.0.1`"),
        ("[::1]", "`[::1]` is not a network", "write the address alone: `::1`"),
        ("[::1]:80", "`[::1]:80` is not a network", "write the address alone: `::1`"),
        ("fe80::1%eth0", "is not a network or an address", "such as `192.0.2.1`"),
        ("::ffff:10.0.0.0/104", "is IPv4 written as IPv6", "write `10.0.0.0/8`"),
        ("::ffff:10.0.0.1", "is IPv4 written as IPv6", "write `10.0.0.1/32`"),
        ("gateway.internal", "`gateway.internal` is not a network", "names are not looked up"),
        ("localhost", "`localhost` is not a network", "names are not looked up"),
        ("*", "`*` is not a network", "`0.0.0.0/0` and `::/0`"),
        ("Unix", "`Unix` is not a network", "or `unix`"),
        ("unix:/run/x.sock", "is not a network", "or `unix`"),
        ("", "an empty text is not a network", "such as `10.0.0.0/8`"),
    ],
)
def test_what_is_no_peer(text: str, says: str, advises: str) -> None:
    with pytest.raises(Unfit) as caught:
        peer(text)
    assert says in caught.value.message
    assert advises in caught.value.advice

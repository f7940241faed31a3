"""Addresses of endpoints: which there are, and what identifies them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.address import Address, addresses, host_name
from proxy.routing.endpoint import Endpoint, Trust

TLS_SOCKETS = ["192.0.2.1:443", "[2001:db8::1]:443"]
LOCATED = {"app.test": ("192.0.2.1", "2001:db8::1"), "127.0.0.1": ("192.0.2.9",)}


@pytest.mark.parametrize(
    ("url", "name", "ips", "sockets"),
    [
        ("http://127.0.0.1:81", "", ["127.0.0.1"], ["127.0.0.1:81"]),
        ("http://[::1]", "", ["::1"], ["[::1]:80"]),
        ("unix:/run/app.sock", "", [""], ["unix:/run/app.sock"]),
        (
            "https://app.test",
            "app.test",
            ["192.0.2.1", "2001:db8::1"],
            ["192.0.2.1:443", "[2001:db8::1]:443"],
        ),
        ("http://other.test", "other.test", [], []),
    ],
)
def test_an_endpoint_has_the_addresses_of_its_name(
    url: str, name: str, ips: list[str], sockets: list[str]
) -> None:
    endpoint = Endpoint.parse(url)
    found = addresses(endpoint, LOCATED)
    assert host_name(endpoint) == name
    assert [one.ip for one in found] == ips
    assert [one.socket for one in found] == sockets
    assert {one.endpoint for one in found} <= {endpoint}


URLS = st.sampled_from(["http://app.test", "http://app.test:81", "https://app.test"])
TRUSTS = st.sampled_from([Trust(), Trust(verify=False)])
IPS = st.sampled_from(["192.0.2.1", "192.0.2.2"])


@given(URLS, TRUSTS, IPS, URLS, TRUSTS, IPS)
def test_it_is_identified_by_its_endpoint_and_its_ip(
    url: str, trust: Trust, ip: str, other_url: str, other_trust: Trust, other_ip: str
) -> None:
    one = Address(Endpoint.parse(url, trust), ip)
    other = Address(Endpoint.parse(other_url, other_trust), other_ip)
    same = (one.endpoint, ip) == (other.endpoint, other_ip)
    assert (one == other) is same
    assert not same or hash(one) == hash(other)


def test_a_person_reads_the_endpoint_and_where_its_name_led() -> None:
    assert str(Address(Endpoint.parse("http://app.test:81"), "192.0.2.1")) == "http://app.test:81 (192.0.2.1)"
    assert str(Address(Endpoint.parse("http://127.0.0.1:81"), "127.0.0.1")) == "http://127.0.0.1:81"

import json

import pytest

from proxy.routing.endpoint import OWN_HOST, SYSTEM, Endpoint, Trust


@pytest.mark.parametrize(
    ("written", "url", "scheme", "host", "port", "path"),
    [
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001", "http", "127.0.0.1", 9001, ""),
        ("http://checkout", "http://checkout", "http", "checkout", 80, ""),
        ("http://checkout:80", "http://checkout", "http", "checkout", 80, ""),
        (
            "HTTP://Check_Out.Example:8080",
            "http://check_out.example:8080",
            "http",
            "check_out.example",
            8080,
            "",
        ),
        ("http://[::1]:80", "http://[::1]", "http", "::1", 80, ""),
        ("http://[0:0::0:1]:81", "http://[::1]:81", "http", "::1", 81, ""),
        ("http://a:65535", "http://a:65535", "http", "a", 65535, ""),
        ("https://Shop.Internal", "https://shop.internal", "https", "shop.internal", 443, ""),
        ("HTTPS://shop:443", "https://shop", "https", "shop", 443, ""),
        ("https://shop:80", "https://shop:80", "https", "shop", 80, ""),
        ("http://shop:443", "http://shop:443", "http", "shop", 443, ""),
        ("https://[::1]:8443", "https://[::1]:8443", "https", "::1", 8443, ""),
        ("unix:/run/app.sock", "unix:/run/app.sock", "unix", "", 0, "/run/app.sock"),
        ("unix:///run/app.sock", "unix:/run/app.sock", "unix", "", 0, "/run/app.sock"),
        ("unix:/" + 106 * "a", "unix:/" + 106 * "a", "unix", "", 0, "/" + 106 * "a"),
    ],
)
def test_reads_an_address_in_its_one_spelling(
    written: str, url: str, scheme: str, host: str, port: int, path: str
) -> None:
    endpoint = Endpoint.parse(written)
    assert (endpoint.url, endpoint.scheme, endpoint.host) == (url, scheme, host)
    assert (endpoint.port, endpoint.path, str(endpoint)) == (port, path, url)
    assert Endpoint.parse(url) == endpoint


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "expected http://host"),
        ("127.0.0.1:9001", "expected http://host"),
        ("ftp://127.0.0.1", "expected http://host"),
        ("https:/a", "expected http://host"),
        ("https://a/path", "expected https://host"),
        ("http:/a", "expected http://host"),
        ("http://", "nothing after it"),
        ("http://a/", "nothing after it"),
        ("http://a:9001/path", "nothing after it"),
        ("http://user@a", "nothing after it"),
        ("http://a:", "nothing after it"),
        ("http://a b", "nothing after it"),
        ("http://a\r\nX: y", "nothing after it"),
        ("http://a\n", "nothing after it"),
        ("http://a:0", "0 is no port"),
        ("http://a:65536", "65536 is no port"),
        ("http://[::1", "nothing after it"),
        ("http://[1:2]", "no IPv6 address"),
        ("unix:run/app.sock", "absolute path"),
        ("unix:", "absolute path"),
        ("unix://", "absolute path"),
        ("unix:/run/a\0b", "control character"),
        ("unix:/" + 107 * "a", "at most 107 bytes"),
    ],
)
def test_refuses_anything_else_in_words(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Endpoint.parse(written)


def test_is_known_by_its_url() -> None:
    one, same, other = map(Endpoint.parse, ("http://A", "http://a:80", "http://b"))
    assert one == same != other
    assert hash(one) == hash(same)
    assert {one: 1}[same] == 1


OURS = Trust(ca="/etc/ca.pem", server_name="shop.internal", cert="/etc/c.pem", key="/etc/c.key")


def test_different_trust_makes_different_endpoints_of_one_url() -> None:
    one, other = Endpoint.parse("https://a", OURS), Endpoint.parse("https://a", Trust(verify=False))
    assert one != other != Endpoint.parse("https://a")
    assert one == Endpoint.parse("HTTPS://A:443", Trust(**OURS.to_json()))
    assert len({one, other, Endpoint.parse("https://a"), Endpoint.parse("https://a", SYSTEM)}) == 3


def test_trust_means_nothing_without_tls() -> None:
    for url in ("http://a", "unix:/run/app.sock"):
        assert Endpoint.parse(url, OURS) == Endpoint.parse(url)
        assert Endpoint.parse(url, OURS).trust is SYSTEM


def test_its_hash_is_the_one_that_the_url_remembers() -> None:
    """A hash over the trust as well would be computed anew at every look-up."""
    endpoint = Endpoint.parse("https://a", OURS)
    assert hash(endpoint) == hash(endpoint.url)


@pytest.mark.parametrize("trust", [SYSTEM, OURS, Trust(verify=False)])
@pytest.mark.parametrize("url", ["http://a", "https://a:8443", "unix:/run/app.sock"])
def test_survives_json(url: str, trust: Trust) -> None:
    endpoint = Endpoint.parse(url, trust)
    again = Endpoint.from_json(json.loads(json.dumps(endpoint.to_json())))
    assert (again, again.trust) == (endpoint, endpoint.trust)


def test_what_says_nothing_more_is_its_url() -> None:
    assert Endpoint.parse("https://a").to_json() == "https://a"
    assert Endpoint.parse("https://a", Trust(verify=False)).to_json() == {
        "url": "https://a",
        "trust": {"verify": False},
    }


@pytest.mark.parametrize(
    ("url", "asked", "sent"),
    [
        ("http://app.test:81", "", ""),
        ("http://app.test:81", OWN_HOST, "app.test:81"),
        ("https://App.test:443", OWN_HOST, "app.test"),
        ("http://[::1]:81", OWN_HOST, "[::1]:81"),
        ("unix:/run/app", OWN_HOST, "localhost"),
        ("http://127.0.0.1:81", "shop.example", "shop.example"),
    ],
)
def test_the_host_that_it_gets(url: str, asked: str, sent: str) -> None:
    endpoint = Endpoint.parse(url, host_sent=asked)
    assert endpoint.host_sent == sent
    assert Endpoint.from_json(json.loads(json.dumps(endpoint.to_json()))) == endpoint
    assert (endpoint == Endpoint.parse(url)) is (sent == ""), "what it is asked by identifies it"
    assert endpoint.identity == str(endpoint) == (f"{endpoint.url} (Host {sent})" if sent else endpoint.url)

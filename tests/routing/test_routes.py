from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.head import RequestHead
from proxy.routing.routes import Routes
from proxy.routing.table import Service

Ask = Callable[..., RequestHead]
Serve = Callable[..., Service]


def fits_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) >= len(pattern)
    return pattern in ("", host)


def fits_path(prefix: str, path: str) -> bool:
    return (path + "/").startswith(prefix if prefix.endswith("/") else prefix + "/") and len(path) >= len(
        prefix
    )


def rank(service: Service) -> tuple[int, int, int]:
    """Exact hosts, then the longest suffix, then any; within them the longest path."""
    host = service.match.host
    kind = 0 if not host else 1 if host.startswith("*.") else 2
    return kind, len(host), len(service.match.path)


HOSTS = st.lists(st.sampled_from("ab"), max_size=3).map(".".join)
PATTERNS = st.tuples(st.sampled_from(("", "*.")), HOSTS).map(lambda two: two[0] + two[1] if two[1] else "")
PATHS = st.text("/ab", max_size=6).map(lambda text: "/" + text)


@given(
    st.lists(st.tuples(PATTERNS, PATHS), unique=True, max_size=12),
    st.lists(st.tuples(HOSTS, PATHS), max_size=12),
)
def test_finds_what_trying_them_all_finds(
    ask: Ask, serve: Serve, matches: list[tuple[str, str]], requests: list[tuple[str, str]]
) -> None:
    services = [serve(f"s{n}", host, path) for n, (host, path) in enumerate(matches)]
    routes = Routes(services)
    for host, path in requests:
        fitting = [s for s in services if fits_host(s.match.host, host) and fits_path(s.match.path, path)]
        expected = max(fitting, key=rank, default=None)
        assert routes.find(ask(path + "?a=/b/a", host)) == (expected and expected.name)


MATCHES = {
    "shop": ("Shop.example", "/"),
    "cart": ("shop.example", "/cart"),
    "cart-v2": ("shop.example", "/cart/v2/"),
    "below-list": ("shop.example", "/list/"),
    "list": ("shop.example", "/list"),
    "pay": ("pay.example", "/card"),
    "sub": ("*.example", "/"),
    "subsub": ("*.eu.example", "/eu"),
    "health": ("", "/health"),
    "double": ("", "//"),
}


@pytest.mark.parametrize(
    ("host", "target", "name"),
    [
        ("shop.example", "/", "shop"),
        ("shop.example", "*", "shop"),
        ("shop.example", "/cart", "cart"),
        ("shop.example", "/cart?x=/y", "cart"),
        ("shop.example", "/cart/", "cart"),
        ("shop.example", "/carts", "shop"),
        ("shop.example", "/cart/v2", "cart"),
        ("shop.example", "/cart/v2/", "cart-v2"),
        ("shop.example", "/cart/v2/" + "a/" * 1000, "cart-v2"),
        ("shop.example", "/list", "list"),
        ("shop.example", "/list/", "below-list"),
        ("shop.example", "/list/1", "below-list"),
        ("shop.example", "/%63art", "shop"),
        ("shop.example", "/health", "shop"),
        ("pay.example", "/card/1", "pay"),
        ("pay.example", "/health", "sub"),
        ("a.eu.example", "/eu", "subsub"),
        ("a.eu.example", "/us", "sub"),
        ("b.a.eu.example", "/eu/x", "subsub"),
        ("eu.example", "/eu", "sub"),
        ("example", "/", None),
        (".example", "/", None),
        ("a.example.org", "/", None),
        ("a.example.org", "/health/live", "health"),
        ("", "/health", "health"),
        ("", "/healthy", None),
        ("", "//", "double"),
        ("", "//health", "double"),
        ("." * 8000 + "eu.example", "/eu", "subsub"),
    ],
)
def test_by_host_then_by_the_longest_path(
    ask: Ask, serve: Serve, host: str, target: str, name: str | None
) -> None:
    routes = Routes([serve(name, host, path) for name, (host, path) in MATCHES.items()])
    assert routes.find(ask(target, host)) == name


def test_of_two_that_match_the_same_the_first_is_found(ask: Ask, serve: Serve) -> None:
    for host, path in (("", "/"), ("", "/a"), ("", "/a/"), ("a.b", "/"), ("*.b", "/a")):
        first, second = serve("one", host, path), serve("two", host, path)
        for target in (path, f"{path}/x"):
            assert Routes([first, second]).find(ask(target, "a.b")) == first.name

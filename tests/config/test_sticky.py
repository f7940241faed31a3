"""The cookie that is issued: its attributes, and those with which no browser would take it."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.config.sticky import Sticky


def sticky(keys: str) -> Sticky:
    config = read(f"services: {{a: {{stable: http://a, sticky: {{{keys}}}}}}}", "weir.yaml", {})
    found = config.services["a"].sticky
    assert found is not None
    return found


def test_without_a_word_the_cookie_is_as_it_always_was() -> None:
    found = sticky("cookie: weir")
    assert (found.same_site, found.domain, found.path) == ("lax", None, "/")
    assert (found.max_age, found.secure) == (30 * 24 * 3600, False)


def test_all_of_its_attributes() -> None:
    found = sticky("cookie: weir, same_site: none, secure: on, domain: .Shop.Example, path: /a, max_age: 1h")
    assert (found.same_site, found.domain, found.path) == ("none", "shop.example", "/a")
    assert (found.max_age, found.secure) == (3600, True)
    assert sticky("cookie: __Host-weir, secure: on").cookie == "__Host-weir"
    assert sticky("cookie: __Secure-weir, secure: on, domain: a.example").domain == "a.example"


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("cookie: w, same_site: none", "browsers take no `SameSite=None` without `Secure`", "secure: on"),
        ("cookie: w, same_site: Lax", "`Lax` is not a SameSite", "expected `lax`, `strict` or `none`"),
        ("cookie: __Host-w", "no cookie named `__Host-w` without `Secure`", "secure: on"),
        ("cookie: __secure-w", "no cookie named `__secure-w` without `Secure`", "secure: on"),
        ("cookie: __Host-w, secure: on, path: /a", "with a `path` of its own", "remove it"),
        ("cookie: __Host-w, secure: on, domain: a", "with a `domain` of its own", "remove it"),
        ("cookie: w, domain: 'a b'", "`a b` is not the domain of a cookie", "like `shop.example`"),
        ("cookie: w, domain: 'a;b'", "`a;b` is not the domain of a cookie", "like `shop.example`"),
        ("cookie: w, domain: 'a..b'", "`a..b` is not the domain of a cookie", "like `shop.example`"),
        ("cookie: __Http-w", "no cookie named `__Http-w` without `Secure`", "secure: on"),
        ("cookie: w, path: a", "`a` is not the path of a cookie", "begins with `/`"),
        ("cookie: w, path: '/a;b'", "`/a;b` is not the path of a cookie", "has no `;`"),
        ("cookie: w, issue: 'false', max_age: 1h", "and `issue` is `false` in", "remove `max_age`"),
        ("cookie: w, max_age: 0", "`0` is too short", "from `1s`"),
        ("cookie: w, max_age: 9601h", "`9601h` is too long", "to `"),
        ("header: X-User, max_age: 1h", "`max_age` belongs to `cookie`", "remove it"),
        ("client_ip: true, secure: on", "`secure` belongs to `cookie`", "remove it"),
    ],
)
def test_what_is_wrong(wrong: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = wrong(f"services: {{a: {{stable: http://a, sticky: {{{keys}}}}}}}")
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


def test_the_application_s_own_cookie_has_the_name_and_attributes_that_it_has() -> None:
    assert sticky("cookie: __Host-session, issue: false").cookie == "__Host-session"


@pytest.mark.parametrize(
    ("match", "keys"),
    [
        ("host: shop.example", "domain: shop.example"),
        ("host: www.shop.example", "domain: shop.example"),
        ("host: '*.shop.example'", "domain: shop.example"),
        ("host: '*.example'", "domain: shop.example"),
        ("path: /api", "path: /"),
        ("path: /api", "path: /api/"),
        ("path: /api/v1", "path: /api"),
        ("path: /", "path: /shop"),
    ],
)
def test_a_cookie_that_comes_back_to_its_service(match: str, keys: str) -> None:
    text = f"services: {{a: {{stable: http://a, match: {{{match}}}, sticky: {{cookie: w, {keys}}}}}}}"
    assert read(text, "weir.yaml", {}).services["a"].sticky is not None


@pytest.mark.parametrize(
    ("match", "keys", "says"),
    [
        ("host: shop.example", "domain: example.net", "domain `example.net` from the host `shop.example`"),
        ("host: shop.example", "domain: op.example", "domain `op.example` from the host `shop.example`"),
        ("host: shop.example", "domain: www.shop.example", "no cookie of the domain `www.shop.example`"),
        ("host: '*.shop.example'", "domain: other.example", "no cookie of the domain `other.example`"),
        (
            "path: /api",
            "path: /shop",
            "no request for the path `/api` comes with a cookie of the path `/shop`",
        ),
        (
            "path: /api",
            "path: /apis",
            "no request for the path `/api` comes with a cookie of the path `/apis`",
        ),
    ],
)
def test_a_cookie_that_never_comes_back_to_its_service(
    wrong: Callable[..., Any], match: str, keys: str, says: str
) -> None:
    text = f"services: {{a: {{stable: http://a, match: {{{match}}}, sticky: {{cookie: w, {keys}}}}}}}"
    (problem,) = wrong(text)
    assert says in problem.message
    assert any("if it comes from `defaults`" in line for line in problem.advice)

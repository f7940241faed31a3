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
        ("cookie: w, path: a", "`a` is not a path to match", "begins with `/`"),
        ("cookie: w, path: '/a;b'", "a `;` would end the path of a cookie", "without one"),
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

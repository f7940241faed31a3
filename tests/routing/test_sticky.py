from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.head import RequestHead
from proxy.routing.split import TOTAL
from proxy.routing.sticky import CookieAttributes, Sticky

Ask = Callable[..., RequestHead]

OURS = Sticky("cookie", "weir", issue=True, salt="one")
THEIRS = Sticky("cookie", "session", issue=False)


@pytest.mark.parametrize(
    ("sticky", "cookies", "key"),
    [
        (OURS, "a=1; weir=k1", b"k1"),
        (OURS, 'weir="k1"', b"k1"),
        (OURS, "weir=%6b1", b"%6b1"),
        (OURS, "session=s", None),
        (OURS, "weir=", None),
        (OURS, "weir=" + "k" * 128, b"k" * 128),
        (OURS, "weir=" + "k" * 129, None),
        (OURS, "weir=a b", None),
        (OURS, "weir=a\x01", None),
        (OURS, "weir=ü", None),
        (THEIRS, "session=s; weir=w", b"s"),
        (THEIRS, "session=" + "s" * 500, b"s" * 500),
        (THEIRS, "session=ü v", "ü v".encode()),
        (THEIRS, "session=", None),
        (THEIRS, "weir=w", None),
        (Sticky("header", "X-User"), "", b"u1"),
        (Sticky("header", "X-Nobody"), "", None),
        (Sticky("header", "X-Empty"), "", None),
        (Sticky("client-ip"), "", b"192.0.2.7"),
        (Sticky.off(), "weir=k1", None),
    ],
)
def test_finds_the_key_that_a_request_carries(
    ask: Ask, sticky: Sticky, cookies: str, key: bytes | None
) -> None:
    fields = [("Cookie", cookies), ("x-user", "u1"), ("X-User", "u2"), ("X-Empty", "")]
    assert sticky.key(ask(fields=fields), "192.0.2.7") == key


def test_an_unknown_client_has_no_key(ask: Ask) -> None:
    assert Sticky("client-ip").key(ask(), "") is None


def test_only_a_cookie_of_ours_is_issued() -> None:
    assert OURS.issues
    assert not THEIRS.issues
    assert not Sticky("header", "X-User", issue=True).issues
    assert not Sticky.off().issues


@given(st.binary(min_size=1, max_size=64), st.text(max_size=16))
def test_a_place_is_one_of_the_parts_and_stays(key: bytes, salt: str) -> None:
    place = Sticky("client-ip", salt=salt).user(key) % TOTAL
    assert 0 <= place < TOTAL
    assert Sticky("client-ip", salt=salt).user(key) % TOTAL == place


def test_places_are_even_and_another_salt_shuffles_them() -> None:
    keys = [b"%032x" % n for n in range(20_000)]
    one, two = Sticky("client-ip", salt="one"), Sticky("client-ip", salt="two")
    first, second = ({key for key in keys if sticky.user(key) % TOTAL < 1_000} for sticky in (one, two))
    # A tenth of 20,000 and a hundredth in both, within five standard deviations.
    assert abs(len(first) - 2_000) < 213
    assert abs(len(second) - 2_000) < 213
    assert abs(len(first & second) - 200) < 71


def test_a_place_never_changes_between_versions() -> None:
    """Users would change sides at an upgrade."""
    assert OURS.user(b"0123456789abcdef0123456789abcdef") % TOTAL == 119
    assert Sticky("client-ip").user(b"x") % TOTAL == 4383


@pytest.mark.parametrize(("secure", "end"), [(False, b"SameSite=Lax"), (True, b"SameSite=Lax; Secure")])
def test_issues_a_cookie(ask: Ask, secure: bool, end: bytes) -> None:
    line = OURS.set_cookie(b"0a" * 16, secure)
    assert line == b"weir=" + b"0a" * 16 + b"; Path=/; Max-Age=2592000; HttpOnly; " + end
    assert OURS.key(ask(fields=[("Cookie", line.decode().partition(";")[0])]), "") == b"0a" * 16


@pytest.mark.parametrize("key", [b"", b"a;b", b"a\r\nSet-Cookie: b", b'"', b"k" * 129])
def test_never_issues_what_would_not_come_back(key: bytes) -> None:
    with pytest.raises(ValueError, match="can be issued"):
        OURS.set_cookie(key, secure=False)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "ü", "a\n"])
def test_refuses_a_name_that_no_cookie_has(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a cookie"):
        Sticky("cookie", name)


def test_refuses_a_salt_that_the_hash_cannot_take() -> None:
    assert 0 <= Sticky("client-ip", salt="s" * 64).user(b"k") % TOTAL < TOTAL
    with pytest.raises(ValueError, match="at most 64 bytes"):
        Sticky("client-ip", salt="s" * 65)


@pytest.mark.parametrize("sticky", [OURS, THEIRS, Sticky.off(), Sticky("header", "X-User", salt="s")])
def test_survives_json(sticky: Sticky) -> None:
    assert Sticky.from_json(sticky.to_json()) == sticky


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        (CookieAttributes("strict"), b"; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"),
        (
            CookieAttributes("none", "a.example", "/a", 60, secure=True),
            b"; Path=/a; Domain=a.example; Max-Age=60; HttpOnly; SameSite=None; Secure",
        ),
    ],
)
def test_a_cookie_has_the_attributes_that_were_asked_for(
    attributes: CookieAttributes, written: bytes
) -> None:
    one = Sticky("cookie", "weir", issue=True, cookie=attributes)
    assert one.set_cookie(b"k", secure=False) == b"weir=k" + written
    assert one.set_cookie(b"k", secure=True).count(b"; Secure") == 1
    assert Sticky.from_json(one.to_json()) == one

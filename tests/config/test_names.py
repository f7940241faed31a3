"""Names, hosts, paths, tokens and regular expressions."""

from collections.abc import Callable

import pytest

from proxy.config import names
from proxy.config.problems import Unfit


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (names.name, "checkout-v2.eu_1", "checkout-v2.eu_1"),
        (names.name, "on", "on"),
        (names.field, "X-Canary", "X-Canary"),
        (names.parameter, "a b", "a b"),
        (names.host, "Shop.Example", "shop.example"),
        (names.host, "*.shop.example", "*.shop.example"),
        (names.host, "[::1]", "[::1]"),
        (names.path, "/", "/"),
        (names.path, "/a%20b/~c;d=1", "/a%20b/~c;d=1"),
        (names.target, "/healthz", "/healthz"),
        (names.target, "/up?deep=1&x=/%20", "/up?deep=1&x=/%20"),
        (names.remark, "ask the on-call", "ask the on-call"),
        (names.secret, "0123456789abcde!", "0123456789abcde!"),
        (names.regex, "[a-z]+", "[a-z]+"),
        (names.method, "GET", "GET"),
        (names.method, "purge", "purge"),
        (names.token, "a" * 32, "a" * 32),
        (names.label, "v2 beta", "v2 beta"),
        (names.protocol, "websocket", "websocket"),
        (names.protocol, "h2x", "h2x"),
        (names.location, "/var/lib/weir.db", "/var/lib/weir.db"),
    ],
)
def test_what_is_well_written(read: Callable[[str], str], text: str, value: str) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "says", "advises"),
    [
        (names.name, "a b", "cannot be a name", "letters, digits"),
        (names.name, "-a", "cannot be a name", "letters, digits"),
        (names.name, "a" * 64, "cannot be a name", "63"),
        (names.field, "X Canary", "header or cookie", "`X-Canary`"),
        (names.field, "é", "header or cookie", "`X-Canary`"),
        (names.parameter, "", "query parameter", "`preview`"),
        (names.host, "*", "not a host", "leave `host` out"),
        (names.host, "a.*.b", "not a host", "`*.example`"),
        (names.host, "shop.example:443", "not a host", "write `shop.example`"),
        (names.host, "http://shop", "not a host", "the host alone"),
        (names.host, "bücher.example", "not a host", "`xn--`"),
        (names.path, "api", "not a path", "write `/api`"),
        (names.path, "/a?b=1", "not a path", "write `/a`"),
        (names.path, "/a b", "not a path", "`%20`"),
        (names.path, "/é", "not a path", "percent-encoded"),
        (names.path, "", "an empty text is not a path", "`/api`"),
        (names.target, "up", "`up` is not a path to ask for", "write `/up`"),
        (names.target, "http://a/up", "is not a path to ask for", "the path alone"),
        (names.target, "/up#x", "is not a path to ask for", "as it travels"),
        (names.target, "/a b", "is not a path to ask for", "as it travels"),
        (names.target, "", "an empty text is not a path to ask for", "`/healthz`"),
        (names.remark, " ", "cannot be a remark", "on one line"),
        (names.remark, "a\nb", "cannot be a remark", "on one line"),
        (names.remark, "a" * 257, "cannot be a remark", "256 characters"),
        (names.secret, "", "the secret has 0 characters", "16 to 4096"),
        (names.secret, "a" * 15, "the secret has 15 characters", "16 to 4096"),
        (names.secret, "a" * 16 + " ", "the secret has a space", "openssl rand"),
        (names.secret, "é" * 16, "the secret has a space or another character", "openssl rand"),
        (names.regex, "((", "missing ), unterminated subpattern (character 2)", "`\\`"),
        (names.regex, "a{99999999999999999999}", "is not a regular expression", "`\\`"),
        (names.regex, "[[a]", "is not a regular expression: Possible nested set", "`\\`"),
        (names.regex, "(" * 5000 + ")" * 5000, "is not a regular expression", "`\\`"),
        (names.method, "get", "not how this method is spelled", "write `GET`"),
        (names.method, "G T", "cannot be a request method", "`GET`"),
        (names.token, "", "the token is empty", "openssl"),
        (names.token, "a" * 5000, "the token", "openssl"),
        (names.protocol, "h2c", "would take requests past all that is decided", "leave it out"),
        (names.protocol, "H2", "would take requests past all that is decided", "leave it out"),
        (names.protocol, "WebSocket", "`WebSocket` is not a protocol to upgrade to", "write `websocket`"),
        (names.protocol, "http/2.0", "is not a protocol", "like `websocket`"),
        (names.protocol, "", "an empty text is not a protocol", "like `websocket`"),
        (names.label, "a\nb", "cannot be a version", "one line"),
        (names.location, "a\0b", "cannot be the path", "weir.db"),
    ],
)
def test_what_is_not(read: Callable[[str], str], text: str, says: str, advises: str) -> None:
    with pytest.raises(Unfit) as caught:
        read(text)
    assert says in caught.value.message
    assert advises in caught.value.advice


def test_a_secret_is_never_repeated() -> None:
    for text in ("hunter2", "hunter2 hunter2 hunter2"):
        with pytest.raises(Unfit) as caught:
            names.secret(text)
        assert "hunter2" not in caught.value.message + caught.value.advice


def test_a_token_is_never_repeated() -> None:
    with pytest.raises(Unfit, match="a space") as caught:
        names.token("hunter 2")
    assert "hunter" not in caught.value.message + caught.value.advice

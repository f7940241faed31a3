"""Point 4: exactly one valid Host, and a target that is one (RFC 9112 section 3, RFC 9110 section 7.2)."""

from tests.wire.case import cases
from tests.wire.program import Wire
from tests.wire.upstream import OK

END = b"\r\n\r\n"


def get(target: bytes, *hosts: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    lines = [b"Host: " + host for host in hosts or (b"shop.example",)]
    return b"\r\n".join([b"%b %b %b" % (method, target, version), *lines]) + END


HOSTS = (
    ("p04-rfc9112-3.2-no-host", b"GET / HTTP/1.1\r\nX-A: b" + END, 400),
    ("p04-rfc9112-3.2-no-fields", b"GET / HTTP/1.1" + END, 400),
    ("p04-rfc9112-3.2-no-host-beside-absolute", b"GET http://shop.example/ HTTP/1.1" + END, 400),
    ("p04-rfc9112-3.2-two-hosts", get(b"/", b"a.example", b"b.example"), 400),
    ("p04-rfc9112-3.2-two-equal-hosts", get(b"/", b"a.example", b"a.example"), 400),
    ("p04-rfc9112-3.2-two-hosts-in-1.0", get(b"/", b"a", b"b", version=b"HTTP/1.0"), 400),
    ("p04-rfc9112-3.2-two-hosts-beside-absolute", get(b"http://a/", b"a", b"b"), 400),
    ("p04-rfc9112-3.2-host-list", get(b"/", b"a.example, b.example"), 400),
    ("p04-rfc9112-3.2-host-empty", get(b"/", b""), 400),
    ("p04-rfc9112-3.2-host-space", get(b"/", b"a b"), 400),
    ("p04-rfc9112-3.2-host-path", get(b"/", b"a.example/x"), 400),
    ("p04-rfc9112-3.2-host-query", get(b"/", b"a.example?x"), 400),
    ("p04-rfc9112-3.2-host-fragment", get(b"/", b"a.example#x"), 400),
    ("p04-rfc9112-3.2-host-scheme", get(b"/", b"http://a.example"), 400),
    ("p04-rfc9112-3.2-host-backslash", get(b"/", b"a.example\\b"), 400),
    ("p04-rfc9112-3.2-host-quotes", get(b"/", b'"a.example"'), 400),
    ("p04-rfc9112-3.2-host-angles", get(b"/", b"<a>"), 400),
    ("p04-rfc9112-3.2-host-tab", get(b"/", b"a\tb"), 400),
    ("p04-rfc9112-3.2-host-beyond-ascii", get(b"/", "bücher.example".encode()), 400),
    ("p04-rfc9112-3.2-host-bad-percent", get(b"/", b"a%zz"), 400),
    ("p04-rfc9110-4.2.4-host-userinfo", get(b"/", b"user@a.example"), 400),
    ("p04-rfc9110-4.2.4-host-password", get(b"/", b"user:pass@a.example"), 400),
    ("p04-rfc9110-7.2-port-letters", get(b"/", b"a:b"), 400),
    ("p04-rfc9110-7.2-port-too-large", get(b"/", b"a:65536"), 400),
    ("p04-rfc9110-7.2-port-too-long", get(b"/", b"a:000080"), 400),
    ("p04-rfc9110-7.2-port-minus", get(b"/", b"a:-1"), 400),
    ("p04-rfc9110-7.2-port-twice", get(b"/", b"a:80:80"), 400),
    ("p04-rfc9110-7.2-port-alone", get(b"/", b":80"), 400),
    ("p04-rfc3986-3.2.2-ipv6-bare", get(b"/", b"::1"), 400),
    ("p04-rfc3986-3.2.2-ipv6-open", get(b"/", b"[::1"), 400),
    ("p04-rfc3986-3.2.2-ipv6-none", get(b"/", b"[]"), 400),
    ("p04-rfc3986-3.2.2-ipv6-wrong", get(b"/", b"[:::1]"), 400),
    ("p04-rfc3986-3.2.2-ipv6-tail", get(b"/", b"[::1]x"), 400),
)  # fmt: skip
TARGETS = (
    ("p04-rfc9112-3.2-fragment", get(b"/a#b"), 400),
    ("p04-rfc9112-3.2-fragment-in-absolute", get(b"http://a/b#c"), 400),
    ("p04-rfc9112-3.2-fragment-alone", get(b"#"), 400),
    ("p04-rfc9112-3.2.4-asterisk-get", get(b"*"), 400),
    ("p04-rfc9112-3.2.4-asterisk-post", get(b"*", method=b"POST"), 400),
    ("p04-rfc9112-3.2.4-asterisk-tail", get(b"*x", method=b"OPTIONS"), 400),
    ("p04-rfc9112-3.2-relative", get(b"a/b"), 400),
    ("p04-rfc9112-3.2-query-alone", get(b"?a"), 400),
    ("p04-rfc9112-3.2-dot-dot", get(b"../a"), 400),
    ("p04-rfc9112-3.2-authority-form", get(b"a.example:80"), 400),
    ("p04-rfc9112-3.2-control", get(b"/a\x01b"), 400),
    ("p04-rfc9112-3.2-delete", get(b"/a\x7fb"), 400),
    ("p04-rfc9112-3.2-escape", get(b"/\x1b[2J"), 400),
    ("p04-rfc9112-3.2-beyond-ascii", get("/ä".encode()), 400),
    ("p04-rfc9112-3.2-space", get(b"/a b"), 400),
    ("p04-rfc9112-3.2.2-absolute-no-host", get(b"http:///a"), 400),
    ("p04-rfc9112-3.2.2-absolute-userinfo", get(b"http://u:p@a.example/"), 400),
    ("p04-rfc9112-3.2.2-absolute-bad-port", get(b"http://a.example:x/"), 400),
    ("p04-rfc9112-3.2.2-absolute-one-slash", get(b"http:/a.example/"), 400),
    ("p04-rfc9112-3.2.2-absolute-bad-ipv6", get(b"http://[::1/"), 400),
    ("p04-rfc9112-3.2.2-absolute-ftp", get(b"ftp://a.example/"), 400),
    ("p04-rfc9112-3.2.2-absolute-file", get(b"file:///etc/passwd"), 400),
    ("p04-rfc9112-3.2.2-bad-host-beside-absolute", get(b"http://a.example/", b"a b"), 400),
    ("p04-rfc9110-9.3.6-connect", get(b"a.example:443", method=b"CONNECT"), 501),
    ("p04-rfc9110-9.3.6-connect-path", get(b"/", method=b"CONNECT"), (400, 501)),
)
VERSIONS = (
    ("p04-rfc9112-2.3-http-2.0", get(b"/", version=b"HTTP/2.0"), 505),
    ("p04-rfc9112-2.3-http-1.2", get(b"/", version=b"HTTP/1.2"), 505),
    ("p04-rfc9112-2.3-http-0.9", get(b"/", version=b"HTTP/0.9"), 505),
    ("p04-rfc9112-2.3-http-3.0", get(b"/", version=b"HTTP/3.0"), 505),
    ("p04-rfc9112-2.3-http-9.9", get(b"/", version=b"HTTP/9.9"), 505),
    ("p04-rfc9112-2.3-http-1", get(b"/", version=b"HTTP/1"), 400),
    ("p04-rfc9112-2.3-http-11", get(b"/", version=b"HTTP/11"), 400),
    ("p04-rfc9112-2.3-http-1.10", get(b"/", version=b"HTTP/1.10"), 400),
    ("p04-rfc9112-2.3-http-01.1", get(b"/", version=b"HTTP/01.1"), 400),
    ("p04-rfc9112-2.3-http-1.1-tail", get(b"/", version=b"HTTP/1.1x"), 400),
    ("p04-rfc9112-2.3-http-comma", get(b"/", version=b"HTTP/1,1"), 400),
    ("p04-rfc9112-2.3-lower-case", get(b"/", version=b"http/1.1"), 400),
    ("p04-rfc9112-2.3-rtsp", get(b"/", version=b"RTSP/1.0"), 400),
    ("p04-rfc9112-2.3-icy", get(b"/", version=b"ICY/1.1"), 400),
    ("p04-rfc9112-2.3-http-0.9-line", b"GET /\r\n\r\n", 400),
    ("p04-rfc9113-3.4-http2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
)


@cases("sent, statuses", *HOSTS, *TARGETS, *VERSIONS)
def test_an_unclear_target_is_refused(wire: Wire, sent: bytes, statuses: int | tuple[int, int]) -> None:
    wire.refuses(sent, statuses)


@cases("sent, statuses", HOSTS[0], HOSTS[3], TARGETS[0], TARGETS[23], VERSIONS[0])
def test_however_it_is_cut_into_segments(wire: Wire, sent: bytes, statuses: int) -> None:
    wire.upstream.answers(OK)
    for client in wire.halves(sent):
        wire.turned_away(client, statuses)
    wire.only_the_probe_passes()


@cases(
    "sent, target, host",
    ("p04-rfc9110-7.2-name", get(b"/", b"shop.example"), "/", "shop.example"),
    ("p04-rfc9110-7.2-name-and-port", get(b"/", b"shop.example:8080"), "/", "shop.example:8080"),
    ("p04-rfc9110-7.2-empty-port", get(b"/", b"shop.example:"), "/", "shop.example:"),
    ("p04-rfc9110-7.2-case-as-sent", get(b"/", b"Shop.Example"), "/", "Shop.Example"),
    ("p04-rfc9110-7.2-underscore", get(b"/", b"my_shop"), "/", "my_shop"),
    ("p04-rfc9110-7.2-final-dot", get(b"/", b"shop.example."), "/", "shop.example."),
    ("p04-rfc9110-7.2-ipv4", get(b"/", b"192.0.2.7:80"), "/", "192.0.2.7:80"),
    ("p04-rfc9110-7.2-ipv6", get(b"/", b"[2001:db8::1]:80"), "/", "[2001:db8::1]:80"),
    ("p04-rfc9110-7.2-ipv6-with-ipv4", get(b"/", b"[::ffff:192.0.2.7]"), "/", "[::ffff:192.0.2.7]"),
    ("p04-rfc9112-3.2.2-absolute", get(b"http://a.example/b?c", b"a.example"), "/b?c", "a.example"),
    ("p04-rfc9112-3.2.2-absolute-wins", get(b"http://a.example:81/b", b"other"), "/b", "a.example:81"),
    ("p04-rfc9112-3.2.2-absolute-case", get(b"HTTP://A.Example/B", b"other"), "/B", "A.Example"),
    ("p04-rfc9112-3.2.2-absolute-no-path", get(b"http://a.example", b"other"), "/", "a.example"),
    ("p04-rfc9112-3.2.2-absolute-only-query", get(b"http://a.example?q=1", b"other"), "/?q=1", "a.example"),
    ("p04-rfc9112-3.2.2-absolute-url-in-query", get(b"http://a/?u=http://b/", b"o"), "/?u=http://b/", "a"),
    ("p04-rfc9112-3.2.2-absolute-https", get(b"https://a.example/b", b"other"), "/b", "a.example"),
    ("p04-rfc9112-3.2.4-options-asterisk", get(b"*", b"a", method=b"OPTIONS"), "*", "a"),
    ("p04-rfc9112-3.2.4-options-absolute", get(b"http://a.example", method=b"OPTIONS"), "*", "a.example"),
    ("p04-rfc9112-3.2.4-options-slash", get(b"http://a.example/", method=b"OPTIONS"), "/", "a.example"),
    ("p04-rfc9110-9.1-extension-method", get(b"/", method=b"PURGE"), "/", "shop.example"),
    ("p04-rfc9110-9.1-unregistered-method", get(b"/", method=b"FOO"), "/", "shop.example"),
    ("p04-rfc9110-9.1-method-of-every-token-byte", get(b"/", method=b"!#$%&'*+-.^_`|~0aA"), "/", "shop.example"),
    ("p04-rfc9110-9.1-method-in-lower-case", get(b"/", method=b"get"), "/", "shop.example"),
    ("p04-rfc9110-9.1-method-of-webdav", get(b"/", method=b"PROPFIND"), "/", "shop.example"),
)  # fmt: skip
def test_a_clear_target_passes(wire: Wire, sent: bytes, target: str, host: str) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(sent).status == 200
    passed = wire.passed()
    assert (passed.target, passed.one("host")) == (target, host)
    assert passed.method.encode() == sent.partition(b" ")[0]
    assert passed.version == "1.1"
    assert passed.fields[0][0] == "Host"


@cases("", ("p04-rfc9112-3.2-no-host-in-1.0",))
def test_http_1_0_may_leave_the_host_out(wire: Wire) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(b"GET /old HTTP/1.0\r\n\r\n").status == 200
    assert wire.passed().target == "/old"
    assert wire.passed().one("host") is not None, "HTTP/1.1 upstream needs a Host, an empty one at least"


@cases(
    "target",
    ("p05-rfc3986-2.1-percent-lower", b"/%7euser/%c3%a4"),
    ("p05-rfc3986-2.1-percent-upper", b"/%7Euser/%C3%A4"),
    ("p05-rfc3986-2.1-percent-slash", b"/a%2Fb%2fc"),
    ("p05-rfc3986-2.1-percent-nul", b"/a%00b"),
    ("p05-rfc3986-2.1-percent-crlf", b"/a%0d%0aX-A:%20b"),
    ("p05-rfc3986-2.1-percent-alone", b"/100%"),
    ("p05-rfc3986-6.2.2.3-dots", b"/a/./b/../c/..;/d"),
    ("p05-rfc3986-6.2.2.3-slashes", b"//a///b//"),
    ("p05-rfc3986-3.4-empty-query", b"/a?"),
    ("p05-rfc3986-3.4-question-marks", b"/a??b?c=d&&e"),
    ("p05-rfc3986-3.4-plus-and-semicolon", b"/a+b;c=d?e+f;g"),
    ("p05-rfc3986-2.2-delimiters", b"/:@!$&'()*+,;=?:@!$'()*+,;=/?"),
    ("p05-rfc3986-2.2-outside-the-grammar", b'/a"<>\\^`{|}b?["]'),
    ("p05-rfc9112-3-long", b"/" + b"a" * 8000),
)
def test_a_target_passes_byte_for_byte(wire: Wire, target: bytes) -> None:
    wire.upstream.answers(OK)
    assert wire.ask(get(target)).status == 200
    assert wire.passed().target.encode("latin-1") == target

"""Words with a syntax of their own: names, hosts, paths, tokens and regular expressions.

Every function takes the text as written and returns it in the spelling to compare by, or raises Unfit.
"""

import re
import warnings
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from proxy.config.problems import Unfit, quoted
from proxy.counted import counted

NAME_PATTERN = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
FIELD_PATTERN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}"
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
DOMAIN_PATTERN = rf"\.?{_LABEL}(?:\.{_LABEL})*"
COOKIE_PATH_PATTERN = r"/[!$-:=@-~]*"
HOST_SENT_PATTERN = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
_SWITCHED = ("on", "off", "yes", "no", "true", "false", "none", "null", "default")
HOST_PATTERN = r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\]"
PROTOCOL_PATTERN = r"(?!h2c?$)[!#$%&'*+.^_`|~0-9a-z-]{1,256}"
PATH_PATTERN = r"/[!$-;=@-~]*"
TARGET_PATTERN = r"/[!$-;=?@-~]*"
LONGEST_TOKEN = 4096
"""Characters of a bearer token."""

SHORTEST_SECRET = 16
"""Characters of a key that signs: fewer could be guessed from one signature."""

_KNOWN_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"))

LONGEST_VALUE = 4096
"""Characters of the value of a header field."""

_OF_THE_CONNECTION = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)

_HTTP2 = frozenset(("h2", "h2c"))


def name(text: str) -> str:
    """Return the name of a service or segment: it appears in URLs, labels and logs."""
    if re.fullmatch(NAME_PATTERN, text):
        return text
    raise Unfit(
        f"{quoted(text)} cannot be a name",
        "write letters, digits and `-`, `_` or `.` between them, at most 63 characters",
    )


def field(text: str) -> str:
    """Return the name of a header or cookie (RFC 9110 section 5.6.2: a token)."""
    if re.fullmatch(FIELD_PATTERN, text):
        return text
    raise Unfit(
        f"{quoted(text)} cannot be the name of a header or cookie", "write it like `X-Canary` or `session`"
    )


def probe_field(text: str) -> str:
    """Return the name of a header field of a probe, of those that aren't ours to write."""
    if text.lower() == "host":
        raise Unfit(f"{quoted(text)} has a key of its own", "write `host: app.example` beside `headers`")
    if text.lower() in _OF_THE_CONNECTION:
        advice = "remove it: a probe is a GET without a body on a connection of its own"
        raise Unfit(
            f"{quoted(text)} is about the connection or the body, which are not yours to steer", advice
        )
    return field(text)


def field_value(text: str) -> str:
    """Return the value of a header field (RFC 9110 section 5.5).

    The message never repeats it: it may be a secret.
    """
    if re.fullmatch(r"(?:[!-~](?:[\t -~]*[!-~])?)?", text) and len(text) <= LONGEST_VALUE:
        return text
    long = len(text) > LONGEST_VALUE
    what = counted(len(text), "character") if long else "a character that none may carry"
    advice = (
        f"write at most {LONGEST_VALUE} of printable ASCII, on one line and without a space at either end"
    )
    raise Unfit(f"this value of a header has {what}", advice)


def parameter(text: str) -> str:
    """Return the name of a query parameter, as it reads after decoding."""
    if text and text.isprintable() and len(text) <= 256:
        return text
    raise Unfit(f"{quoted(text)} cannot be the name of a query parameter", "write it like `preview`")


def host(text: str) -> str:
    """Return a host to match, `shop.example` or `*.example`, in lower case."""
    if re.fullmatch(HOST_PATTERN, text) and len(text) <= 255:
        return text.lower().removesuffix(".")  # which names the same host
    advice = "write `shop.example`, or `*.example` for every host below it"
    if text == "*":
        advice = "leave `host` out to match every host"
    elif "://" in text or "/" in text:
        advice = "write the host alone, like `shop.example`; a path has its own key, `path`"
    elif re.fullmatch(r"[^:]+:[0-9]+", text):
        advice = f"the port does not matter here: write {quoted(text.partition(':')[0])}"
    elif not text.isascii():
        advice = "write the name as it travels, in its `xn--` form"
    raise Unfit(f"{quoted(text)} is not a host to match", advice)


def domain(text: str) -> str:
    """Return a cookie's domain, in lower case; a dot before it means nothing (RFC 6265 section 5.2.3)."""
    if re.fullmatch(DOMAIN_PATTERN, text) and len(text) <= 255:
        return text.removeprefix(".").lower()
    raise Unfit(f"{quoted(text)} is not the domain of a cookie", "write it like `shop.example`")


def cookie_path(text: str) -> str:
    """Return the path of a cookie (RFC 6265 section 4.1.1), of as many bytes as browsers take."""
    if re.fullmatch(COOKIE_PATH_PATTERN, text) and len(text) <= 1024:
        return text
    advice = "write one that begins with `/` and has no `;`, like `/shop`"
    raise Unfit(f"{quoted(text)} is not the path of a cookie", advice)


def host_sent(text: str) -> str:
    """Return the Host that endpoints get: `client`, `endpoint`, or a host such as `app.example:8443`."""
    found = text.lower()
    if re.fullmatch(HOST_SENT_PATTERN, text) and len(text) <= 255 and found not in _SWITCHED:
        try:
            split = urlsplit(f"//{found}")
            if split.port != 0 and (found[0] != "[" or IPv6Address(split.hostname)):
                return found
        except ValueError:  # the port is too high, or there is no address in brackets
            pass
    advice = "write `client`, `endpoint` for the name in its URL, or a host such as `app.example:8443`"
    if "://" in text or "/" in text:
        advice = "write the host alone, like `app.example`"
    raise Unfit(f"{quoted(text)} is not a Host to send", advice)


def host_asked(text: str) -> str:
    """Return the Host of a probe, such as `app.example`."""
    if text.lower() in ("client", "endpoint"):
        advice = "no client asks here: write a host, or leave `host` out for the one that requests get there"
        raise Unfit(f"{quoted(text)} is not a Host to ask for", advice)
    return host_sent(text)


def path(text: str) -> str:
    """Return a path prefix to match, as it travels: `/`, `/api`, `/a%20b`."""
    if re.fullmatch(PATH_PATTERN, text):
        return text
    advice = "write it as it travels, from its first `/`, like `/api`"
    if text and not text.startswith("/"):
        advice = f"a path begins with `/`: write {quoted('/' + text)}"
    elif "?" in text or "#" in text:
        advice = f"only the path is compared here: write {quoted(re.split('[?#]', text)[0])}"
    elif " " in text or not text.isascii():
        advice = "paths are compared as they travel, percent-encoded: write ` ` as `%20`, `é` as `%C3%A9`"
    raise Unfit(f"{quoted(text)} is not a path to match", advice)


def target(text: str) -> str:
    """Return what to ask an endpoint for: a path as it travels, and a query behind it if need be."""
    if re.fullmatch(TARGET_PATTERN, text):
        return text
    advice = "write it as it travels, from its first `/`, like `/healthz`"
    if "://" in text:
        advice = "every endpoint is asked at its own address: write the path alone, like `/healthz`"
    elif text and not text.startswith("/"):
        advice = f"a path begins with `/`: write {quoted('/' + text)}"
    raise Unfit(f"{quoted(text)} is not a path to ask for", advice)


def regex(text: str) -> str:
    """Return a regular expression that compiles, for a fullmatch."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python would warn about may change its meaning
            re.compile(text)
    except re.error as error:
        where = "" if error.pos is None else f" (character {error.pos + 1})"
        raise _no_regex(text, f"{error.msg}{where}") from None
    except RecursionError:
        raise _no_regex(text, "nested too deeply") from None
    except (Warning, OverflowError, ValueError) as error:
        raise _no_regex(text, str(error)) from None
    return text


def _no_regex(text: str, why: str) -> Unfit:
    return Unfit(
        f"{quoted(text)} is not a regular expression: {why}",
        "it must match the whole value; write a special character that is meant literally after a `\\`, "
        "inside single quotes",
    )


def method(text: str) -> str:
    """Return a request method. They are case-sensitive (RFC 9110 section 9.1)."""
    if text.upper() in _KNOWN_METHODS and text != text.upper():
        raise Unfit(f"{quoted(text)} is not how this method is spelled", f"write `{text.upper()}`")
    if re.fullmatch(FIELD_PATTERN, text):
        return text
    raise Unfit(f"{quoted(text)} cannot be a request method", "write it like `GET`")


def protocol(text: str) -> str:
    """Return a protocol that a request may ask to upgrade to, in lower case (RFC 9110 section 7.8)."""
    if text.lower() in _HTTP2:
        raise Unfit(
            f"{quoted(text)} would take requests past all that is decided for each of them",
            "an upgraded connection is passed on unread: leave it out, and speak HTTP/1.1 to this proxy",
        )
    if re.fullmatch(FIELD_PATTERN, text) and text == text.lower():
        return text
    advice = "write the name of a protocol, like `websocket`"
    if re.fullmatch(FIELD_PATTERN, text):
        advice = f"protocols are compared in lower case: write `{text.lower()}`"
    raise Unfit(f"{quoted(text)} is not a protocol to upgrade to", advice)


def token(text: str) -> str:
    """Return a bearer token. The messages never repeat it."""
    if re.fullmatch(r"[!-~]+", text) and len(text) <= LONGEST_TOKEN:
        return text
    raise Unfit(
        "the token is empty"
        if not text
        else "the token has a space or another character that no header may carry",
        "make one with `openssl rand -hex 32`",
    )


def secret(text: str) -> str:
    """Return a key to sign with. The messages never repeat it."""
    if re.fullmatch(r"[!-~]+", text) and SHORTEST_SECRET <= len(text) <= LONGEST_TOKEN:
        return text
    what = (
        f"the secret has {counted(len(text), 'character')}"
        if re.fullmatch(r"[!-~]*", text)
        else ("the secret has a space or another character that is easily lost on the way")
    )
    advice = f"{SHORTEST_SECRET} to {LONGEST_TOKEN} are fine: make one with `openssl rand -hex 32`"
    raise Unfit(what, advice)


def label(text: str) -> str:
    """Return a version, as people name their releases."""
    if text and text.isprintable() and len(text) <= 128:
        return text
    raise Unfit(
        f"{quoted(text)} cannot be a version", "write at most 128 characters on one line, like `v2.1`"
    )


def remark(text: str) -> str:
    """Return a note for other people in one line."""
    if text.strip() and text.isprintable() and len(text) <= 256:
        return text
    raise Unfit(
        f"{quoted(text)} cannot be a remark",
        "write at most 256 characters on one line, like `ask the on-call`",
    )


def location(text: str) -> str:
    """Return the path of a file."""
    if text and "\0" not in text:
        return text
    raise Unfit(f"{quoted(text)} cannot be the path of a file", "write it like `/var/lib/weir/weir.db`")

"""On what terms a person orders: who and why, on which revision, and under which key.

A repeated order must not be carried out twice. Who can't know whether an order arrived sends it again under
the same Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). The ledger keeps key and digest with
the entry and tells that it was done already. So no order is refused here for its revision: when it is a
repeat, its own first attempt has changed that, and only control can tell.
"""

import hashlib
import re

from proxy.control.api.problems import HttpProblem

ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')  # RFC 9110, 8.8.3
ENTITY_TAGS = re.compile(rf"{ENTITY_TAG.pattern}(?:\s*,\s*{ENTITY_TAG.pattern})*")
LONGEST_KEY = 255
KEY = re.compile(rf"[\x20-\x7e]{{1,{LONGEST_KEY}}}")
QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')  # a string of RFC 9651, 3.3.3
NO_REVISION = 0
"""No service is ever at it."""


def revisions(fields: list[str]) -> frozenset[int] | None:
    """The revisions that If-Match lists; None for no If-Match or "*". Weak or foreign tags match nothing.

    Raises HttpProblem 400 for what is no list of entity tags, such as a bare 7: it was meant as a condition.
    """
    text = ", ".join(fields).strip()
    if not fields or text == "*":
        return None
    if not ENTITY_TAGS.fullmatch(text):
        raise HttpProblem(400, f'If-Match is {text}; expected the ETag of the service in quotes, such as "7"')
    strong = [opaque for weak, opaque in ENTITY_TAG.findall(text) if not weak]
    return frozenset(int(opaque) for opaque in strong if re.fullmatch(r"[0-9]{1,18}", opaque))


def expected(allowed: frozenset[int] | None, current: int) -> int | None:
    """The one revision that control is to insist on: the current one if it is allowed; None for any."""
    if allowed is None or current in allowed:
        return None if allowed is None else current
    return max(allowed, default=NO_REVISION)


def revision_after(text: str | None) -> int:
    """The revision in ``?after_revision=``; -1 for none. Raises HttpProblem 400."""
    if text is None:
        return -1
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise HttpProblem(
            400, f"after_revision is {text[:60]!r}; expected the whole number of a revision, such as 7"
        )
    return int(text)


def key(fields: list[str]) -> str:
    """The key in Idempotency-Key, quoted or bare; "" for no such field. Raises HttpProblem 400."""
    if not fields:
        return ""
    text = fields[0].strip()
    quoted = QUOTED.fullmatch(text)
    found = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if len(fields) > 1 or not KEY.fullmatch(found) or (text.startswith('"') and not quoted):
        raise HttpProblem(
            400,
            f"Idempotency-Key is no key; expected one, of 1 to {LONGEST_KEY} printable ASCII characters, "
            'such as "8e03978e-40d5-43dd-bc93-6894a57f9324"',
        )
    return found


def digest(service: str, order: str, body: bytes) -> str:
    """What tells an order from another: the service, the word and the bytes of its body."""
    return hashlib.sha256(b"\0".join((service.encode(), order.encode(), body))).hexdigest()

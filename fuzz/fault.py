"""What the proxy did and must not do."""

import reprlib

_short = reprlib.Repr()
_short.maxother = _short.maxstring = 400


class Fault(AssertionError):
    """The proxy did what it must not do."""


def expect(fine: object, complaint: str, *what: object) -> None:
    """Raise Fault with a complaint and what it is about, unless all is fine."""
    if not fine:
        raise Fault(f"{complaint}: {', '.join(map(_short.repr, what))}")

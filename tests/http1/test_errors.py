"""A bad message: the status that it implies, and words that a person can read."""

from proxy.http1.errors import BadMessage


def test_it_says_its_status_and_what_was_wrong() -> None:
    bad = BadMessage(431, "head", "a head that is too long")
    assert (bad.status, bad.reason, bad.detail) == (431, "head", "a head that is too long")
    assert str(bad) == "a head that is too long"
    assert isinstance(bad, ValueError)

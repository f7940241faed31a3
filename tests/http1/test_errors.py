"""A bad message: the status that it implies, and words that a person can read."""

from proxy.http1.errors import BadMessage


def test_it_says_its_status_and_what_was_wrong():
    bad = BadMessage(431, "a head that is too long")
    assert (bad.status, bad.detail, str(bad)) == (431, "a head that is too long", "a head that is too long")
    assert isinstance(bad, ValueError)

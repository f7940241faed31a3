"""A count with its noun, as a person reads it: the one place that knows of plurals.

Every message that has a number and a noun takes it from here, so that none says `1 requests`.
"""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun: 1 request, 2,000 requests, 3 canary answers.

    `nouns` is the plural where an `s` at the end doesn't make it: entries, addresses.
    """
    return f"{number:,} {plural(number, noun, nouns)}"


def plural(number: int, noun: str, nouns: str = "") -> str:
    """Return the noun alone, where its number stands before other words: 1 of its 2 latest requests."""
    return noun if number == 1 else nouns or f"{noun}s"


def are(number: int) -> str:
    """Return the verb after such a count: 1 request is, 2 requests are."""
    return "is" if number == 1 else "are"


def were(number: int) -> str:
    """Return the verb after such a count: 1 request was, 2 requests were."""
    return "was" if number == 1 else "were"

"""Counts by key in a dict where absent means none: what histograms and tallies are made of."""

from collections.abc import Collection
from typing import Any, TypeVar

K = TypeVar("K")


def merge(into: dict[K, int], other: dict[K, int]) -> None:
    """Add the counts of `other` to those of `into`."""
    for key, count in other.items():
        into[key] = into.get(key, 0) + count


def separate(out_of: dict[K, int], other: dict[K, int]) -> None:
    """Subtract the counts of `other` from `out_of`; what comes to none goes.

    After an error `out_of` is half done: subtract from a copy.

    Raises:
        ValueError: A count would fall below none.
    """
    for key, count in other.items():
        left = out_of.get(key, 0) - count
        if left < 0:
            raise ValueError(f"{count} of {key!r} were to be subtracted, of {out_of.get(key, 0)}")
        if left:
            out_of[key] = left
        else:
            out_of.pop(key, None)


def whole_numbers(data: Any) -> list[int]:
    """Return `data`, checked to be a list of whole numbers of 0 or more.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(data, list):
        raise ValueError(f"expected a list of whole numbers, not {type(data).__name__}")
    for number in data:
        if type(number) is not int or number < 0:  # bool is an int to isinstance, and never a count
            raise ValueError(f"expected whole numbers of 0 or more, not {number!r}")
    return data


def by_word(data: Any, words: Collection[K]) -> dict[K, int]:
    """Return `data`, checked to be counts by these words only.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(data, dict):
        raise ValueError(f"expected counts by word, not {type(data).__name__}")
    unknown = data.keys() - set(words)
    if unknown:
        raise ValueError(f"{sorted(unknown)} are not among the words {sorted(map(str, words))}")
    whole_numbers([*data.values()])
    return data

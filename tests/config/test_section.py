"""What all mappings share: unknown keys, missing keys, and no problem that hides another."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from proxy.config.problems import Unfit
from proxy.config.section import Quarrel, Section, one_of
from proxy.config.values import Weight, key


class Inner(Section):
    share: Weight = key("a share", default=0)
    other: Weight = key("another", default=0)

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        yield from one_of(raw, ("share", "other"), "`inner`")


class Outer(Section):
    needs: ClassVar[Mapping[str, str]] = {"inner": "write `inner: {share: 5%}`"}

    inner: Inner = key("more")
    more: tuple[Inner, ...] = key("and more", default=())


def faults(raw: object) -> dict[tuple[int | str, ...], Unfit]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(raw)
    found = {error["loc"]: error["ctx"]["error"] for error in caught.value.errors()}
    assert all(isinstance(fault, Unfit) for fault in found.values())
    return found


def test_no_problem_hides_another() -> None:
    found = faults({"inner": {"share": "0.5", "other": "6%", "sahre": "1"}, "more": [{}], "moer": "x"})
    assert set(found) == {
        ("inner", "share"), ("inner", "other"), ("inner", "sahre"), ("more", 0), ("moer",),
    }  # fmt: skip


def test_unknown_keys_come_with_a_suggestion_and_the_valid_ones() -> None:
    fault = faults({"inner": {"share": "5%"}, "moer": "x"})["moer",]
    assert (fault.message, fault.on, fault.of) == ("`moer` is not a key of", "key", 1)
    assert fault.advice == "did you mean `more`? valid keys: `inner` and `more`"


def test_missing_keys_come_with_what_to_write() -> None:
    fault = faults({})["inner",]
    assert (fault.message, fault.advice) == ("`inner` is missing from", "write `inner: {share: 5%}`")


def test_exactly_one_of_several() -> None:
    assert faults({"inner": {}})["inner",].message == "`inner` is incomplete"
    both = faults({"inner": {"other": "1%", "share": "1%"}})["inner", "share"]
    assert both.message == "`share` and `other` cannot be written together"


class Held(Section):
    stand_ins: ClassVar[tuple[str, ...]] = ("auto", "off")

    share: Weight = key("a share", default=0)


def test_words_that_may_stand_in_place_of_a_mapping_are_offered() -> None:
    with pytest.raises(ValidationError) as caught:
        Held.model_validate("atuo")
    fault = caught.value.errors()[0]["ctx"]["error"]
    assert fault.message == "the single value `atuo` stands where a mapping is expected"
    assert fault.advice == (
        "did you mean `auto`? write it as a mapping with the key `share`; `auto` or `off` may stand here, too"
    )


def test_models_are_frozen() -> None:
    outer = Outer.model_validate({"inner": {"share": "5%"}})
    assert outer.inner.share == 500
    with pytest.raises(ValidationError, match="frozen"):
        outer.inner.share = 1

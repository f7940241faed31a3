from typing import get_args

from proxy.control.api.openapi_schema import COUNT, PHASE, TEXT, by_backend, listed, nullable, shape, words
from proxy.rollout.phases import Phase
from tests.kits.json_schema import faults


def test_an_object_has_all_but_what_is_optional_and_may_have_more() -> None:
    schema = shape(name=TEXT, step=COUNT, optional=("step",))
    assert faults({"name": "shop"}, schema) == []
    assert faults({"name": "shop", "step": 1, "new": True}, schema) == []
    assert faults({"step": -1}, schema) == ["$.name: missing", "$.step: -1 is not allowed"]


def test_no_data_is_null() -> None:
    assert faults(None, nullable(COUNT)) == []
    assert faults(None, COUNT) != []


def test_lists_and_objects_by_backend_are_of_one_kind() -> None:
    assert faults([1, 2], listed(COUNT)) == []
    assert faults({"stable": 1, "canary": "x"}, by_backend(COUNT)) == ["$.canary: 'x' is no integer"]


def test_words_are_those_of_the_rollout() -> None:
    assert set(get_args(Phase)) == set(PHASE["enum"])
    assert faults("b", words("a")) == ["$: 'b' is not allowed"]

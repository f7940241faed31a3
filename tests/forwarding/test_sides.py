"""The two sides of an exchange offer what stands between them asks of each."""

from typing import get_type_hints

import pytest

from proxy.forwarding.crossing import Crossing
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.sides import ClientSide, Requester


def asked(protocol: type) -> set[str]:
    """The members of a protocol."""
    methods = {name for each in protocol.__mro__ for name in vars(each) if not name.startswith("_")}
    return methods | set(get_type_hints(protocol))


@pytest.mark.parametrize(("side", "protocol"), [(Downstream, ClientSide), (Crossing, Requester)])
def test_each_side_has_what_is_asked_of_it(side: type, protocol: type) -> None:
    named = {name for each in side.__mro__ for name in (*vars(each), *getattr(each, "__slots__", ()))}
    assert asked(protocol)
    assert asked(protocol) <= named

"""Settings with places to fill."""

import pytest
from rig.templates import filled


def test_every_place_is_filled_and_the_rest_left_alone() -> None:
    text = filled("envoy.yaml", port=81, origin_host="127.0.0.9", origin_port=82)
    assert "port_value: 81}" in text
    assert "{address: 127.0.0.9, port_value: 82}" in text
    assert '"@type": type.googleapis.com' in text


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="origin"):
        filled("haproxy.cfg", port=81)

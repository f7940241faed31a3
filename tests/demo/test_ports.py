"""A port on which somebody listens is busy, whether with SO_REUSEPORT or without."""

import socket

import pytest

from proxy.demo.ports import LOOPBACK, NoFreePort, first_listening, free_ports, listening, port_of

pytestmark = pytest.mark.process


@pytest.mark.parametrize("option", [None, socket.SO_REUSEPORT])
def test_a_listening_neighbour_makes_a_port_busy(option: int | None) -> None:
    with socket.socket() as neighbour:
        if option is not None:
            neighbour.setsockopt(socket.SOL_SOCKET, option, 1)
        neighbour.bind((LOOPBACK, 0))
        neighbour.listen()
        port = port_of(neighbour)
        assert listening(port) is None
        with first_listening(port) as found:
            assert port_of(found) > port
        assert free_ports([port])[0] > port


def test_a_free_port_is_taken_as_wanted() -> None:
    (port,) = free_ports([0])
    with first_listening(port) as found:
        assert port_of(found) == port


def test_ports_are_all_different() -> None:
    wanted = free_ports([0])[0]
    found = free_ports([wanted, wanted, wanted, 0, 0])
    assert len(set(found)) == 5


def test_no_port_above_the_last_one() -> None:
    with socket.socket() as neighbour:
        neighbour.bind((LOOPBACK, 65_535))
        neighbour.listen()
        with pytest.raises(NoFreePort, match="65535"):
            first_listening(65_535)

"""What requests are given: bits that can't be guessed, and ids unlike each other."""

from random import SystemRandom

from proxy.forwarding.entropy import RandomBits, RequestIds


def test_draws_are_128_bits_and_never_the_same() -> None:
    draw = RandomBits(SystemRandom().randbytes).draw
    draws = [draw() for _ in range(1000)]
    assert len(set(draws)) == 1000
    assert all(0 <= draw < 1 << 128 for draw in draws)
    assert len({draw >> 120 for draw in draws}) > 200
    assert len({draw & 0xFF for draw in draws}) > 200


def test_random_bytes_are_asked_for_in_bulk_and_used_once() -> None:
    asked = []

    def random_bytes(size: int) -> bytes:
        asked.append(size)
        return bytes(range(256)) * (size // 256)

    draws = RandomBits(random_bytes)
    assert asked == []
    some = {draws.draw() for _ in range(256)}
    assert (asked, len(some), repr(draws)) == ([4096], 16, "<RandomBits 0 left>")
    draws.draw()
    assert asked == [4096, 4096]


def test_ids_of_requests_are_unlike_each_other_and_carry_the_prefix() -> None:
    ids = RequestIds("w1")
    assert [ids.next() for _ in range(3)] == [b"w1-1", b"w1-2", b"w1-3"]

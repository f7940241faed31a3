"""How wrk is called, and what is read of what it prints."""

import pytest
from rig.wrk import SCRIPTS, Shape, read_wrk, wrk_line

TOLD = """Running 2s test @ http://127.0.0.1:18999/post
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms    1.10ms  30.11ms   99.01%
    Req/Sec    32.15k     2.39k   34.90k    85.00%
  Latency Distribution
     50%    0.90ms
     75%    1.04ms
     90%    1.23ms
     99%  {p99}
  {requests} requests in {seconds}, 78.08MB read
{more}Requests/sec:  31984.03
Transfer/sec:     39.04MB
"""


def told(requests: int = 64032, seconds: str = "2.00s", p99: str = "2.19ms", more: str = "") -> str:
    return TOLD.format(requests=requests, seconds=seconds, p99=p99, more=more)


@pytest.mark.parametrize(
    ("said", "milliseconds"), [("812.00us", 0.812), ("2.19ms", 2.19), ("1.05s", 1050.0), ("1.50m", 90_000.0)]
)
def test_p99_in_any_unit(said: str, milliseconds: float) -> None:
    assert read_wrk(told(p99=said)).p99 == pytest.approx(milliseconds)


@pytest.mark.parametrize(("said", "seconds"), [("998.50ms", 0.9985), ("2.00s", 2.0), ("1.50m", 90.0)])
def test_requests_and_time(said: str, seconds: float) -> None:
    load = read_wrk(told(1234, said))
    assert load.requests == 1234
    assert load.seconds == pytest.approx(seconds)
    assert load.failures == 0


def test_every_kind_of_failure_counts() -> None:
    more = "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n"
    assert read_wrk(told(more=more)).failures == 54321


@pytest.mark.parametrize(
    "text", ["", "unable to connect to 127.0.0.1:1 Connection refused", "5 requests in 1s"]
)
def test_anything_else_is_not_taken_for_a_result(text: str) -> None:
    with pytest.raises(ValueError, match="said something else"):
        read_wrk(text)


def test_a_get_with_headers() -> None:
    line = wrk_line(Shape("/a", 512, {"Accept": "x/y"}), "http://h:1", 3, 2)
    assert line == ["wrk", "--latency", "-t2", "-c512", "-d3s", "-H", "Accept: x/y", "http://h:1/a"]


def test_a_post_by_the_script_that_knows_its_size() -> None:
    line = wrk_line(Shape("/post", 8, body=16384), "http://h:1", 1, 1)
    assert line[5:] == ["-s", str(SCRIPTS / "post.lua"), "http://h:1/post", "--", "16384"]
    assert (SCRIPTS / "post.lua").exists()


def test_requests_that_are_never_alike_come_by_a_script() -> None:
    line = wrk_line(Shape(unlike=True), "http://h:1", 3, 1)
    assert line[5:] == ["-s", str(SCRIPTS / "unlike.lua"), "http://h:1/"]
    assert (SCRIPTS / "unlike.lua").exists()

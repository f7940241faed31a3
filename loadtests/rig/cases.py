"""What is asked of the proxies: the cases, what they promise of weir, and the origin that answers them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from rig.origins import run_nginx
from rig.templates import filled
from rig.wrk import Shape

from proxy.demo.ports import LOOPBACK, free_ports

KIB, MIB = 1024, 1024 * 1024
SMALL = KIB
LARGE = MIB
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
    "Referer": "http://shop.example/catalogue/shoes?page=2",
    "Cookie": "session=2f6c1e0b9a7d4c83; theme=dark; consent=yes",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
    "Cache-Control": "max-age=0",
}
PEERS = ("nginx", "haproxy", "envoy", "traefik", "caddy", "aiohttp", "weir")
UPLOADS = ("nginx", "nginx-ram", *PEERS[1:])
"""As it comes, nginx writes the bodies of requests to temporary files from 8 KiB on."""
WORKERS = ("nginx", "weir", "weir-2")


@dataclass(frozen=True, slots=True)
class Bar:
    """The CPU time of `name` is at most so many times that of `beside`."""

    beside: str
    most: float
    name: str = "weir"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request, the bytes of its answer, the bars, and the peers that take part."""

    title: str
    shape: Shape
    answer: int
    bars: tuple[Bar, ...] = ()
    peers: tuple[str, ...] = PEERS


SMALL_BARS = (Bar("nginx", 1.30), Bar("envoy", 0.5))
CASES: Mapping[str, Case] = {
    "small": Case("1 KiB answer, 32 connections, no extra headers", Shape(), SMALL),
    "headers": Case(
        "1 KiB answer, 32 connections, 12 browser headers", Shape(headers=BROWSER), SMALL, SMALL_BARS
    ),
    "unlike": Case(
        "as headers, and no two requests have the same cookie and path",
        Shape(headers=BROWSER, unlike=True),
        SMALL,
    ),
    "many": Case(
        "1 KiB answer, 512 connections, 12 browser headers",
        Shape(connections=512, headers=BROWSER),
        SMALL,
        SMALL_BARS,
    ),
    "post": Case(
        "POST of 16 KiB, 32 connections", Shape("/post", body=16 * KIB), 5, (Bar("nginx", 0.45),), UPLOADS
    ),
    "large": Case(
        "1 MiB answer, 16 connections",
        Shape("/large", connections=16),
        LARGE,
        (Bar("nginx", 0.40), Bar("haproxy", 1.0), Bar("envoy", 1.0)),
    ),
    "chunked": Case(
        "1 MiB answer in chunks of 16 KiB, 16 connections",
        Shape("/chunked", connections=16),
        LARGE,
        (),
    ),
    "workers": Case(
        "two workers beside one: as headers",
        Shape(headers=BROWSER),
        SMALL,
        (Bar("weir", 1.1, "weir-2"),),
        WORKERS,
    ),
}


@contextmanager
def origin(directory: Path, processes: int = 1) -> Iterator[str]:
    """The address of nginx that answers all cases, in so many processes that share a port."""
    (directory / "files").mkdir()
    for name in ("large", "chunked", "post"):
        (directory / "files" / name).write_bytes(b"x" * LARGE)
    (port,) = free_ports([0])
    conf = filled("origin.conf", port=port, directory=directory, small="x" * SMALL)
    with ExitStack() as stack:
        for number in range(processes):
            place = directory / str(number)
            place.mkdir()
            stack.callback(run_nginx(conf, port, place).end)
        yield f"{LOOPBACK}:{port}"


def answer(port: int, shape: Shape) -> tuple[int, int]:
    """Status and bytes of one answer to what a case asks."""
    connection = HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        method = "POST" if shape.body else "GET"
        connection.request(method, shape.path, b"x" * shape.body or None, dict(shape.headers))
        got = connection.getresponse()
        return got.status, len(got.read())
    finally:
        connection.close()

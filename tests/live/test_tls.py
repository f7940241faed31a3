"""TLS on both sides and unix sockets, with curl before the real program and nginx behind it."""

import http.client
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from rig.origins import LOOPBACK, SampleOrigin, nginx_path, run_nginx
from rig.weir import Weir

from proxy.demo.ports import free_ports
from proxy.demo.processes import finish, wait_until
from tests.kits.authority import Authority, Issued

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


class Secure(Weir):
    """The program with a port for TLS and a unix socket beside its plain one."""

    def __init__(self, place: Path, pairs: list[Any], settings: str) -> None:
        shown = ", ".join(f"{{cert: {pair.cert}, key: {pair.key}}}" for pair in pairs)
        (self.tls_port,) = free_ports([0])
        self.path = place / "weir.sock"
        secure = f'{{address: "{LOOPBACK}:{self.tls_port}", tls: [{shown}]}}'
        super().__init__(place, settings, more_listen=[f'"unix:{self.path}"', secure])

    def curl(self, *words: str, name: str = "localhost") -> subprocess.CompletedProcess[str]:
        """Asks for / under this name, over TLS."""
        url = f"https://{name}:{self.tls_port}/"
        where = f"{name}:{self.tls_port}:{LOOPBACK}"
        return curl(*words, "--resolve", where, url)

    def hup(self, times: int, said: str) -> None:
        """SIGHUP, until all workers have said this so many times in all."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log().count(said) >= times, said, 20)


def curl(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


Start = Callable[..., Secure]


@pytest.fixture
def secure(tmp_path: Path, origins: tuple[SampleOrigin, SampleOrigin]) -> Iterator[Start]:
    """Starts the program before an origin: secure([pair, ...])."""
    with ExitStack() as stack:

        def started(pairs: list[Any], stable: str = "", more: str = "") -> Secure:
            backend = stable or origins[0].url
            made = Secure(tmp_path, pairs, f"services:\n  shop:\n    stable: {backend}\n{more}")
            stack.callback(lambda: made.process and made.process.poll() is None and made.kill_tree())
            made.start()
            return made

        yield started


@pytest.fixture
def copied(tmp_path: Path, shop: Issued) -> Any:
    """A pair whose files can be replaced."""
    pair = type(shop)(str(tmp_path / "own.pem"), str(tmp_path / "own.key"))
    replace(pair, shop)
    return pair


def replace(pair: Any, by: Any) -> None:
    shutil.copy(by.cert, pair.cert)
    shutil.copy(by.key, pair.key)


def test_a_client_that_verifies_is_answered(secure: Start, shop: Issued, authority: Authority) -> None:
    running = secure([shop])
    done = running.curl("--cacert", authority.cert, "--http1.1")
    assert (done.returncode, done.stdout.rpartition("\n")[2]) == (0, "200"), done.stderr
    assert f"https://{LOOPBACK}:{running.tls_port}" in running.log()


def test_the_name_of_the_server_chooses_the_certificate(
    secure: Start, shop: Issued, blog: Issued, authority: Authority
) -> None:
    running = secure([shop, blog])
    for name in ("shop.example", "blog.example", "www.blog.example"):
        assert running.curl("--cacert", authority.cert, name=name).stdout.endswith("200")
    stranger = running.curl("--cacert", authority.cert, name="stranger.example")
    assert stranger.returncode == 60, "the first pair is shown, and it is for others"


def test_what_is_older_than_tls_1_2_is_refused(secure: Start, shop: Issued, authority: Authority) -> None:
    running = secure([shop])
    old = ("--tlsv1.0", "--ciphers", "DEFAULT:@SECLEVEL=0")
    refused = running.curl("--cacert", authority.cert, *old, "--tls-max", "1.1")
    assert refused.returncode == 35, "curl: a problem occurred in the handshake"
    assert running.curl("--cacert", authority.cert, *old, "--tls-max", "1.2").stdout.endswith("200")


def test_plain_http_on_a_port_for_tls_and_odd_names_change_nothing(
    secure: Start, shop: Issued, authority: Authority
) -> None:
    running = secure([shop])
    assert curl(f"http://{LOOPBACK}:{running.tls_port}/").returncode in (52, 56), "nothing, or a reset"
    if shutil.which("openssl"):
        where = ["-connect", f"{LOOPBACK}:{running.tls_port}"]
        words = ["openssl", "s_client", *where, "-servername", b"\xff\xfe"]
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20)
    assert running.curl("--cacert", authority.cert).stdout.endswith("200")
    assert "Traceback" not in running.log()


def presented(port: int, authority: Any) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=authority.cert)
    context.check_hostname = False
    connection = http.client.HTTPSConnection(LOOPBACK, port, context=context, timeout=20)
    connection.connect()
    return connection


def names(connection: http.client.HTTPSConnection) -> set[str]:
    return {name for kind, name in connection.sock.getpeercert()["subjectAltName"] if kind == "DNS"}


def ask(connection: http.client.HTTPSConnection) -> int:
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_sighup_renews_certificates_under_connections_that_go_on(
    secure: Start, copied: Issued, blog: Issued, authority: Authority
) -> None:
    running = secure([copied])
    with closing(presented(running.tls_port, authority)) as kept:
        assert ask(kept) == 200
        before = kept.sock
        replace(copied, blog)
        running.hup(2, "the certificates for clients were read again")
        for _ in range(8):  # whichever of the two workers it is
            with closing(presented(running.tls_port, authority)) as fresh:
                assert "blog.example" in names(fresh)
                assert ask(fresh) == 200
        assert ask(kept) == 200
        assert kept.sock is before
        assert "shop.example" in names(kept)


def test_a_bad_pair_at_sighup_changes_nothing_and_is_told(
    secure: Start, copied: Issued, blog: Issued, authority: Authority
) -> None:
    running = secure([copied])
    shutil.copy(blog.cert, copied.cert)  # and its key does not follow
    running.hup(2, "the old certificates for clients stay in force")
    said = f"{copied.key}: the private key is not that of the certificate {copied.cert}"
    assert running.log().count(said) == 2
    for _ in range(8):
        with closing(presented(running.tls_port, authority)) as fresh:
            assert "shop.example" in names(fresh)
            assert ask(fresh) == 200
    shutil.copy(blog.key, copied.key)
    running.hup(2, "the certificates for clients were read again")
    with closing(presented(running.tls_port, authority)) as fresh:
        assert "blog.example" in names(fresh)


def test_a_bad_pair_stops_the_start_with_path_and_reason(
    tmp_path: Path, copied: Issued, origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    Path(copied.key).unlink()
    broken = Secure(tmp_path, [copied], f"services:\n  shop:\n    stable: {origins[0].url}\n")
    assert finish(broken.spawn(), 20) == 1
    assert f"failed to start: {copied.key}: no such file or directory" in broken.log()
    assert not broken.path.exists()


def test_clients_over_a_unix_socket(secure: Start, shop: Issued) -> None:
    running = secure([shop])
    done = curl("--unix-socket", str(running.path), "http://shop/")
    assert done.stdout.endswith("200"), done.stderr
    assert f"unix:{running.path}" in running.log()
    first = running.workers()
    os.kill(first[0], signal.SIGTERM)  # a worker that ends must not take the path with it
    wait_until(lambda: first[0] not in running.workers(), "the worker has ended", 20)
    assert curl("--unix-socket", str(running.path), "http://shop/").stdout.endswith("200")
    assert running.process is not None
    running.process.send_signal(signal.SIGTERM)
    assert finish(running.process, 20) == 0
    assert not running.path.exists()


# Origins that speak TLS.

SERVER = """
server {{
  listen {host}:{port} ssl; default_type text/plain;
  ssl_certificate {cert}; ssl_certificate_key {key};
  {more}
  location / {{ return 200 "$ssl_server_name $ssl_client_s_dn"; }}
  location = /nth {{ return 200 "$connection_requests"; }}
}}
"""


@pytest.fixture
def origin(tmp_path: Path, shop: Issued) -> Iterator[Callable[..., int]]:
    """Starts nginx with TLS: origin(more) is its port."""
    if nginx_path() is None:
        pytest.skip("nginx is not installed")
    with ExitStack() as stack:

        def started(more: str = "") -> int:
            (port,) = free_ports([0])
            place = tmp_path / f"nginx-{port}"
            place.mkdir()
            text = SERVER.format(host=LOOPBACK, port=port, cert=shop.cert, key=shop.key, more=more)
            stack.callback(run_nginx(text, port, place).end)
            return port

        yield started


def backend(port: int, tls: str) -> str:
    return f"{{endpoints: https://{LOOPBACK}:{port}, tls: {{{tls}}}}}"


def test_an_origin_that_is_trusted(
    secure: Start, origin: Callable[..., Any], shop: Issued, authority: Authority
) -> None:
    running = secure([shop], backend(origin(), f"ca: {authority.cert}, server_name: shop.example"))
    done = curl(running.url)
    assert done.stdout == "shop.example \n200", done.stderr
    connection = http.client.HTTPConnection(LOOPBACK, running.port, timeout=20)
    with closing(connection):  # and so one worker, which keeps its connection to the origin
        asked = []
        for _ in range(3):
            connection.request("GET", "/nth")
            asked.append(int(connection.getresponse().read()))
    assert asked in ([1, 2, 3], [2, 3, 4])


@pytest.mark.parametrize(
    ("tls", "detail"),
    [
        ("", "its certificate is not trusted"),
        ("ca: {ca}, server_name: other.example", "its certificate is for another name"),
        ("ca: /no/such/ca.pem", "our own files for TLS with it can't be used"),
    ],
)
def test_an_origin_that_is_not_trusted_is_a_502(
    secure: Start, origin: Callable[..., Any], shop: Issued, authority: Authority, tls: str, detail: str
) -> None:
    port = origin()
    running = secure([shop], backend(port, tls.format(ca=authority.cert)))
    done = curl(running.url)
    assert done.stdout.endswith("502")
    assert detail in done.stdout
    assert str(port) not in done.stdout
    metrics = 'weir_request_errors_total{backend="stable",kind="tls",service="shop"} 1'
    wait_until(lambda: 'tls"' in running.admin.metrics(), metrics, 10)


def test_an_origin_that_asks_for_our_certificate(
    secure: Start, origin: Callable[..., Any], shop: Issued, blog: Issued, authority: Authority
) -> None:
    port = origin(f"ssl_client_certificate {authority.cert}; ssl_verify_client on;")
    ours = f", cert: {blog.cert}, key: {blog.key}"
    running = secure([shop], backend(port, f"ca: {authority.cert}{ours}"))
    assert curl(running.url).stdout == " CN=blog.example\n200"


def test_an_origin_that_asks_for_a_certificate_that_we_do_not_have(
    secure: Start, origin: Callable[..., Any], shop: Issued, authority: Authority
) -> None:
    port = origin(f"ssl_client_certificate {authority.cert}; ssl_verify_client on;")
    running = secure([shop], backend(port, f"ca: {authority.cert}"))
    done = curl(running.url)
    assert "No required SSL certificate was sent" in done.stdout
    assert done.stdout.endswith("400")

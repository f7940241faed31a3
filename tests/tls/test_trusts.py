"""A context for each way to trust: made once, renewed together, and what is no good changes nothing."""

import asyncio
import shutil
import ssl
import threading
from pathlib import Path

import pytest

from proxy.routing.endpoint import OWN_HOST, SYSTEM, Endpoint, Trust
from proxy.tls import trusts as module
from proxy.tls.pem import Unusable
from proxy.tls.trusts import Trusts, client_context, expected_name, handshake_failure
from tests.kits.authority import Authority, Issued


def test_who_is_verified_by_default() -> None:
    context = client_context(SYSTEM)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_ca_replaces_the_systems_store(authority: Authority) -> None:
    (known,) = client_context(Trust(ca=authority.cert)).get_ca_certs()
    assert known["subject"] == ((("commonName", "authority of the tests"),),)


def test_nobody_is_verified_when_that_is_asked_for(authority: Authority) -> None:
    context = client_context(Trust(ca=authority.cert, verify=False))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize(
    ("trust", "why"),
    [
        (Trust(ca="/no/ca.pem"), "/no/ca.pem: no such file or directory"),
        (Trust(ca=__file__), f"{__file__}: there is no certificate in it"),
        (Trust(cert="/no/c.pem", key="/no/c.key"), "/no/c.pem: no such file or directory"),
    ],
)
def test_files_that_cannot_be_used(trust: Trust, why: str) -> None:
    with pytest.raises(Unusable) as told:
        client_context(trust)
    assert str(told.value).startswith(why)


async def test_a_context_is_made_once_off_the_event_loop(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(trust: Trust) -> ssl.SSLContext:
        made.append(threading.current_thread())
        return client_context(trust)

    monkeypatch.setattr(module, "client_context", counted)
    trusts, trust = Trusts(), Trust(ca=authority.cert)
    first, second = await asyncio.gather(trusts.context(trust), trusts.context(Trust(ca=authority.cert)))
    assert first is second is await trusts.context(trust)
    assert await trusts.context(Trust(verify=False)) is not first
    assert len(made) == 2
    assert threading.main_thread() not in made
    assert repr(trusts) == "<Trusts 2 contexts>"


async def test_what_could_not_be_made_is_tried_again(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ca.pem"
    trusts, trust = Trusts(), Trust(ca=str(path))
    with pytest.raises(Unusable):
        await trusts.context(trust)
    assert f"{path}: no such file or directory; no connection can be made" in caplog.text
    assert len(trusts) == 0
    shutil.copy(authority.cert, path)
    assert await trusts.context(trust)


async def test_a_dial_that_is_given_up_leaves_the_context_to_others(authority: Authority) -> None:
    trusts, trust = Trusts(), Trust(ca=authority.cert)
    first = asyncio.ensure_future(trusts.context(trust))
    await asyncio.sleep(0)
    first.cancel()
    assert isinstance(await trusts.context(trust), ssl.SSLContext)


async def test_what_is_forgotten_is_made_anew_and_nothing_else(authority: Authority) -> None:
    trusts, trust = Trusts(), Trust(ca=authority.cert)
    before, other = await trusts.context(trust), await trusts.context(Trust(verify=False))
    trusts.forget(trust)
    trusts.forget(Trust(ca="never met"))
    assert await trusts.context(trust) is not before
    assert await trusts.context(Trust(verify=False)) is other


async def test_a_renewal_makes_all_anew(authority: Authority, blog: Issued, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    shutil.copy(authority.cert, path)
    trusts, trust = Trusts(), Trust(ca=str(path))
    before = await trusts.context(trust)
    shutil.copy(blog.cert, path)
    await trusts.renew()
    after = await trusts.context(trust)
    assert after is not before
    assert after.get_ca_certs() != before.get_ca_certs() or not after.get_ca_certs()


async def test_a_bad_file_at_a_renewal_changes_nothing(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    shutil.copy(authority.cert, path)
    trusts, good, bad = Trusts(), Trust(ca=authority.cert), Trust(ca=str(path))
    before = await trusts.context(good), await trusts.context(bad)
    shutil.copy(__file__, path)
    with pytest.raises(Unusable, match="there is no certificate in it"):
        await trusts.renew()
    assert (await trusts.context(good), await trusts.context(bad)) == before


def ssl_error(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def unverified(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed for shop.internal")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (unverified(62), "its certificate is for another name"),
        (unverified(9), "its certificate is not valid yet"),
        (unverified(10), "its certificate has expired"),
        (unverified(18), "its certificate is not trusted"),
        (ssl_error("WRONG_VERSION_NUMBER"), "it does not speak TLS"),
        (ssl_error("UNSUPPORTED_PROTOCOL"), "it speaks no version of TLS that is accepted"),
        (ssl_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), "it refused the TLS handshake"),
        (ssl_error("INTERNAL_ERROR"), "the TLS handshake failed"),
        (ssl_error(None), "the TLS handshake failed"),
        (ConnectionResetError(), "it closed the connection within the TLS handshake"),
    ],
)
def test_why_a_handshake_failed_names_no_address(error: OSError, detail: str) -> None:
    assert handshake_failure(error) == detail


async def test_what_is_warm_is_there_and_what_is_no_good_is_told(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    trusts, good = Trusts(), Trust(ca=authority.cert)
    await trusts.warm([good, Trust(ca="/no/ca.pem"), good])
    assert repr(trusts) == "<Trusts 1 contexts>"
    assert caplog.text.count("/no/ca.pem: no such file or directory") == 1


@pytest.mark.parametrize(
    ("url", "trust", "name"),
    [
        ("https://shop.example.", SYSTEM, "shop.example"),  # the dot is for DNS alone
        ("https://[::1]:8443", SYSTEM, "::1"),
        ("https://10.0.0.5", Trust(server_name="shop.internal"), "shop.internal"),
    ],
)
def test_whom_an_endpoint_should_be(url: str, trust: Trust, name: str) -> None:
    assert expected_name(Endpoint.parse(url, trust)) == name


@pytest.mark.parametrize(
    ("sent", "trust", "name"),
    [
        ("shop.example", Trust(), "shop.example"),
        ("shop.example:8443", Trust(), "shop.example"),
        ("shop.example.", Trust(), "shop.example"),
        ("[::1]:8443", Trust(), "::1"),
        (OWN_HOST, Trust(), "app.test"),
        ("shop.example", Trust(server_name="other.example"), "other.example"),
    ],
)
def test_the_name_follows_the_host_that_the_endpoint_gets(sent: str, trust: Trust, name: str) -> None:
    assert expected_name(Endpoint.parse("https://app.test:8443", trust, sent)) == name

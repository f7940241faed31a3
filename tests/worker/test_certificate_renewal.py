"""Certificates are read again when that is asked for; what is no good is told and changes nothing."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.routing.endpoint import Trust
from proxy.tls import certificates as module
from proxy.tls.certificates import Certificates
from proxy.tls.pem import Pair, Unusable
from proxy.tls.trusts import Trusts
from proxy.worker.certificate_renewal import Renewal


@pytest.fixture
def pair(tmp_path: Path, shop: Any) -> Pair:
    """A pair whose files can be changed."""
    pair = Pair(str(tmp_path / "own.pem"), str(tmp_path / "own.key"))
    shutil.copy(shop.cert, pair.cert)
    shutil.copy(shop.key, pair.key)
    return pair


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - another thread does what is waited for
            await asyncio.sleep(0.001)


def idle(renewal: Renewal) -> bool:
    return repr(renewal).endswith(" 0 under way>")


async def test_a_renewal_shows_what_is_there_now(
    pair: Pair, blog: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    certificates = Certificates([pair])
    renewal = Renewal([certificates], Trusts())
    await renewal.begin()
    assert "shop.example" in certificates.table.named
    shutil.copy(blog.cert, pair.cert)
    shutil.copy(blog.key, pair.key)
    renewal.again()
    assert repr(renewal) == "<Renewal of 1 listeners, 1 under way>"
    await until(lambda: idle(renewal))
    assert "blog.example" in certificates.table.named
    assert caplog.messages == ["the certificates for clients were read again"]


async def test_a_bad_pair_changes_nothing_and_is_told(
    pair: Pair, blog: Any, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = Certificates([pair])
    renewal = Renewal([certificates], Trusts())
    await renewal.begin()
    before = certificates.table
    shutil.copy(blog.key, pair.key)
    renewal.again()
    await until(lambda: idle(renewal))
    assert certificates.table is before
    assert caplog.messages == [
        f"{pair.key}: the private key is not that of the certificate {pair.cert}; "
        "the old certificates for clients stay in force"
    ]


async def test_a_bad_pair_at_the_beginning_is_the_callers_affair(pair: Pair) -> None:
    Path(pair.key).unlink()  # noqa: ASYNC240 - nothing else runs here
    with pytest.raises(Unusable, match=r"own.key: no such file or directory"):
        await Renewal([Certificates([pair])], Trusts()).begin()


async def test_what_endpoints_are_met_with_is_renewed_by_itself(
    pair: Pair, authority: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shutil.copy(authority.cert, tmp_path / "ca.pem")
    trusts, trust = Trusts(), Trust(ca=str(tmp_path / "ca.pem"))
    before = await trusts.context(trust)
    renewal = Renewal([Certificates([pair])], trusts)
    await renewal.begin()
    Path(pair.cert).unlink()  # noqa: ASYNC240 - nothing else runs here
    renewal.again()
    await until(lambda: idle(renewal))
    assert await trusts.context(trust) is not before
    assert caplog.messages[-1] == "the certificates for endpoints were read again"
    assert caplog.messages[0].endswith("the old certificates for clients stay in force")


async def test_without_any_certificate_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    renewal = Renewal([], Trusts())
    await renewal.begin()
    renewal.again()
    await until(lambda: idle(renewal))
    assert caplog.messages == []


async def test_one_renewal_comes_after_the_other(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = []
    real = module.CertificateTable.read
    running = 0

    def counted(pairs: Any) -> Any:
        nonlocal running
        running += 1
        at_once.append(running)
        shown = real(pairs)
        running -= 1
        return shown

    monkeypatch.setattr(module.CertificateTable, "read", counted)
    renewal = Renewal([Certificates([pair])], Trusts())
    for _ in range(5):
        renewal.again()
    await until(lambda: idle(renewal))
    assert at_once == [1] * 5

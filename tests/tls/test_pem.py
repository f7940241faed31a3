"""Why a certificate and its key are no good, in words."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.tls.pem import Pair, Unusable, load_pair
from tests.kits.authority import Issued


@pytest.fixture
def copied(shop: Issued, tmp_path: Path) -> Pair:
    """A pair whose files can be changed."""
    cert, key = tmp_path / "own.pem", tmp_path / "own.key"
    shutil.copy(shop.cert, cert)
    shutil.copy(shop.key, key)
    return Pair(str(cert), str(key))


def remove_cert(pair: Pair, other: Issued) -> None:
    Path(pair.cert).unlink()


def remove_key(pair: Pair, other: Issued) -> None:
    Path(pair.key).unlink()


def no_pem_cert(pair: Pair, other: Issued) -> None:
    Path(pair.cert).write_text("hello")


def no_pem_key(pair: Pair, other: Issued) -> None:
    Path(pair.key).write_bytes(b"\x30\x82")


def swapped(pair: Pair, other: Issued) -> None:
    cert, key = Path(pair.cert), Path(pair.key)
    content = cert.read_text()
    cert.write_text(key.read_text())
    key.write_text(content)


def key_of_another(pair: Pair, other: Issued) -> None:
    shutil.copy(other.key, pair.key)


def garbled_cert(pair: Pair, other: Issued) -> None:
    path = Path(pair.cert)
    path.write_text(re.sub(r"\n[A-Za-z0-9+/]{40}", "\n" + "A" * 40, path.read_text(), count=1))


def a_directory(pair: Pair, other: Issued) -> None:
    Path(pair.cert).unlink()
    Path(pair.cert).mkdir()


def with_passphrase(pair: Pair, other: Issued) -> None:
    words = ["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", other.key, "-out", pair.key]
    subprocess.run(words, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("spoil", "file", "why"),
    [
        (remove_cert, "cert", "no such file or directory"),
        (remove_key, "key", "no such file or directory"),
        (no_pem_cert, "cert", "there is no certificate in it: it must be a PEM file"),
        (no_pem_key, "key", "there is no private key in it: it must be a PEM file"),
        (swapped, "cert", "there is no certificate in it"),
        (key_of_another, "key", "the private key is not that of the certificate"),
        (garbled_cert, "cert", ""),
        (a_directory, "cert", "is a directory"),
        (with_passphrase, "key", "the private key has a passphrase, which can't be entered here: remove it"),
    ],
)
def test_what_is_no_good_is_told_with_its_path_and_the_reason(
    copied: Pair, blog: Issued, spoil: Callable[..., Any], file: str, why: str
) -> None:
    spoil(copied, blog)
    with pytest.raises(Unusable) as told:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), copied)
    path = copied.cert if file == "cert" else copied.key
    assert str(told.value).startswith(f"{path}")
    assert why in str(told.value)


def test_a_good_pair_is_loaded(copied: Pair) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(context, copied)

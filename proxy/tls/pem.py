"""Certificates and private keys in PEM files, and what is wrong with them in words for whoever wrote them."""

import ssl
from dataclasses import dataclass
from pathlib import Path


class Unusable(Exception):
    """A file that can't be used for TLS; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two PEM files: a certificate with its chain, and its private key."""

    cert: str
    key: str


def load_pair(context: ssl.SSLContext, pair: Pair) -> None:
    """Load a certificate and its key into a context that is not in use yet. Raises Unusable."""
    _look_into(pair.cert, b"CERTIFICATE-----", "certificate")
    _look_into(pair.key, b"PRIVATE KEY-----", "private key")

    def refuse() -> str:
        raise Unusable(f"{pair.key}: the private key has a passphrase, which nobody could type: remove it")

    try:
        context.load_cert_chain(pair.cert, pair.key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Unusable(
                f"{pair.key}: the private key is not that of the certificate {pair.cert}"
            ) from error
        raise Unusable(f"{pair.cert} with {pair.key}: {said(error)}") from error
    except OSError as error:  # gone since we looked
        raise Unusable(f"{pair.cert} with {pair.key}: {error.strerror or error}") from error


def said(error: ssl.SSLError) -> str:
    """The reason that OpenSSL gives, in its own words."""
    reason = getattr(error, "verify_message", None) or error.reason or str(error)
    return str(reason).replace("_", " ").lower()


def _look_into(path: str, sign: bytes, what: str) -> None:
    """OpenSSL says neither which of two files is missing nor which of them is no PEM."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if sign not in content:
        raise Unusable(f"{path}: there is no {what} in it: it must be a PEM file, with lines of `-----BEGIN`")

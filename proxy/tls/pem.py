"""Certificates and private keys in PEM files, and messages about what is wrong with them."""

import ssl
from dataclasses import dataclass
from pathlib import Path


class Unusable(Exception):
    """An error: a file can't be used for TLS. The message names it and the reason."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two PEM files: a certificate with its chain, and its private key."""

    cert: str
    key: str


def load_pair(context: ssl.SSLContext, pair: Pair) -> None:
    """Load a certificate and its key into a context that is not in use yet; raise Unusable."""
    _check_content(pair.cert, b"CERTIFICATE-----", "certificate")
    _check_content(pair.key, b"PRIVATE KEY-----", "private key")

    def refuse() -> str:
        raise Unusable(
            f"{pair.key}: the private key has a passphrase, which can't be entered here: remove it"
        )

    try:
        context.load_cert_chain(pair.cert, pair.key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Unusable(
                f"{pair.key}: the private key is not that of the certificate {pair.cert}"
            ) from error
        raise Unusable(f"{pair.cert} with {pair.key}: {openssl_reason(error)}") from error
    except OSError as error:  # removed after the check
        raise Unusable(f"{pair.cert} with {pair.key}: {error.strerror or error}") from error


def openssl_reason(error: ssl.SSLError) -> str:
    """Return the reason that OpenSSL gives, in lower case."""
    reason = getattr(error, "verify_message", None) or error.reason or str(error)
    return str(reason).replace("_", " ").lower()


def _check_content(path: str, sign: bytes, what: str) -> None:
    """Raise Unusable unless the file has `sign` in it: OpenSSL does not name the wrong file."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if sign not in content:
        raise Unusable(f"{path}: there is no {what} in it: it must be a PEM file, with lines of `-----BEGIN`")

"""Certificates for the tests, made once for each run by the openssl command; no private key is committed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Issued:
    """Paths of PEM files."""

    cert: str
    key: str


class Authority:
    """Signs certificates; `cert` is what those who trust it need."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.cert = str(place / "ca.pem")
        self._key = str(place / "ca.key")
        self._made = 0
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", self._key, "-out", self.cert, "-days", "30", "-subj", "/CN=authority of the tests"),
        )

    def issue(self, *names: str, days: int = 30, usage: str = "", kind: str = "ec") -> Issued:
        """A new pair for these names: `shop.example`, or `IP:127.0.0.1`."""
        self._made += 1
        stem = self._place / str(self._made)
        cert, key, request, extensions = (f"{stem}.{end}" for end in ("pem", "key", "csr", "ext"))
        sans = [name if ":" in name else f"DNS:{name}" for name in names]
        lines = [f"subjectAltName={','.join(sans)}"] if sans else []
        lines += [f"extendedKeyUsage={usage}"] if usage else []
        Path(extensions).write_text("\n".join([*lines, "basicConstraints=CA:FALSE"]))
        new_key = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        _openssl(
            *("req", "-new", "-newkey", *new_key, "-nodes", "-keyout", key, "-out", request),
            *("-subj", f"/CN={names[0] if names else 'nobody'}"),
        )
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial"),
            *("-out", cert, "-days", str(days), "-extfile", extensions),
        )
        return Issued(cert, key)


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)

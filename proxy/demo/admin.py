"""The demo's side of the admin API: the very calls that anybody else would make."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from proxy.demo.children import TookTooLong

PATIENCE = 5.0  # seconds that an answer may take

View = dict[str, Any]  # a service as the API shows it


class AdminError(RuntimeError):
    """The API refused or could not be reached; the text is its own reason."""


class Admin:
    """Calls to the admin API at `address` (http://host:port)."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __repr__(self) -> str:
        return f"<Admin {self.address}>"

    def ready(self) -> bool:
        """Whether /readyz says 200 now."""
        try:
            return self._open("GET", "/readyz") is not None
        except AdminError:
            return False

    def service(self, name: str) -> View:
        """One service as the API shows it."""
        return self._json("GET", f"/api/v1/services/{name}")

    def set_weight(self, name: str, percent: float, reason: str) -> View:
        """Sets the canary's weight in percent; the service as it is then."""
        order = {"canary": percent, "reason": reason, "actor": "demo"}
        return self._json("PUT", f"/api/v1/services/{name}/weights", order)

    def resume(self, name: str, percent: float | None = None) -> View:
        """Gives a tripped canary traffic again: `percent`, or what it had before."""
        order = {} if percent is None else {"canary": percent}
        return self._json("POST", f"/api/v1/services/{name}/resume", order | {"actor": "demo"})

    def history(self, name: str) -> list[View]:
        """The ledger's entries of one service, newest last."""
        entries: list[View] = self._json("GET", f"/api/v1/services/{name}/history")["entries"]
        return entries

    def metrics(self) -> str:
        """What Prometheus would read."""
        return self._open("GET", "/metrics").decode()

    def await_trip(self, name: str, seconds: float, pause: float = 0.02) -> View:
        """Asks until the service is tripped; TookTooLong with the last verdict after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            view = self.service(name)
            if view["trip"] is not None:
                return view
            if time.monotonic() > deadline:
                raise TookTooLong(f"{name} was not tripped within {seconds:g} s; verdict: {view['verdict']}")
            time.sleep(pause)

    def _json(self, method: str, path: str, body: View | None = None) -> View:
        answer: View = json.loads(self._open(method, path, body))
        return answer

    def _open(self, method: str, path: str, body: View | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with _DIRECT.open(request, timeout=PATIENCE) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as refusal:
            raise AdminError(
                f"{method} {path}: {refusal.code} {refusal.read().decode(errors='replace')}"
            ) from None
        except OSError as problem:
            raise AdminError(f"{method} {path}: {problem}") from None


# A proxy set in the environment for the outside must not get to see loopback.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

"""The demo's orders and questions to the admin API: the same calls that the verbs of `weir` make."""

import time
from typing import Any

from proxy.cli.client import Client, Failure, service_path
from proxy.demo.processes import DeadlineExceeded

View = dict[str, Any]
"""A service, or an entry of its history, as the API shows it."""


class AdminApi:
    """The admin API at `address` (http://host:port). Its methods raise Failure with the API's own reason."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = Client(address)

    def __repr__(self) -> str:
        return f"<AdminApi {self.address}>"

    def ready(self) -> bool:
        """Return whether /readyz answers 200 now."""
        try:
            return self._client.probe("/readyz")[0] == 200
        except Failure:
            return False

    def service(self, name: str) -> View:
        """Return one service."""
        return self._client.service(name)

    def set_weight(self, name: str, percent: float, reason: str) -> View:
        """Set the canary's weight in percent; return the service after it."""
        order = {"canary": percent, "reason": reason, "actor": "demo"}
        return self._client.call("PUT", service_path(name, "/weights"), order)

    def order(self, name: str, order: str, **body: Any) -> View:
        """Send an order for a service's rollout; return the service after it."""
        return self._client.call("POST", service_path(name, f"/rollout/{order}"), body)

    def explain(self, name: str) -> str:
        """Return the explanation of a service's canary, one paragraph."""
        return str(self._client.call("GET", service_path(name, "/explain"))["text"])

    def resume(self, name: str) -> View:
        """Give a tripped canary its former weight again; return the service after it."""
        return self._client.call("POST", service_path(name, "/rollout/resume"), {"actor": "demo"})

    def history(self, name: str) -> list[View]:
        """Return the ledger's entries of one service, the newest last."""
        entries: list[View] = self._client.call("GET", service_path(name, "/history"))["entries"]
        return entries

    def metrics(self) -> str:
        """Return the text that Prometheus scrapes."""
        _, content = self._client.exchange("GET", "/metrics", None, {})
        return content.decode()

    def await_trip(self, name: str, seconds: float, pause: float = 0.02) -> View:
        """Return the service once it is tripped and every worker has acknowledged that.

        Raises:
            DeadlineExceeded: it is not within `seconds`; the message has the last verdict.
        """
        deadline = time.monotonic() + seconds
        while (view := self.service(name))["trip"] is None or view["trip"]["acknowledged_ms"] is None:
            if time.monotonic() > deadline:
                raise DeadlineExceeded(
                    f"{name} was not tripped within {seconds:g} s; verdict: {view['verdict']}"
                )
            time.sleep(pause)
        return view

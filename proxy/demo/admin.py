"""The demo's orders and questions to the admin API: the very calls that the other verbs make."""

import time
from typing import Any

from proxy.cli.client import Client, Failure, service_path
from proxy.demo.children import TookTooLong

View = dict[str, Any]  # a service, or an entry of its history, as the API shows it


class Admin:
    """The admin API at `address` (http://host:port). Its methods raise Failure with the API's own reason."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = Client(address)

    def __repr__(self) -> str:
        return f"<Admin {self.address}>"

    def ready(self) -> bool:
        """Whether /readyz says 200 now."""
        try:
            return self._client.probe("/readyz")[0] == 200
        except Failure:
            return False

    def service(self, name: str) -> View:
        """One service as the API shows it."""
        return self._client.service(name)

    def set_weight(self, name: str, percent: float, reason: str) -> View:
        """Sets the canary's weight in percent; the service as it is then."""
        order = {"canary": percent, "reason": reason, "actor": "demo"}
        return self._client.call("PUT", service_path(name, "/weights"), order)

    def order(self, name: str, order: str, **body: Any) -> View:
        """Gives an order on a service's rollout; the service as it is then."""
        return self._client.call("POST", service_path(name, f"/rollout/{order}"), body)

    def explain(self, name: str) -> str:
        """What happened to a service's canary, in a paragraph."""
        return str(self._client.call("GET", service_path(name, "/explain"))["text"])

    def resume(self, name: str) -> View:
        """Gives a tripped canary the traffic again that it had before."""
        return self._client.call("POST", service_path(name, "/rollout/resume"), {"actor": "demo"})

    def history(self, name: str) -> list[View]:
        """The ledger's entries of one service, newest last."""
        entries: list[View] = self._client.call("GET", service_path(name, "/history"))["entries"]
        return entries

    def metrics(self) -> str:
        """What Prometheus would read."""
        _, content = self._client.exchange("GET", "/metrics", None, {})
        return content.decode()

    def await_trip(self, name: str, seconds: float, pause: float = 0.02) -> View:
        """Asks until the service is tripped and every worker knows; TookTooLong with the last verdict."""
        deadline = time.monotonic() + seconds
        while (view := self.service(name))["trip"] is None or view["trip"]["acknowledged_ms"] is None:
            if time.monotonic() > deadline:
                raise TookTooLong(f"{name} was not tripped within {seconds:g} s; verdict: {view['verdict']}")
            time.sleep(pause)
        return view

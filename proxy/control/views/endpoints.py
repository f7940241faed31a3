"""The conditions of a service's endpoints: what probes show, and what workers have ejected."""

from collections.abc import Iterator, Mapping

from proxy.control.managed_service import ManagedService
from proxy.counted import counted
from proxy.routing.endpoint import Endpoint

EJECTED = "ejected"
"""Stands in the condition of an endpoint that a worker has ejected; first, where every worker has."""


def conditions(
    managed: ManagedService, probes: Mapping[str, str], ejections: Mapping[str, int], workers: int
) -> dict[str, str]:
    """Return the conditions of a service's endpoints, in words by identity, as far as they are known.

    Args:
        managed: the service.
        probes: their conditions by their probes.
        ejections: by identity, how many workers have ejected an endpoint.
        workers: how many are connected.
    """
    found = {}
    for _, endpoint in with_backends(managed):
        ejecting, probed = ejections.get(endpoint.identity, 0), probes.get(endpoint.identity, "")
        words = _words(probed, ejecting, workers) if ejecting else probed
        if words:
            found[endpoint.identity] = words
    return found


def _words(probed: str, ejecting: int, workers: int) -> str:
    """Return the condition of an endpoint that some worker has ejected."""
    if probed.startswith("dead"):
        return probed
    by = f"{EJECTED} by {ejecting} of {counted(workers, 'worker')}, because it failed"
    if ejecting >= workers:
        return by
    return f"{probed or 'in service'}, but {by}"


def up(managed: ManagedService, conditions: Mapping[str, str]) -> dict[tuple[str, str, str], bool]:
    """Return whether endpoints are alive, as far as is known, by service, backend and URL."""
    return {
        (managed.name, backend, endpoint.url): _alive(conditions.get(endpoint.identity, ""))
        for backend, endpoint in with_backends(managed)
    }


def _alive(condition: str) -> bool:
    return not is_out(condition) and EJECTED not in condition


def is_out(condition: str) -> bool:
    """Return whether an endpoint in this condition gets no requests from any worker."""
    return condition.startswith(("dead", EJECTED))


def with_backends(managed: ManagedService) -> Iterator[tuple[str, Endpoint]]:
    """Yield the endpoints of a service, each with its backend."""
    for backend in managed.service.backends:
        for endpoint in backend.endpoints:
            yield backend.name, endpoint

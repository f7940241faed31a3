"""The difference between two files that were both read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from proxy.config.schema import Config

RESTART = frozenset({"listen", "workers", "admin", "state", "shutdown", "log.level"})
"""Keys that are fixed when the processes start."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The keys that differ, by their names in the file; empty: none does."""

    services: Mapping[str, tuple[str, ...]]
    """Which keys of a service differ, for those that are in both files."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    """Keys for all services that differ and are put in force."""
    restart: tuple[str, ...] = ()
    """Keys that differ and stay as they were until the next start."""

    def to_json(self) -> dict[str, Any]:
        """Return them as the API answers them."""
        return {
            "changed": {name: list(keys) for name, keys in self.services.items()},
            "added": list(self.added),
            "removed": list(self.removed),
            "shared": list(self.shared),
            "restart": list(self.restart),
        }


def compare(before: Config, after: Config) -> Changes:
    """Return what differs in `after`."""
    old, new = before.services, after.services
    services = {name: tuple(_keys(old[name], new[name])) for name in new if name in old}
    found = [key for key in _keys(before, after) if key not in ("services", "defaults", "log")]
    found += [f"log.{key}" for key in _keys(before.log, after.log)]
    return Changes(
        {name: keys for name, keys in services.items() if keys},
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple(key for key in found if key not in RESTART),
        tuple(key for key in found if key in RESTART),
    )


def pinned(config: Config, running: Config) -> Config:
    """Return a config with what is fixed since the start as it runs, whatever the file has by now."""
    fixed = {key: getattr(running, key) for key in RESTART if "." not in key}
    log = config.log.model_copy(update={"level": running.log.level})
    return config.model_copy(update=fixed | {"log": log})


def _keys(before: BaseModel, after: BaseModel) -> Iterable[str]:
    names = type(after).model_fields
    return (name for name in names if getattr(before, name) != getattr(after, name))

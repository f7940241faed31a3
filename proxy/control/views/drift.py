"""The drift of a service: differences of the config file from what is in force, and how to resolve them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from proxy.control.managed_service import ManagedService
from proxy.rollout.phases import IDLE, ROLLED_BACK, UNDER_WAY
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import OWN_HOST, SYSTEM
from proxy.routing.split import percent
from proxy.settings.service import side


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference of the file from what is in force, and two ways to resolve it."""

    text: str
    """A sentence with both values."""
    apply: str = ""
    """The command that puts the value of the file in force; "": there is none."""
    write: str = ""
    """The lines for the file that match what is in force; "": none are needed."""

    def to_json(self) -> dict[str, str | None]:
        """Return the drift as JSON values."""
        return {"says": self.text, "apply": self.apply or None, "write": self.write or None}


def drift(managed: ManagedService) -> Drift | None:
    """Return the drift of a service: of its backends first, else of its weight; None: there is none.

    After a trip the weight is not compared.
    """
    rollout, file = managed.rollout, managed.file
    sides = list(_sides(managed))
    if sides:
        differences = "; ".join(text for text, _ in sides)
        lines = "\n".join(lines for _, lines in sides)
        return Drift(differences, write=lines)
    if not rollout.has_canary or rollout.phase != IDLE or file.rollout or file.weight == rollout.weight:
        return None
    wanted, present = percent(file.weight), percent(rollout.weight)
    apply = f"weir set-weight {managed.name} canary={wanted:g}"
    return Drift(f"the weight is {wanted:g} % in the file, but {present:g} % is in force", apply)


def _sides(managed: ManagedService) -> Iterator[tuple[str, str]]:
    """Yield each backend whose definition differs from the file, with the line for the file.

    Stable is compared in every phase: a ledger that is lost would bring back the file's. A canary on trial
    may come from an order, and is compared only when its rollout is over.
    """
    rollout, file = managed.rollout, managed.file
    compared = [("stable", side(file.stable), rollout.stable)]
    if rollout.phase not in (*UNDER_WAY, ROLLED_BACK):
        compared.append(("canary", side(file.canary), rollout.canary))
    for name, by_file, in_force in compared:
        if by_file.definition != in_force.definition:
            text = f"{name} is {_label(by_file)} in the file, but {_label(in_force)} is in force"
            yield text, f"# no {name}" if in_force == VACANT else f"{name}: {_yaml(in_force)}"


def _label(definition: Side) -> str:
    return definition.version or ", ".join(map(str, definition.endpoints)) or "none"


def _yaml(definition: Side) -> str:
    version = f', version: "{definition.version}"' if definition.version else ""
    urls = ", ".join(f'"{endpoint.url}"' for endpoint in definition.endpoints)
    return f"{{endpoints: [{urls}]{version}{_host(definition)}{_tls(definition)}}}"


def _host(side: Side) -> str:
    """Return the key of the file for the Host that the endpoints get; "": the client's, as by default."""
    sent = {each.host_sent for each in side.endpoints} - {""}
    own = all(each.host_sent == each.authority for each in side.endpoints)
    return f", host: {json.dumps(OWN_HOST if own else min(sent))}" if sent else ""


def _tls(side: Side) -> str:
    """Return the key of the file for the trust in the endpoints; "": that of the system, as by default."""
    written = next((each.trust.to_json() for each in side.endpoints if each.trust != SYSTEM), {})
    keys = ", ".join(f"{name}: {json.dumps(value)}" for name, value in written.items())
    return f", tls: {{{keys}}}" if keys else ""

"""Where the file says something else than what is in force, and how to make the two agree."""

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.control.standing import Standing
from proxy.ledger.record import percent
from proxy.rollout.phases import IDLE, ROLLED_BACK, UNDER_WAY
from proxy.rollout.side import VACANT, Side
from proxy.settings.service import side


@dataclass(frozen=True, slots=True)
class Drift:
    """What `says` both, the command that would `apply` the file's, and what to `write` into the file instead.

    The last two are "" where there is no such way.
    """

    says: str
    apply: str = ""
    write: str = ""

    def to_json(self) -> dict[str, str | None]:
        """As the API shows it."""
        return {"says": self.says, "apply": self.apply or None, "write": self.write or None}


def drift(standing: Standing) -> Drift | None:
    """Who answers comes before the weight; a trip explains itself."""
    rollout, file = standing.rollout, standing.file
    # A canary that was named at runtime is nothing for the file before it is known to stay.
    sides = [] if rollout.phase in (*UNDER_WAY, ROLLED_BACK) else list(_sides(standing))
    if sides:
        said = "; ".join(says for says, _ in sides)
        lines = "\n".join(lines for _, lines in sides)
        return Drift(f"{said}: bring the file up to date, `weir get` prints the lines", write=lines)
    if not rollout.has_canary or rollout.phase != IDLE or file.rollout or file.weight == rollout.weight:
        return None
    wanted, present = percent(file.weight), percent(rollout.weight)
    apply = f"weir set-weight {standing.name} canary={wanted:g}"
    return Drift(f"the file says {wanted:g} %, {present:g} % is in force and stays", apply)


def _sides(standing: Standing) -> Iterator[tuple[str, str]]:
    """Who answers by the ledger and not by the file, and what the file should say."""
    rollout, file = standing.rollout, standing.file
    for name, by_file, in_force in (
        ("stable", side(file.stable), rollout.stable),
        ("canary", side(file.canary), rollout.canary),
    ):
        if by_file.definition != in_force.definition:
            says = f"the file says {name} is {_shown(by_file)}, in force is {_shown(in_force)}"
            yield says, f"# no {name}" if in_force == VACANT else f"{name}: {_yaml(in_force)}"


def _shown(who: Side) -> str:
    return who.version or ", ".join(endpoint.url for endpoint in who.endpoints) or "nobody"


def _yaml(who: Side) -> str:
    version = f', version: "{who.version}"' if who.version else ""
    urls = ", ".join(f'"{endpoint.url}"' for endpoint in who.endpoints)
    return f"{{endpoints: [{urls}]{version}}}"

"""What can happen to a rollout: the file speaks, a person orders, a verdict falls, a worker tells."""

from dataclasses import dataclass

from proxy.analysis.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Release:
    """The file's word on a service, said at every start. It is a release only when `definition` is new.

    `definition` names the canary's endpoints and version, "" when the file has no canary; `weight` is the
    file's, in parts of 10,000; `salt` is fresh, so that no user is always among the first.
    """

    definition: str
    weight: int
    salt: str


@dataclass(frozen=True, slots=True)
class SetWeight:
    """A person wants the canary to have `parts` of 10,000."""

    parts: int


@dataclass(frozen=True, slots=True)
class Resume:
    """A person lets a tripped canary back in, at `parts` of 10,000, or (None) at the weight it had before."""

    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict fell. With `enforce` off it is looked at and nothing else."""

    verdict: Verdict
    enforce: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A worker says which revision of the service it holds, and whether the canary is `halted` in it.

    A lower weight is told to the workers before it is written down, so a control that dies in between
    leaves them with a state the ledger doesn't know. What they hold then wins, for it can only be lower.
    """

    revision: int
    halted: bool


Input = Release | SetWeight | Resume | Judged | Held

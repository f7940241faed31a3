"""One service in control's charge: its section of the config, the state in force, and its assessment."""

from dataclasses import replace
from typing import Any

from proxy.config import schema
from proxy.control.assessment import Assessment
from proxy.rollout.inputs import Look
from proxy.rollout.plan import Step
from proxy.rollout.rollout import Rollout
from proxy.routing.table import Service
from proxy.settings.service import in_force, recalled


class ManagedService:
    """One service: its section of the config, the state in force, and its assessment.

    Only its own methods change it.

    Args:
        template: what the config defines of it for the workers.
        file: its section of the config.
        rollout: its last state in the ledger, which is in force.
        kept: its evidence in the ledger; None for none.
    """

    def __init__(
        self, template: Service, file: schema.Service, rollout: Rollout, kept: dict[str, Any] | None = None
    ) -> None:
        self.name = template.name
        self.file = file
        self.rollout = recalled(rollout, file)
        """The state in force."""
        self.numbered = rollout.revision
        """The highest revision that was given to an entry, whether or not that is in force."""
        self.gone = False
        """Whether the config no longer has the service: nothing more is decided for it."""
        self.assessment = Assessment(self.name, file, self.rollout, kept)
        self._template = template
        self.service: Service = in_force(template, self.rollout)
        """What the workers route by."""

    def __repr__(self) -> str:
        state = self.rollout
        return (
            f"<ManagedService of {self.name}: revision {state.revision}, {state.phase}, {state.weight} parts>"
        )

    @property
    def backends(self) -> list[str]:
        """The names of its backends, stable first."""
        return [backend.name for backend in self.service.backends]

    @property
    def basis(self) -> Rollout:
        """The state in force under the highest revision given away, from which the next entry counts on.

        An entry that raises is numbered before it is in force, and a trip may overtake it meanwhile.
        """
        return replace(self.rollout, revision=max(self.numbered, self.rollout.revision))

    @property
    def template(self) -> Service:
        """What the config defines of it for the workers."""
        return self._template

    def configure(self, file: schema.Service, template: Service) -> None:
        """Follow another config. Under another policy the evidence begins anew."""
        self.file, self._template = file, template
        self.assessment.configure(file)
        self.service = in_force(template, self.rollout)

    def leave(self) -> None:
        """Take the service out of control's charge, for the config no longer has it."""
        self.gone = True

    def number(self, rollout: Rollout) -> None:
        """Record that an entry leading to `rollout` is on its way to the ledger."""
        self.numbered = max(self.numbered, rollout.revision)

    def enter(self, rollout: Rollout) -> Service:
        """Put a state in force; return what the workers are to route by."""
        self.number(rollout)
        self.rollout = rollout
        self.assessment.enter(self.file, rollout)
        self.service = in_force(self._template, rollout)
        return self.service

    def look(self, agreed: frozenset[str]) -> Look:
        """Return what the rollout has to know of now; `agreed` are the gates that everybody agreed to."""
        assessment = self.assessment
        return Look(assessment.step_verdict, self.file.enforce, assessment.answers, agreed)

    def question(self, at: str) -> dict[str, Any]:
        """Return what a hook is asked before the rollout goes on, as plain JSON values."""
        rollout = self.rollout
        step = rollout.plan.after(rollout.step) if rollout.plan else None
        to = step.weight if isinstance(step, Step) else rollout.weight
        return {
            "at": at,
            "service": self.name,
            "revision": rollout.revision,
            "phase": rollout.phase,
            "version": rollout.canary.version,
            "endpoints": [endpoint.url for endpoint in rollout.canary.endpoints],
            "step": rollout.step,
            "of": len(rollout.plan.steps) if rollout.plan else 0,
            "from": rollout.weight / 100,
            "to": to / 100,
            "verdict": self.assessment.verdict.to_json(),
        }

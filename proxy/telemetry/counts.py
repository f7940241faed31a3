"""Counts: of a worker's entry, or sums and differences of such, and how they travel.

Each part is one of four kinds, which say what becomes of it when counts are put together:

| kind | parts | `minus` an earlier state | `plus`, as of two workers | `absorb`, `shed`: sums and windows |
|---|---|---|---|---|
| events | most | what came since | sum | added and taken out |
| gauges | in_flight, tunnels, overdue | stays | sum | left alone |
| state | exposed | stays | union | union; can't be taken out |
| | failed | stays | both lists, cut to the most frequent | left alone |
| a log | users | the events since, and whether there is a gap | one behind the other | left alone |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from proxy.telemetry import labels
from proxy.telemetry.entry import Entry
from proxy.telemetry.failed import Failed
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import ENDINGS, RESULTS
from proxy.telemetry.registers import Registers
from proxy.telemetry.sparse import by_word, merge, separate, whole_numbers
from proxy.telemetry.users import Users

_EVENTS = ("diverted", "pins_diverted", "rescued", "harmed", "abandoned", "ejections")
"""Events that are one number each."""
_GAUGES = ("in_flight", "tunnels", "overdue")


@dataclass(slots=True)
class Counts(Entry):
    """What became of some exchanges, to be added up, compared and sent."""

    def absorb(self, other: "Counts") -> None:
        """Add the events of `other` to these."""
        for mine, more in self._with(other):
            merge(mine, more)
        for name in _EVENTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.head.absorb(other.head)
        self.total.absorb(other.total)
        self.exposed.absorb(other.exposed)

    def shed(self, other: "Counts") -> None:
        """Take the events of `other` out of these. ValueError when it has more of any than there is.

        After an error these counts are half done; `minus` works on a copy.
        """
        for mine, gone in self._with(other):
            separate(mine, gone)
        for name in _EVENTS:
            if getattr(other, name) > getattr(self, name):
                raise ValueError(
                    f"{getattr(other, name)} {name} were to be subtracted, of {getattr(self, name)}"
                )
            setattr(self, name, getattr(self, name) - getattr(other, name))
        self.head.shed(other.head)
        self.total.shed(other.total)

    def _with(self, other: "Counts") -> Iterable[tuple[dict[Any, int], dict[Any, int]]]:
        """The events by key of both."""
        yield self.drawn, other.drawn
        yield self.pinned, other.pinned
        yield self.taken_over, other.taken_over
        yield self.codes, other.codes
        yield self.errors, other.errors
        yield self.labels, other.labels

    def copy(self, since: int = 0) -> "Counts":
        """Counts of their own with the same content, of the log of users what came from this number on."""
        return Counts(
            dict(self.drawn),
            dict(self.pinned),
            dict(self.codes),
            dict(self.errors),
            self.head.copy(),
            self.total.copy(),
            self.in_flight,
            self.tunnels,
            self.life,
            dict(self.taken_over),
            dict(self.labels),
            self.diverted,
            self.pins_diverted,
            self.rescued,
            self.harmed,
            self.abandoned,
            self.overdue,
            self.users.since(since),
            self.exposed.copy(),
            self.ejections,
            self.failed.copy(),
        )

    def mark(self) -> "Counts":
        """What has to be remembered of these to tell what came after them: without the users themselves."""
        result = self.copy(self.users.end)
        result.exposed = Registers()
        return result

    def plus(self, other: "Counts") -> "Counts":
        """Both together, as of two workers."""
        result = self.copy()
        result.absorb(other)
        for name in _GAUGES:
            setattr(result, name, getattr(self, name) + getattr(other, name))
        result.failed.absorb(other.failed)
        result.users = self.users.plus(other.users)
        result.life = 0
        return result

    def minus(self, other: "Counts") -> "Counts":
        """What came after `other`, an earlier state of these, or a mark of one.

        Nothing is subtracted when `other` is of another life. ValueError when `other` has more than these and
        so is no earlier state.
        """
        result = self.copy()
        result.life = 0
        if self.life == other.life or not (self.life and other.life):
            result.shed(other)
            result.users = self.users.minus(other.users)
        else:
            result.users = self.users.minus(Users())
        return result

    # JSON. What older counts don't have, and what is mostly empty, is left out while it is.

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as few as will do: this travels every 250 ms."""
        return {
            "drawn": dict(self.drawn),
            "pinned": dict(self.pinned),
            "codes": [[*code, count] for code, count in self.codes.items()],
            "errors": dict(self.errors),
            "head": self.head.to_json(),
            "total": self.total.to_json(),
            "open": self.in_flight,
            "life": self.life,
            **self._rare(),
        }

    def _rare(self) -> dict[str, Any]:
        rare = {
            "tunnels": self.tunnels,
            "taken_over": dict(self.taken_over),
            "labels": [[code, count] for code, count in self.labels.items()],
            **{name: getattr(self, name) for name in _EVENTS},
            "overdue": self.overdue,
            "users": self.users and self.users.to_json(),
            "exposed": self.exposed and self.exposed.to_json(),
            "failed": self.failed.to_json(),
        }
        return {name: value for name, value in rare.items() if value}

    @classmethod
    def from_json(cls, data: Any) -> "Counts":
        """The inverse of `to_json`. ValueError, KeyError or TypeError when it made no such `data`."""
        in_flight, life, tunnels, overdue, *events = whole_numbers(
            [data["open"], data["life"], *(data.get(name, 0) for name in ("tunnels", "overdue", *_EVENTS))]
        )
        return cls(
            drawn=by_word(data["drawn"], RESULTS),
            pinned=by_word(data["pinned"], RESULTS),
            codes=_codes(data["codes"]),
            errors=by_word(data["errors"], ENDINGS),
            head=Histogram.from_json(data["head"]),
            total=Histogram.from_json(data["total"]),
            in_flight=in_flight,
            tunnels=tunnels,
            life=life,
            taken_over=by_word(data.get("taken_over", {}), RESULTS),
            labels=by_word(dict(data.get("labels", ())), labels.CODES),
            overdue=overdue,
            users=Users.from_json(data.get("users", [0])),
            exposed=Registers.from_json(data.get("exposed", "")),
            failed=Failed.from_json(data.get("failed", ())),
            **dict(zip(_EVENTS, events, strict=True)),
        )


def _codes(rows: Any) -> dict[tuple[str, int], int]:
    """Rows of method, status and count, as counts by method and status."""
    whole_numbers([number for _, *numbers in rows for number in numbers])
    return {(str(method), status): count for method, status, count in rows}

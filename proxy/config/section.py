"""The base of every mapping of the file, as a pydantic model.

Each model finds what is wrong with it as a whole (`quarrels`) in the plain values, beside pydantic's own
findings, so that a misspelled key never hides a contradiction two lines below. Each finding becomes an Unfit.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails

from proxy.config.problems import Unfit, listed, nearest, quoted
from proxy.config.values import kind

Quarrel = tuple[tuple[int | str, ...], Unfit]
"""Where, from the model on, and what is wrong there."""


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    needs: ClassVar[Mapping[str, str]] = {}
    """For each key that must be there, what to do about its absence."""
    stand_ins: ClassVar[tuple[str, ...]] = ()
    """Words that may stand in place of the mapping."""
    meant: ClassVar[Mapping[str, str]] = {}
    """What to write for words that are often tried in its place."""

    @classmethod
    def known(cls) -> tuple[str, ...]:
        """Return the keys as they are written in the file."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    def shaped(cls, raw: object) -> object:
        """Return the mapping that a short form stands for."""
        return raw

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        """Yield what is wrong with the values taken together. Each of them may be of any kind, or missing."""
        return iter(())

    @classmethod
    def unknown(cls, key: str) -> Unfit:
        """Return the fault of a key that is not known here."""
        advice = f"{nearest(key, cls.known())}valid keys: {listed(cls.known(), 'and')}"
        return Unfit(f"{quoted(key)} is not a key of", advice, on="key", of=1)

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        shaped = cls.shaped(raw)
        if not isinstance(shaped, dict):
            raise cls._no_mapping(shaped)
        faults = [_detail(loc, fault) for loc, fault in cls.quarrels(shaped)]
        try:
            value = handler(shaped)
        except ValidationError as failure:
            found = failure.errors(include_url=False, include_input=False)
            faults += [_detail(error["loc"], cls._fault(error)) for error in found]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return value

    @classmethod
    def _no_mapping(cls, raw: object) -> Unfit:
        meant = nearest(raw, cls.stand_ins) if isinstance(raw, str) else ""
        if isinstance(raw, str) and raw in cls.meant:
            return Unfit(f"{kind(raw)} stands where a mapping is expected", cls.meant[raw])
        keys = "the keys" if cls.known()[1:] else "the key"
        advice = f"{meant}write it as a mapping with {keys} {listed(cls.known(), 'and')}"
        if cls.stand_ins:
            advice += f"; {listed(cls.stand_ins)} may stand here, too"
        return Unfit(f"{kind(raw)} stands where a mapping is expected", advice)

    @classmethod
    def _fault(cls, error: Any) -> Unfit:
        """Return one of pydantic's findings as an Unfit; those of models further down are Unfits already."""
        fault = error.get("ctx", {}).get("error")
        if isinstance(fault, Unfit):
            return fault
        key = str(error["loc"][-1])
        if error["type"] == "extra_forbidden":
            return cls.unknown(key)
        if error["type"] == "missing":
            return Unfit(f"{quoted(key)} is missing from", cls.needs.get(key, ""), on="key", of=1)
        return Unfit(str(error["msg"]))


def _detail(loc: tuple[int | str, ...], fault: Unfit) -> InitErrorDetails:
    return InitErrorDetails(type="value_error", loc=loc, input=None, ctx={"error": fault})


def one_of(raw: Mapping[str, Any], keys: tuple[str, ...], what: str) -> Iterator[Quarrel]:
    """Yield a quarrel unless exactly one of the keys is written."""
    written = [key for key in raw if key in keys]
    if not written:
        yield (), Unfit(f"{what} is incomplete", f"write one of {listed(keys)}", on="key")
    for second in written[1:]:
        message = f"{quoted(second)} and {quoted(written[0])} cannot be written together"
        yield (second,), Unfit(message, f"{what} takes one of {listed(keys)}: remove the other", on="key")

"""A policy: measures, each with the place it was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backfill.dimensions import Vocabulary
from backfill.errors import (
    DuplicateMeasureError,
    MissingKeyError,
    UnknownKindError,
    UserError,
    WrongTypeError,
    show,
)
from backfill.policy.faults import date_order, faults, path, unknown_keys
from backfill.policy.kinds import kinds, tables_within, told_keys
from backfill.policy.measure import Measure, kind_meant


@dataclass(frozen=True)
class Placed:
    """A measure and where it stands.

    Attributes:
        measure: the measure.
        file: file it was read from, or ``"policy"``.
        key: its path in that file, ``"measures[2]"``.
    """

    measure: Measure
    file: str = "policy"
    key: str = ""

    @property
    def label(self) -> str:
        """What to call it: its name, else kind and place."""
        return self.measure.name or f"{self.measure.kind} at {self.file} {self.key}".strip()

    @property
    def called(self) -> str:
        """The same within a sentence, a name in quotes."""
        return show(self.measure.name) if self.measure.name else self.label


@dataclass(frozen=True)
class Policy:
    """Measures in the order they were written, included ones first.

    Attributes:
        placed: the measures with their places.
    """

    placed: tuple[Placed, ...] = ()

    @classmethod
    def of(cls, measures: Iterable[Measure]) -> Policy:
        """A policy of measures made in Python."""
        return cls(tuple(Placed(measure, key=path("measures", n)) for n, measure in enumerate(measures)))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures alone."""
        return tuple(placed.measure for placed in self.placed)


def parse_measures(
    raw: Sequence[Any], file: str, vocabulary: Vocabulary | None, included_from: str = "", names_in: str = ""
) -> tuple[list[Placed], list[UserError]]:
    """Measures of one file, and everything wrong with them.

    Args:
        raw: the ``[[measures]]`` tables as read.
        file: file to name in faults.
        vocabulary: names that exist; None leaves names unchecked.
        included_from: marks the measures as included from this policy.
        names_in: where all names are listed, for remedies.
    """
    placed: list[Placed] = []
    wrong: list[UserError] = []
    for number, table in enumerate(raw):
        key = path("measures", number)
        measure, found = _parse(table, file, key, {"vocabulary": vocabulary, "names_in": names_in})
        wrong += found
        if measure is not None:
            if included_from and not measure.included_from:
                measure = measure.model_copy(update={"included_from": included_from})
            placed.append(Placed(measure, file, key))
    return placed, wrong


def _parse(table: Any, file: str, key: str, context: Mapping[str, Any]) -> tuple[Measure | None, list[UserError]]:
    if not isinstance(table, Mapping):
        return None, [WrongTypeError(file, key, table, "must be a table under [[measures]]")]
    if "kind" not in table:
        return None, [MissingKeyError(file, path(key, "kind"), None, "is missing; `backfill measures` lists the kinds")]
    cls = kinds().get(table["kind"]) if isinstance(table["kind"], str) else None
    if cls is None:
        remedy = kind_meant(str(table["kind"]), kinds())
        return None, [UnknownKindError(file, path(key, "kind"), table["kind"], remedy)]
    known = [field.alias or name for name, field in cls.model_fields.items()]
    wrong = unknown_keys(table, known, file, key, told=told_keys(cls)) + date_order(table, file, key)
    try:
        measure = cls.model_validate({k: v for k, v in table.items() if k in known}, context=dict(context))
    except ValidationError as error:
        return None, wrong + faults(error, file, key, within=tables_within(cls, table))
    return (None if wrong else measure), wrong


def duplicates(policy: Policy) -> list[UserError]:
    """Measures, or names of measures, given twice."""
    wrong: list[UserError] = []
    seen: dict[str, Placed] = {}
    names: dict[str, Placed] = {}
    for placed in policy.placed:
        said = {"name", "source", "announced", "until_announced", "included_from"}
        text = repr(sorted(placed.measure.model_dump(exclude=said).items()))
        twin = seen.setdefault(text, placed)
        if twin is not placed:
            remedy = f"repeats {twin.key} of {twin.file}; remove one"
            wrong.append(DuplicateMeasureError(placed.file, placed.key, placed.measure.kind, remedy))
            continue
        name = placed.measure.name
        other = names.setdefault(name, placed) if name else placed
        if other is not placed:
            remedy = f"is the name of {other.key} of {other.file}; choose another"
            wrong.append(DuplicateMeasureError(placed.file, path(placed.key, "name"), name, remedy))
    return wrong

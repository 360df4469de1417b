"""What the ``[sweep]`` of an experiment file may say, read and checked for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from backfill.dimensions import Period
from backfill.economy.priors import FIXED
from backfill.errors import (
    DuplicateMeasureError,
    MissingKeyError,
    OutOfRangeError,
    UnknownKeyError,
    UnknownParameterError,
    UserError,
    did_you_mean,
)
from backfill.policy.faults import faults, known_only, path, rows

MOST_AXES = 40
MOST_SCENARIOS = 20_000_000
TOGETHER = {"static": 512, "coupled": 48}
"""Scenarios in a chunk, the unit that is written and redone."""

DRAWN = ("random", "latin_hypercube", "sobol", "saltelli")
POWERS = ("sobol", "saltelli")
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str | int | float) else tuple(value) if isinstance(value, list) else value


def _tables(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Mapping):
        remedy = f"is one table; write it as [[sweep.{info.field_name}]], one for each"
        raise PydanticCustomError("wrong_type", "table", {"remedy": remedy})
    return _listed(value)


def _name_of_draw(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError("wrong_type", "seed", {"remedy": "must be a name in quotes or a whole number"})
    return value


class Axis(BaseModel):
    """A number that moves, and over which values."""

    model_config = _STRICT

    values: Annotated[tuple[float, ...], BeforeValidator(_listed)] | None = Field(
        None, min_length=1, description="its values"
    )
    low: float | None = Field(None, description="least value")
    high: float | None = Field(None, description="largest value")
    points: int | None = Field(None, ge=2, le=100_000, description="values from low to high, evenly spaced")
    name: str = Field("", description="what results call it")


class SweepLever(Axis):
    """A number of the policy."""

    measure: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        min_length=1, description="name of the measure, or of several that move together"
    )
    field: str = Field(description="its field; with a dot inside a table")

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or f"{', '.join(self.measure)}: {self.field}"


class SweepParameter(Axis):
    """A parameter of the benchmark; over its prior if no values are given."""

    parameter: str = Field(description="which one")

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or self.parameter


class Choice(BaseModel):
    """How the values of several axes are put together."""

    model_config = _STRICT

    by: Literal["grid", "listed", "random", "latin_hypercube", "sobol", "saltelli"] | None = Field(
        None, description="all combinations; value by value; or drawn"
    )
    samples: int | None = Field(
        None, ge=1, le=10_000_000, description="points drawn; of saltelli the base of the design"
    )
    seed: Annotated[str | int, BeforeValidator(_name_of_draw)] = Field(
        "first", description="name of the draw: the same name, the same points"
    )

    @property
    def given(self) -> bool:
        """Whether it says anything besides the name of a draw."""
        return self.by is not None or self.samples is not None


_UNSAID = Choice.model_validate({})


class SweepTable(BaseModel):
    """What ``[sweep]`` may say."""

    model_config = _STRICT

    mode: Literal["static", "coupled"] = Field(
        "static", description="one year at the reference's supply plan, or all years with suppliers' answer"
    )
    year: int | None = Field(None, description="year of static worlds; the last reported one if left out")
    combine: Literal["crossed", "paired", "joint"] = Field(
        "crossed",
        description="every choice of levers with every draw of parameters, row by row, or drawn together as [sweep.policy] says",
    )
    chunk: int | None = Field(None, ge=1, le=100_000, description="scenarios in a file of the result")
    policy: Choice = Field(_UNSAID, description="how levers are chosen")
    uncertainty: Choice = Field(_UNSAID, description="how parameters are chosen")
    levers: Annotated[tuple[SweepLever, ...], BeforeValidator(_tables)] = Field((), max_length=MOST_AXES)
    parameters: Annotated[tuple[SweepParameter, ...], BeforeValidator(_tables)] = Field((), max_length=MOST_AXES)

    @property
    def policy_by(self) -> str:
        """How levers are chosen: all combinations unless said otherwise."""
        return self.policy.by or "grid"

    @property
    def uncertainty_by(self) -> str:
        """How parameters are chosen: as levers if jointly, else a Latin hypercube unless said otherwise."""
        return self.policy_by if self.combine == "joint" else self.uncertainty.by or "latin_hypercube"

    @property
    def labels(self) -> tuple[str, ...]:
        """What results call levers, then parameters."""
        return tuple(axis.label for axis in (*self.levers, *self.parameters))

    def year_at(self, periods: Sequence[Period]) -> int:
        """Place of the period of static worlds: the first of the chosen year, else the last one."""
        if self.year is None:
            return len(periods) - 1
        return next(n for n, period in enumerate(periods) if period.start.year == self.year)


_TABLES: dict[str, type[BaseModel]] = {"policy": Choice, "uncertainty": Choice}
_LISTS: dict[str, type[BaseModel]] = {"levers": SweepLever, "parameters": SweepParameter}


def read_sweep(
    raw: Any,
    file: str,
    periods: Sequence[Period],
    priors: Mapping[str, tuple[float, float]],
    elsewhere: Sequence[str] = (),
) -> tuple[SweepTable | None, list[UserError]]:
    """The sweep of a file, and everything wrong with it but for what its measures say.

    Args:
        raw: the ``[sweep]`` table as read; None if there is none.
        file: file to name in faults.
        periods: reported periods.
        priors: ends of every parameter's prior; empty beside a user's own economy.
        elsewhere: those among them that are set in a game only.
    """
    if raw is None:
        return None, []
    wrong: list[UserError] = []
    table, found = None, known_only(raw, "sweep", SweepTable, _TABLES, _LISTS, file, wrong)
    try:
        table = SweepTable.model_validate(found)
    except ValidationError as error:
        wrong += faults(error, file, "sweep")
    if isinstance(found, Mapping):
        for kind, n, one in _axes(found):
            wrong += _ends(one, path("sweep", kind, n), file)
            if not _is_listed(found, kind):
                wrong += _repeated(one, path("sweep", kind, n), file)
        for n, one in rows(found, "parameters"):
            wrong += _parameter(one, path("sweep", "parameters", n), file, priors, elsewhere)
    if table is not None and not wrong:
        wrong += [*_whole(table, file, periods), *_choices(table, file), *_labels(table, file)]
    return (None if wrong else table), wrong


def _axes(raw: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    for kind in _LISTS:
        for n, one in rows(raw, kind):
            yield kind, n, one


def _ends(one: Mapping[str, Any], key: str, file: str) -> Iterator[UserError]:
    """Ends out of order, and values beside ends."""
    low, high = one.get("low"), one.get("high")
    if type(low) in (int, float) and type(high) in (int, float) and not low < high:  # type: ignore[operator]
        yield OutOfRangeError(file, path(key, "high"), high, f"is not above low ({low:g})")
    for other in ("low", "high", "points"):
        if other in one and "values" in one:
            yield UnknownKeyError(
                file, path(key, other), one[other], "is not read beside values; give one or the other"
            )
    if ("low" in one) != ("high" in one) and "values" not in one:
        missing = "high" if "low" in one else "low"
        yield MissingKeyError(file, path(key, missing), None, "is missing; give both ends")


def _is_listed(raw: Mapping[str, Any], kind: str) -> bool:
    """Whether values go value by value, so that those of one axis may come again."""
    word = "policy" if kind == "levers" or raw.get("combine") == "joint" else "uncertainty"
    choice = raw.get(word)
    return isinstance(choice, Mapping) and choice.get("by") == "listed"


def _repeated(one: Mapping[str, Any], key: str, file: str) -> Iterator[UserError]:
    values = one.get("values")
    if isinstance(values, list) and len(set(map(_as_read, values))) < len(values):
        yield DuplicateMeasureError(file, path(key, "values"), values, "has a value twice; remove one")


def _as_read(value: object) -> str:
    """What tells values apart: numbers by what they are, whether written with a point or not."""
    return repr(float(value)) if type(value) in (int, float) else repr(value)  # type: ignore[arg-type]


def _parameter(
    one: Mapping[str, Any], key: str, file: str, priors: Mapping[str, tuple[float, float]], elsewhere: Sequence[str]
) -> Iterator[UserError]:
    name = one.get("parameter")
    if not isinstance(name, str):
        return
    where = path(key, "parameter")
    if not priors:
        yield UnknownParameterError(file, where, name, "is the benchmark's; leave it out beside [economy]")
    elif name in elsewhere:
        yield UnknownParameterError(file, where, name, FIXED)
    elif name not in priors:
        yield UnknownParameterError(
            file, where, name, did_you_mean(name, priors, see="`backfill data priors` lists all")
        )
    else:
        least, most = priors[name]
        given = one.get("values")
        told = [("values", value) for value in (given if isinstance(given, list) else [])]
        told += [(end, one[end]) for end in ("low", "high") if end in one]
        for end, value in told:
            if type(value) in (int, float) and not least <= value <= most:
                yield OutOfRangeError(
                    file, path(key, end), value, f"is beyond its prior, {least:.3g} to {most:.3g} (1% and 99% points)"
                )


def _whole(table: SweepTable, file: str, periods: Sequence[Period]) -> Iterator[UserError]:
    if not table.levers and not table.parameters:
        yield MissingKeyError(file, "sweep.levers", None, "is missing; name levers, or parameters, that move")
    years = sorted({period.start.year for period in periods})
    if table.year is not None and table.mode == "coupled":
        yield UnknownKeyError(file, "sweep.year", table.year, 'is for mode = "static"; leave it out')
    elif table.year is not None and table.year not in years:
        yield OutOfRangeError(file, "sweep.year", table.year, f"must be a reported year, {years[0]} to {years[-1]}")
    if table.combine == "joint" and table.uncertainty.given:
        remedy = "is not read where levers and parameters are drawn together; leave it out"
        yield UnknownKeyError(file, "sweep.uncertainty", None, remedy)


def _choices(table: SweepTable, file: str) -> Iterator[UserError]:
    """Axes without the values that their choice asks for, samples where nothing is drawn, sizes that do not fit."""
    joint = table.combine == "joint"
    levers: list[tuple[str, int, Axis]] = [("levers", n, one) for n, one in enumerate(table.levers)]
    parameters: list[tuple[str, int, Axis]] = [("parameters", n, one) for n, one in enumerate(table.parameters)]
    groups = [("policy", table.policy, table.policy_by, [*levers, *parameters] if joint else levers)]
    if not joint:
        groups.append(("uncertainty", table.uncertainty, table.uncertainty_by, parameters))
    for word, choice, by, axes in groups:
        key = path("sweep", word)
        if not axes:
            if choice.given:
                yield UnknownKeyError(
                    file, key, None, f"chooses nothing: there are no {'levers' if word == 'policy' else 'parameters'}"
                )
            continue
        yield from _choice(choice, by, key, file)
        for kind, n, axis in axes:
            yield from _axis(axis, by, path("sweep", kind, n), file, prior=kind == "parameters")
        lengths = {len(axis.values) if axis.values else axis.points for _, _, axis in axes}
        if by == "listed" and len(lengths) > 1:
            told = ", ".join(str(one) for one in sorted(lengths, key=str))
            yield OutOfRangeError(
                file, path(key, "by"), by, f"goes value by value, but axes have {told} values; give all as many"
            )


def _choice(choice: Choice, by: str, key: str, file: str) -> Iterator[UserError]:
    if by in DRAWN and choice.samples is None:
        yield MissingKeyError(file, path(key, "samples"), None, f"is missing: how many points of {by}")
    elif by not in DRAWN and choice.samples is not None:
        yield UnknownKeyError(
            file, path(key, "samples"), choice.samples, f"is not read where values are {by}; leave it out"
        )
    if by in POWERS and choice.samples is not None and choice.samples & (choice.samples - 1):
        low = 1 << (choice.samples.bit_length() - 1)
        remedy = f"is no power of two, of which {by} is balanced; take {low} or {2 * low}"
        yield OutOfRangeError(file, path(key, "samples"), choice.samples, remedy)


def _axis(axis: Axis, by: str, key: str, file: str, *, prior: bool) -> Iterator[UserError]:
    if by in DRAWN:
        if axis.points is not None:
            yield UnknownKeyError(file, path(key, "points"), axis.points, f"is not read where values are drawn ({by})")
        if axis.values is None and axis.low is None and not prior:
            yield MissingKeyError(
                file, path(key, "low"), None, "is missing; give low and high, between which it is drawn"
            )
    elif axis.values is None and axis.points is None:
        yield MissingKeyError(
            file, path(key, "values"), None, f"is missing; give values, or low, high and points, of a {by}"
        )
    elif axis.values is None and axis.low is None and not prior:
        yield MissingKeyError(file, path(key, "low"), None, "is missing; give low and high, or values")


def _labels(table: SweepTable, file: str) -> Iterator[UserError]:
    """Axes of one name, or with the name of a column that results have."""
    seen: dict[str, str] = {}
    reserved = ("scenario", "number", "status", "reason", "chunk")
    for kind, axes in (("levers", table.levers), ("parameters", table.parameters)):
        for n, axis in enumerate(axes):
            key = path("sweep", kind, n, "name")
            if axis.label in seen:
                yield DuplicateMeasureError(
                    file, key, axis.label, f"is the name of {seen[axis.label]} too; give each its own"
                )
            elif axis.label in reserved:
                yield DuplicateMeasureError(file, key, axis.label, "is a column that every sweep has; choose another")
            seen.setdefault(axis.label, path("", kind, n))

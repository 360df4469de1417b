"""What the ``[design]`` of an experiment file may say, read and checked for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backfill.dimensions import Period, Vocabulary
from backfill.effects.comparison import WHOLE, WORLD
from backfill.effects.kinds import DEFAULT_CREDIBILITY, KINDS, PACKAGE_COST
from backfill.errors import (
    ContradictionError,
    DuplicateMeasureError,
    MissingKeyError,
    OutOfRangeError,
    UnknownChoiceError,
    UnknownKeyError,
    UnknownProductError,
    UnknownRegionError,
    UserError,
    did_you_mean,
)
from backfill.policy.faults import faults, known_only, path, rows
from backfill.policy.names import product_names, region_names, unknown_product, unknown_region

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)
EFFECTS = (*KINDS, PACKAGE_COST)
MOST_LEVERS = 20
MOST_POINTS = 40


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _label(value: Any) -> Any:
    return str(value) if type(value) is int else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class EffectOf(BaseModel):
    """An effect and where it is read."""

    model_config = _STRICT

    region: str | None = Field(None, description="region, bloc or world; that of the effect if left out")
    destinations: Names = Field((), description="where exports go; everywhere if left out")
    products: Names = Field((), description="products that count; all if left out")
    period: Annotated[str, BeforeValidator(_label)] = Field(WHOLE, description="a reported period, or all of them")
    security: float = Field(
        0.0, ge=0, le=1, description="of participation: worth of denying the adversary all compute, share of GDP"
    )
    credibility: float = Field(
        DEFAULT_CREDIBILITY, ge=0, le=1, description="of participation: belief that secondary tariffs are carried out"
    )

    def where(self) -> dict[str, Any]:
        """What `backfill.effects.scalars.effect` takes."""
        return {key: getattr(self, key) for key in EffectOf.model_fields}


class Objective(EffectOf):
    """What is to be as large, or as small, as can be."""

    maximise: str | None = Field(None, description="effect to make as large as possible")
    minimise: str | None = Field(None, description="effect to make as small as possible")

    @property
    def effect(self) -> str:
        """Name of the effect."""
        return str(self.maximise or self.minimise)

    @property
    def sign(self) -> float:
        """1 where small is good, -1 where large is."""
        return -1.0 if self.maximise else 1.0


class Limit(EffectOf):
    """A bound on an effect."""

    effect: str = Field(description="effect that is bounded")
    name: str = Field("", description="what results and the frontier call it; the effect and its region if left out")
    at_most: float | None = Field(None, description="largest value allowed")
    at_least: float | None = Field(None, description="smallest value allowed")

    def place(self) -> dict[str, Any]:
        """`where`, with the effect's own region where none is given."""
        kind = KINDS.get(self.effect)
        return self.where() | {"region": self.region or (kind.region if kind else None)}

    @property
    def bound(self) -> float:
        """The value not to be passed."""
        return float(self.at_most if self.at_most is not None else self.at_least or 0.0)

    @property
    def sign(self) -> float:
        """1 of an upper bound, -1 of a lower one."""
        return 1.0 if self.at_most is not None else -1.0

    @property
    def label(self) -> str:
        """What it is called."""
        kind = KINDS.get(self.effect)
        place = self.region or (kind.region if kind else "")
        year = "" if self.period == WHOLE else f", {self.period}"
        return self.name or f"{self.effect}{f' of {place}' if place else ''}{year}"


class Lever(BaseModel):
    """A number of the policy that may be chosen."""

    model_config = _STRICT

    measure: Names = Field(min_length=1, description="name of the measure, or of several that move together")
    field: str = Field(description="its field; with a dot inside a table")
    low: float = Field(description="least value")
    high: float = Field(description="largest value")
    name: str = Field("", description="what results call it; measure and field if left out")
    start: float | None = Field(None, description="value of the first start; the measure's own if left out")
    switch: bool = Field(False, description="whether the measure may be left out altogether")
    cost: float = Field(
        0.0,
        ge=0,
        description="cost of a unit of the field above none",
        json_schema_extra={"unit": "million USD a year"},
    )
    fixed_cost: float = Field(
        0.0, ge=0, description="cost while the measure is there", json_schema_extra={"unit": "million USD a year"}
    )

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or f"{', '.join(self.measure)}: {self.field}"


class Frontier(BaseModel):
    """A limit moved step by step."""

    model_config = _STRICT

    limit: str = Field(description="name of the limit that moves")
    low: float = Field(alias="from", description="first value of its bound")
    high: float = Field(alias="to", description="last value of its bound")
    points: int = Field(10, ge=2, le=MOST_POINTS, description="how many values")


class Search(BaseModel):
    """How hard to look."""

    model_config = _STRICT

    starts: int = Field(
        2, ge=1, le=50, description="starts of the search: the file's own values, then the best of the samples"
    )
    samples: int = Field(8, ge=0, le=100000, description="packages drawn for comparison")
    seed: int = Field(0, ge=0, description="of the draw")


class DesignTable(BaseModel):
    """What ``[design]`` may say."""

    model_config = _STRICT

    objective: Objective = Field(description="what to make as large or as small as possible")
    limits: Annotated[tuple[Limit, ...], BeforeValidator(_listed)] = Field((), description="what must not be passed")
    levers: Annotated[tuple[Lever, ...], BeforeValidator(_listed)] = Field(
        min_length=1, max_length=MOST_LEVERS, description="what may be chosen"
    )
    frontier: Frontier | None = Field(None, description="a limit moved step by step")
    search: Search = Field(default_factory=lambda: Search.model_validate({}))

    @property
    def moving(self) -> int | None:
        """Place of the limit that the frontier moves."""
        labels = [limit.label for limit in self.limits]
        return None if self.frontier is None else labels.index(self.frontier.limit)


_TABLES: dict[str, type[BaseModel]] = {"objective": Objective, "frontier": Frontier, "search": Search}
_LISTS: dict[str, type[BaseModel]] = {"limits": Limit, "levers": Lever}


def read_design(
    raw: Any,
    file: str,
    vocabulary: Vocabulary | None,
    periods: Sequence[Period],
    planned: frozenset[tuple[str, str]] | None = None,
    names_in: str = "",
) -> tuple[DesignTable | None, list[UserError]]:
    """The design of a file, if it can be read at all, and everything wrong with it but for what its measures say.

    Args:
        raw: the ``[design]`` table as read; None if there is none.
        file: file to name in faults.
        vocabulary: names that exist; None leaves names unchecked.
        periods: reported periods.
        planned: (product, region) of planned capacities; None leaves them unchecked.
        names_in: where all names are listed, for remedies.
    """
    if raw is None:
        return None, []
    wrong: list[UserError] = []
    table, found = None, known_only(raw, "design", DesignTable, _TABLES, _LISTS, file, wrong)
    try:
        table = DesignTable.model_validate(found)
    except ValidationError as error:
        wrong += faults(error, file, "design")
    if isinstance(found, Mapping):
        wrong += _objective(found, file)
        for key, one in _effects(found):
            wrong += _effect(one, key, file, vocabulary, periods, planned, names_in)
        wrong += [*_limits(found, file), *_levers(found, file)]
    if table is not None:
        wrong += [*_contradictions(table, file), *_frontier(table, file)]
    return table, wrong


def _effects(raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(raw.get("objective"), Mapping):
        yield path("design", "objective"), raw["objective"]
    for n, one in rows(raw, "limits"):
        yield path("design", "limits", n), one


def _objective(raw: Mapping[str, Any], file: str) -> Iterator[UserError]:
    table = raw.get("objective")
    if isinstance(table, Mapping) and ("maximise" in table) == ("minimise" in table):
        remedy = "give maximise or minimise" + (", not both" if "maximise" in table else "")
        yield MissingKeyError(file, "design.objective.maximise", None, remedy)


def _effect(
    table: Mapping[str, Any], key: str, file: str, vocabulary: Vocabulary | None, periods: Sequence[Period],
    planned: frozenset[tuple[str, str]] | None, names_in: str,
) -> Iterator[UserError]:  # fmt: skip
    """Effects, regions, products and periods that do not exist, and keys that the effect does not read."""
    word = next((name for name in ("maximise", "minimise", "effect") if isinstance(table.get(name), str)), None)
    if word is None:
        return
    name = table[word]
    if name not in EFFECTS:
        remedy = did_you_mean(name, EFFECTS, f"is no effect; there are {', '.join(EFFECTS)}")
        yield UnknownChoiceError(file, path(key, word), name, remedy)
        return
    reads, needs = ((), ()) if name == PACKAGE_COST else (KINDS[name].reads, KINDS[name].needs)
    for other in EffectOf.model_fields:
        if other in table and other not in reads:
            yield UnknownKeyError(file, path(key, other), table[other], f"is not read by {name}; leave it out")
        if other in needs and other not in table:
            yield MissingKeyError(file, path(key, other), None, f"is missing; {name} needs it")
    labels = [period.label for period in periods]
    period = _label(table.get("period", WHOLE))
    if isinstance(period, str) and period not in (*labels, WHOLE):
        yield UnknownChoiceError(
            file, path(key, "period"), period, f"is none of {labels[0]} to {labels[-1]}, nor {WHOLE}"
        )
    if vocabulary is None:
        return
    for where in ("region", "destinations"):
        for region in _words(table.get(where)):
            if region not in (*region_names(vocabulary), WORLD):
                yield UnknownRegionError(file, path(key, where), region, unknown_region(region, vocabulary, names_in))
    for product in _words(table.get("products")):
        if product not in product_names(vocabulary):
            yield UnknownProductError(
                file, path(key, "products"), product, unknown_product(product, vocabulary, names_in)
            )
    if name == "capacity" and planned is not None:
        there = set(vocabulary.expand_regions(table.get("region") or KINDS[name].region))
        chosen = {p for word in _words(table.get("products")) or ["all"] for p in vocabulary.expand_products(word)}
        if not any(p in chosen and r in there for p, r in planned):
            have = ", ".join(sorted({p for p, r in planned if r in there})) or "nothing"
            yield UnknownProductError(
                file, path(key, "products"), table.get("products"), f"are not planned there; {have} is"
            )


def _words(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [one for one in values if isinstance(one, str)]


def _limits(raw: Mapping[str, Any], file: str) -> Iterator[UserError]:
    for n, one in rows(raw, "limits"):
        if ("at_most" in one) == ("at_least" in one):
            remedy = "give at_most or at_least" + ("; for both write two limits" if "at_most" in one else "")
            yield MissingKeyError(file, path("design", "limits", n, "at_most"), None, remedy)


def _levers(raw: Mapping[str, Any], file: str) -> Iterator[UserError]:
    for n, one in rows(raw, "levers"):
        low, high, start = (one.get(key) for key in ("low", "high", "start"))
        numbers = [type(x) in (int, float) for x in (low, high, start)]
        if numbers[0] and numbers[1] and not low < high:  # type: ignore[operator]
            yield OutOfRangeError(file, path("design", "levers", n, "high"), high, f"is not above low ({low:g})")
        elif all(numbers) and not low <= start <= high:  # type: ignore[operator]
            remedy = f"is outside low to high, {low:g} to {high:g}"
            yield OutOfRangeError(file, path("design", "levers", n, "start"), start, remedy)


def _contradictions(table: DesignTable, file: str) -> Iterator[UserError]:
    """Limits that no package can keep, and labels given twice."""
    seen: dict[str, int] = {}
    for n, one in enumerate(table.limits):
        if one.label in seen and (one.name or one.sign == table.limits[seen[one.label]].sign):
            remedy = f"is the name of limits[{seen[one.label] + 1}] too; give each a name of its own"
            yield DuplicateMeasureError(file, path("design", "limits", n, "name"), one.label, remedy)
        seen.setdefault(one.label, n)
        for m, other in enumerate(table.limits[:n]):
            same = other.effect == one.effect and other.place() == one.place() and other.sign != one.sign
            least, most = (one, other) if one.sign < 0 else (other, one)
            if same and least.bound > most.bound:
                key = "at_most" if one.sign > 0 else "at_least"
                asked = "at least" if one.sign > 0 else "at most"
                remedy = f"contradicts limits[{m + 1}], which asks for {asked} {other.bound:g}"
                yield ContradictionError(file, path("design", "limits", n, key), one.bound, remedy)
        if one.effect == PACKAGE_COST:
            yield from _affordable(table, n, one, file)


def _affordable(table: DesignTable, n: int, limit: Limit, file: str) -> Iterator[UserError]:
    cheapest = sum(lever.fixed_cost + lever.cost * max(lever.low, 0.0) for lever in table.levers if not lever.switch)
    dearest = sum(lever.fixed_cost + lever.cost * max(lever.high, 0.0) for lever in table.levers)
    if limit.sign > 0 and limit.bound < cheapest:
        remedy = f"is less than the cheapest package costs, {cheapest:g}"
        yield ContradictionError(file, path("design", "limits", n, "at_most"), limit.bound, remedy)
    if limit.sign < 0 and limit.bound > dearest:
        remedy = f"is more than the dearest package costs, {dearest:g}"
        yield ContradictionError(file, path("design", "limits", n, "at_least"), limit.bound, remedy)


def _frontier(table: DesignTable, file: str) -> Iterator[UserError]:
    if table.frontier is None:
        return
    labels = [limit.label for limit in table.limits]
    if table.frontier.limit not in labels:
        told = f"is no limit; {did_you_mean(table.frontier.limit, labels)}" if labels else "is no limit; there are none"
        yield UnknownChoiceError(file, "design.frontier.limit", table.frontier.limit, told)
    if table.frontier.low == table.frontier.high:
        yield OutOfRangeError(
            file, "design.frontier.to", table.frontier.high, "is the same as from; name two different ends"
        )

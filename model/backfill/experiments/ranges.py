"""Ranges of headline numbers: how far they move as the parameters that matter most take the ends of their ranges.

One parameter at a time takes its low and its high value, everything else being central, and the whole comparison is solved
again, calibration included. Swings are combined as if parameters were independent and effects added up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from backfill.economy.priors import Prior
from backfill.experiments.levels import KEYS as LEVEL
from backfill.experiments.levels import levels
from backfill.experiments.results import EffectTables, Result

PARAMETERS = (
    "import_acceptance",
    "control_coverage",
    "adversary_demand",
    "quality_theta",
    "demand_elasticity_compute",
    "sigma_family",
    "sigma_remote",
    "sigma_coverage",
    "sigma_tier",
    "seizure_probability",
    "diversion_slope",
    "discount_factor",
)
"""Parameters that are varied unless others are named: of those of the calibrated economy, each taken alone from end to end in
``allied-alignment``, those that moved compute denied, its cost, welfare or revenue of the US by a tenth or more, or smuggling
by a quarter; and what the adversary accepts, whom rules reach, what it would buy, and the quality index (section 13)."""

METHOD = (
    "80% if parameters are independent and what they change adds up: root sum of squares of the swings of the change as one "
    "parameter at a time takes its 10% and 90% points"
)

DRIVERS = {
    "quantity": pl.String,
    "where": pl.String,
    "period": pl.String,
    "unit": pl.String,
    "rank": pl.Int64,
    "parameter": pl.String,
    "at_low": pl.Float64,
    "at_high": pl.Float64,
    "change_at_low": pl.Float64,
    "change_at_high": pl.Float64,
    "swing": pl.Float64,
    "share": pl.Float64,
}
"""Columns of ``drivers.csv``: each headline change with parameters in the order of their swing, its value at their 10% and 90%
points, and the parameter's share of the sum of squared swings."""

HEADLINES = (
    ("compute denied", "adversary"),
    ("cost per unit denied", "US and allies"),
    ("welfare, present value", "US"),
    ("welfare, present value", "adversary"),
)
"""Headline changes of which the drivers are told."""
End = Literal["low", "high"]
_KEYS = ["quantity", "where", "period", "unit"]


@dataclass(frozen=True)
class Variant:
    """One parameter at one end of its range."""

    parameter: str
    end: End
    value: float


def variants(
    priors: Mapping[str, Prior], given: Mapping[str, float], names: Sequence[str] = PARAMETERS
) -> tuple[Variant, ...]:
    """What is solved besides the central case: the 10% and 90% point of every named parameter that is not set in the file.

    Args:
        priors: by parameter.
        given: parameters that the experiment sets, which stay as they are.
        names: parameters that are varied.
    """
    ends: tuple[End, End] = ("low", "high")
    return tuple(
        Variant(name, end, value)
        for name in names
        if name not in given
        for end, value in zip(ends, priors[name].eighty, strict=True)
    )


def ranged(central: Result, chosen: Sequence[Variant], solve: Callable[[Variant], Result | None]) -> Result:
    """The result with ``low`` and ``high`` of its summary filled (see `spread`), and what was varied in its provenance.

    Args:
        central: a solved result.
        chosen: what to vary.
        solve: solves the same comparison with one parameter changed; None where it cannot be solved.
    """
    found = {variant: solve(variant) for variant in chosen}
    others = {variant: result for variant, result in found.items() if result is not None}
    solved = {variant: result.summary for variant, result in others.items()}
    unsolved = [variant for variant in chosen if variant not in solved]
    record = {
        "method": METHOD,
        "parameters": {v.parameter: {w.end: w.value for w in chosen if w.parameter == v.parameter} for v in chosen},
        "unsolved": [f"{v.parameter} {v.end}" for v in unsolved],
        "swings": swings(solved),
        "bands": [] if unsolved else bands(central.tables, {variant: result.tables for variant, result in others.items()}),
    }
    return replace(
        central,
        summary=spread(central.summary, solved, unsolved),
        drivers=drivers(central.summary, solved),
        provenance={**central.provenance, "ranges": record},
    )


def swings(solved: Mapping[Variant, pl.DataFrame]) -> list[dict[str, object]]:
    """The change of every headline number at both ends of every parameter, one parameter at a time.

    Returns:
        a record for each number and parameter: quantity, where, period, unit, parameter, and the change at its low and its high
        value, None where there is no number or no solution.
    """
    found: dict[tuple[str, ...], dict[str, object]] = {}
    for variant, summary in solved.items():
        for row in summary.iter_rows(named=True):
            place = {key: row[key] for key in _KEYS}
            empty = {**place, "parameter": variant.parameter, "low": None, "high": None}
            found.setdefault((*place.values(), variant.parameter), empty)[variant.end] = row["change"]
    return [one for one in found.values() if not one["low"] is one["high"] is None]


def bands(central: EffectTables, solved: Mapping[Variant, EffectTables]) -> list[dict[str, object]]:
    """Low and high of stocks and capacity over time, swings combined as those of headline numbers are.

    Returns:
        a record for each level with `backfill.experiments.levels.KEYS`, low and high; none where a variant lacks it.
    """
    others = {variant: levels(tables) for variant, tables in solved.items()}
    rows: list[dict[str, object]] = []
    for key, value in levels(central).items():
        found = {variant: known[key] for variant, known in others.items() if key in known}
        if found and len(found) == len(others):
            low, high = bounds(value, found)
            rows.append({**dict(zip(LEVEL, key, strict=True)), "low": low, "high": high})
    return rows


def spread(
    central: pl.DataFrame, solved: Mapping[Variant, pl.DataFrame], unsolved: Sequence[Variant] = ()
) -> pl.DataFrame:
    """A summary with ``low`` and ``high`` around each change ``c``.

    ``low = c - sqrt(sum_k max(0, c - min(l_k, h_k))**2)`` and ``high`` likewise upwards, with ``l_k`` and ``h_k`` the change
    where parameter ``k`` is low and high. A row that has no number in some variant has no range, and a note that says where;
    neither has any row if a variant could not be solved.

    Args:
        central: the summary at central values.
        solved: summaries of the variants.
        unsolved: variants without an answer.
    """
    changes = {v: {tuple(r[k] for k in _KEYS): r["change"] for r in s.iter_rows(named=True)} for v, s in solved.items()}
    rows = []
    for row in central.iter_rows(named=True):
        if row["change"] is not None and (solved or unsolved):
            key = tuple(row[k] for k in _KEYS)
            found = {v: change.get(key) for v, change in changes.items()}
            gone = [*unsolved, *(v for v, value in found.items() if value is None)]
            if gone:
                where = ", ".join(f"{v.parameter} is {v.end}" for v in gone)
                row["note"] = "; ".join(part for part in (row["note"], f"no range: no number where {where}") if part)
            else:
                row["low"], row["high"] = bounds(row["change"], {v: x for v, x in found.items() if x is not None})
        rows.append(row)
    return pl.DataFrame(rows, schema=central.schema, orient="row")


def drivers(central: pl.DataFrame, solved: Mapping[Variant, pl.DataFrame]) -> pl.DataFrame:
    """Which parameters move each headline change, and by how much (columns: `DRIVERS`).

    The swing of a parameter is the largest difference among the changes at its low, central and high value. One that could not
    be solved, or gives no number, at one end counts by the other.
    """
    changes = {v: {tuple(r[k] for k in _KEYS): r["change"] for r in s.iter_rows(named=True)} for v, s in solved.items()}
    rows: list[tuple[object, ...]] = []
    for row in central.filter(pl.col("change").is_not_null()).iter_rows(named=True):
        key = tuple(row[k] for k in _KEYS)
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for variant, change in changes.items():
            value = change.get(key)
            if value is not None:
                found.setdefault(variant.parameter, {})[variant.end] = (variant.value, value)
        swings = {name: _swing(row["change"], [value for _, value in ends.values()]) for name, ends in found.items()}
        total = sum(swing**2 for swing in swings.values())
        for rank, name in enumerate(sorted(swings, key=lambda name: (-swings[name], name)), start=1):
            low, high = found[name].get("low", (None, None)), found[name].get("high", (None, None))
            share = swings[name] ** 2 / total if total else 0.0
            rows.append((*key, rank, name, low[0], high[0], low[1], high[1], swings[name], share))
    return pl.DataFrame(rows, schema=DRIVERS, orient="row")


def _swing(central: float, values: Sequence[float]) -> float:
    return max(central, *values) - min(central, *values)


def influence(table: pl.DataFrame) -> list[tuple[str, float]]:
    """Parameters in the order of their influence: the largest share of squared swings that each has in any of `HEADLINES`."""
    told = [(pl.col("quantity") == quantity) & (pl.col("where") == where) for quantity, where in HEADLINES]
    chosen = table.filter(pl.any_horizontal(told)).group_by("parameter").agg(pl.col("share").max())
    return sorted(chosen.iter_rows(), key=lambda one: (-one[1], one[0]))


def bounds(central: float, found: Mapping[Variant, float]) -> tuple[float, float]:
    """Low and high around a central value, from its values in the variants (see `spread`)."""
    by_parameter: dict[str, list[float]] = {}
    for variant, value in found.items():
        by_parameter.setdefault(variant.parameter, []).append(value - central)
    down = math.hypot(*(max(0.0, -min(swings)) for swings in by_parameter.values()))
    up = math.hypot(*(max(0.0, max(swings)) for swings in by_parameter.values()))
    return central - down, central + up

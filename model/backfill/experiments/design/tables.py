"""From what a search found to its tables and summary; nothing here solves anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from backfill.effects.comparison import WHOLE, WORLD
from backfill.effects.kinds import KINDS, PACKAGE_COST
from backfill.effects.scalars import Effect, effect
from backfill.experiments.design.file import Lever, Limit, Objective
from backfill.experiments.design.result import SUMMARY, table
from backfill.experiments.design.solve import Outcome
from backfill.experiments.design.worlds import Found, Worlds
from backfill.governments.sequential import NEARLY, Search

WRITTEN, BEST = "as written", "best"
MONEY = "million USD"
POINT = 0.01
"""Share of a lever's range by which marginal effects are given."""


@dataclass(frozen=True)
class Ranges:
    """Low and high over the parameters' priors.

    Attributes:
        effects: of the best package, by quantity, where and period.
        frontier: of objective and limits, ``[point][value]``.
    """

    effects: Mapping[tuple[str, str, str], tuple[float, float]]
    frontier: Sequence[Sequence[tuple[float, float]]]


EVERYWHERE = ("welfare cost", "welfare cost, share", "rents lost", "fiscal revenue", "public outlay")
"""Effects that are given for every bloc and the world."""


def unit_of(name: str) -> str:
    """Unit of an effect."""
    return f"{MONEY} a year" if name == PACKAGE_COST else KINDS[name].unit


def effects(worlds: Worlds) -> Iterator[tuple[tuple[str, str, str], Effect]]:
    """Effects that are reported, by quantity, where and period: headline ones everywhere, and those asked for."""
    economy = worlds.setting.economy
    blocs = [*dict.fromkeys(economy.structure.vocabulary.bloc.values()), WORLD]
    last = economy.periods[economy.reported - 1].label
    seen = set()
    wanted = [("compute denied", "adversary", WHOLE), ("compute denied", "adversary", last)]
    wanted += [(name, bloc, WHOLE) for name in EVERYWHERE for bloc in blocs]
    wanted += [("revenue lost", "us", WHOLE), ("exports lost", "us", WHOLE)]
    for name, region, period in wanted:
        one = effect(name, economy, region=region, period=period)
        if len(one.place.regions):
            seen.add((name, region, period))
            yield (name, region, period), one
    for asked, found in zip((worlds.levers.table.objective, *worlds.levers.table.limits), worlds.asked, strict=True):
        key = asked.effect, where(asked), asked.period
        if found is not None and key not in seen:
            seen.add(key)
            yield key, found


def where(asked: Objective | Limit) -> str:
    """Region of an effect, with what narrows it down."""
    name = asked.effect
    place = asked.region or (KINDS[name].region if name in KINDS else "")
    narrowed = [*asked.products, *(f"to {one}" for one in asked.destinations)]
    return f"{place} ({', '.join(narrowed)})" if narrowed else place


def design_rows(worlds: Worlds, packages: Mapping[str, Found]) -> pl.DataFrame:
    """Levers of each package."""
    rows = []
    for name, found in packages.items():
        values = worlds.levers.values(found.package)
        pairs = zip(worlds.levers.table.levers, values, found.package.share, found.package.on, strict=True)
        for lever, value, share, on in pairs:
            end = "" if not on else "low" if share <= 10 * NEARLY else "high" if share >= 1 - 10 * NEARLY else ""
            rows.append(
                (name, lever.label, ", ".join(lever.measure), lever.field, value, lever.low, lever.high, on, end)
            )
    return table("design", rows)


def effect_rows(worlds: Worlds, packages: Mapping[str, Found], ranges: Ranges | None) -> pl.DataFrame:
    """Effects of each package beside the reference; ranges of the best."""
    rows = []
    for name, found in packages.items():
        for key, one in effects(worlds):
            low, high = ranges.effects.get(key, (None, None)) if ranges and name == BEST else (None, None)
            value = one.value(found.worlds, worlds.reference)
            rows.append((name, *key, value, low, high, unit_of(key[0])))
        if any(lever.cost or lever.fixed_cost for lever in worlds.levers.table.levers):
            cost = worlds.levers.cost(found.package)
            rows.append((name, PACKAGE_COST, "", WHOLE, cost, None, None, unit_of(PACKAGE_COST)))
    return table("effects", rows)


def limit_rows(outcome: Outcome) -> pl.DataFrame:
    """Limits at the best package, with what loosening each by a unit is worth."""
    design = outcome.problem.table
    rows = []
    for n, limit in enumerate(design.limits):
        multiplier = float(outcome.best.multipliers[n])
        binding = bool(outcome.best.values[1 + n] >= -10 * NEARLY)
        price = outcome.problem.price(n, multiplier)
        per = f"{unit_of(design.objective.effect)} by {unit_of(limit.effect)}"
        side = "at most" if limit.sign > 0 else "at least"
        rows.append((limit.label, limit.bound, side, float(outcome.optimum.values[1 + n]), binding, price, per))
    return table("limits", rows)


def marginal_rows(outcome: Outcome) -> pl.DataFrame:
    """What a hundredth of each lever's range does to objective and limits at the best package."""
    worlds, design = outcome.problem.worlds, outcome.problem.table
    slopes = worlds.slopes(worlds.inside(outcome.best.point)).by_lever
    names = [design.objective.effect, *(limit.label for limit in design.limits)]
    units = [unit_of(one.effect) for one in (design.objective, *design.limits)]
    return table(
        "marginals",
        [
            (lever.label, name, float(slopes[n, m]) * POINT, unit)
            for m, lever in enumerate(design.levers)
            for n, (name, unit) in enumerate(zip(names, units, strict=True))
        ],
    )


def frontier_rows(outcome: Outcome, ranges: Ranges | None) -> pl.DataFrame:
    """Objective, limits, shadow price and levers along the frontier."""
    rows = []
    for n, (bound, search, found) in enumerate(outcome.frontier):
        told = list(_point(outcome, search, found))
        spread: list[tuple[float | None, float | None]] = [(None, None)] * len(told)
        if ranges and ranges.frontier:
            spread = [*ranges.frontier[n], *spread[len(ranges.frontier[n]) :]]
        verdict = search.verdict.name.lower()
        rows += [
            (n + 1, bound, quantity, kind, value, *ends, unit, verdict)
            for (quantity, kind, value, unit), ends in zip(told, spread, strict=True)
        ]
    return table("frontier", rows)


def _point(outcome: Outcome, search: Search, found: Found) -> Iterator[tuple[str, str, float | None, str]]:
    """Objective and limits first, in their order; no price where the bound cannot be kept."""
    design, moving = outcome.problem.table, outcome.problem.table.moving
    yield design.objective.effect, "objective", float(found.values[0]), unit_of(design.objective.effect)
    for n, limit in enumerate(design.limits):
        yield limit.label, "limit", float(found.values[1 + n]), unit_of(limit.effect)
    if moving is not None:
        per = f"{unit_of(design.objective.effect)} by {unit_of(design.limits[moving].effect)}"
        price = outcome.problem.price(moving, float(search.multipliers[moving])) if search.feasible else None
        yield "shadow price", "price", price, per
    yield from _levers(outcome.problem.worlds, found)


def _levers(worlds: Worlds, found: Found) -> Iterator[tuple[str, str, float, str]]:
    values = worlds.levers.values(found.package)
    for lever, value, share, on in zip(
        worlds.levers.table.levers, values, found.package.share, found.package.on, strict=True
    ):
        yield lever.label, "lever", value if on else 0.0, lever.field
        yield lever.label, "share", share if on else 0.0, "share of the range"


def sample_rows(outcome: Outcome) -> pl.DataFrame:
    """Packages drawn: objective, limits and levers."""
    design, rows = outcome.problem.table, []
    names = [(design.objective.effect, "objective"), *((limit.label, "limit") for limit in design.limits)]
    units = [unit_of(one.effect) for one in (design.objective, *design.limits)]
    for n, found in enumerate(outcome.samples):
        rows += [(n + 1, *name, float(x), unit) for name, x, unit in zip(names, found.values, units, strict=True)]
        rows += [(n + 1, *one) for one in _levers(outcome.problem.worlds, found)]
    return table("samples", rows)


def certificate_rows(outcome: Outcome) -> pl.DataFrame:
    """Every search, and the best of the packages drawn."""
    rows = []
    for n, one in enumerate(outcome.searches):
        rows.append(
            (f"start {n + 1}", *_told(outcome, one.values), one.residual, one.steps, one.worlds, one.verdict.value)
        )
    best = best_sample(outcome)
    if best is not None:
        told = "the best package drawn that keeps every limit"
        rows.append(
            ("samples", *_told(outcome, outcome.problem.scaled(best.values)), None, 0, len(outcome.samples), told)
        )
    return table("certificates", rows)


def _told(outcome: Outcome, values: np.ndarray) -> tuple[float, float]:
    """Objective in its own unit, and by how much the worst limit is passed, as a share of what levers can do to it."""
    if not np.isfinite(values).all():
        return float("nan"), float("nan")
    sign = outcome.problem.table.objective.sign
    return float(sign * values[0] * outcome.problem.scale[0]), float(np.maximum(values[1:], 0.0).max(initial=0.0))


def best_sample(outcome: Outcome) -> Found | None:
    """The best package drawn that keeps every limit."""
    kept = [one for one in outcome.samples if (outcome.problem.scaled(one.values)[1:] <= NEARLY).all()]
    return min(kept, key=lambda one: outcome.problem.scaled(one.values)[0], default=None)


def summary(outcome: Outcome, tables: Mapping[str, pl.DataFrame], ranges: Ranges | None) -> pl.DataFrame:
    """Levers of the best package, its objective and limits, shadow prices, and headline effects."""
    rows: list[tuple] = []
    levers: Sequence[Lever] = outcome.problem.table.levers
    best = tables["design"].filter(pl.col("package") == BEST)
    for lever, row in zip(levers, best.iter_rows(named=True), strict=True):
        note = "left out" if not row["there"] else f"at its {row['at']} end" if row["at"] else ""
        rows.append((lever.label, "lever", row["value"], None, None, lever.field, note))
    for row in tables["limits"].iter_rows(named=True):
        note = f"{row['side']} {row['bound']:g}" + (", binding" if row["binding"] else "")
        rows.append((row["limit"], "limit", row["value"], None, None, row["unit"].rpartition(" by ")[2], note))
        rows.append((f"worth of loosening {row['limit']}", "limit", row["shadow_price"], None, None, row["unit"], ""))
    for row in tables["effects"].filter(pl.col("package") == BEST).iter_rows(named=True):
        place = row["where"] if row["period"] == WHOLE else f"{row['where']}, {row['period']}"
        ranged = ranges and row["low"] is not None
        note = "over known ranges of the parameters" if ranged else "central values of the parameters"
        rows.append((row["quantity"], place, row["value"], row["low"], row["high"], row["unit"], note))
    return pl.DataFrame(rows, schema=SUMMARY, orient="row")

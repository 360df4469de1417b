"""What a search for a best package found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from backfill.effects.kinds import H100E, SHARE
from backfill.experiments.config import Experiment
from backfill.experiments.design.file import Limit, Objective
from backfill.experiments.design.solve import Outcome
from backfill.experiments.design.tables import BEST, Ranges, best_sample, unit_of, where
from backfill.governments.sequential import NEARLY, Verdict


def objective_of(outcome: Outcome) -> str:
    """The objective in words."""
    objective = outcome.problem.table.objective
    return f"{'most' if objective.maximise else 'least'} {objective.effect} {_place(objective)}".strip()


def _place(asked: Objective | Limit) -> str:
    place = where(asked)
    year = "" if asked.period == "all" else f" in {asked.period}"
    return f"({place}{year})" if place or year else ""


def sentences(outcome: Outcome, ranges: Ranges | None = None, reference: str = "the reference") -> tuple[str, ...]:
    """The package, what it achieves, which limits bind and what they are worth, and how sure the search is."""
    told = (
        f"Everything is measured against {reference}: what the file's other measures do counts with what the levers do."
    )
    return (*_package(outcome, ranges), told, *_prices(outcome), *_certificate(outcome), *_frontier(outcome, ranges))


def _package(outcome: Outcome, ranges: Ranges | None) -> Iterator[str]:
    worlds, found, start = outcome.problem.worlds, outcome.optimum, outcome.start
    objective = outcome.problem.table.objective
    told = []
    pairs = zip(worlds.levers.table.levers, worlds.levers.values(found.package), found.package.on, strict=True)
    for lever, value, on in pairs:
        told.append(f"{lever.label} {value:.4g}" if on else f"{lever.label} left out")
    unit = unit_of(objective.effect)
    wanted = objective_of(outcome)
    ends = ranges.effects.get((objective.effect, where(objective), objective.period)) if ranges else None
    spread = f" ({span(ends, unit)} over known ranges of the parameters)" if ends else ""
    yield (
        f"{wanted[:1].upper()}{wanted[1:]}: {amount(found.values[0], unit)}{spread}, against "
        f"{amount(start.values[0], unit)} of the package as written. {BEST.capitalize()}: {'; '.join(told)}."
    )


def _prices(outcome: Outcome) -> Iterator[str]:
    table = outcome.problem.table
    for n, limit in enumerate(table.limits):
        unit, value = unit_of(limit.effect), amount(outcome.optimum.values[1 + n], unit_of(limit.effect))
        side = "at most" if limit.sign > 0 else "at least"
        if outcome.best.values[1 + n] > NEARLY:
            yield f"{limit.label} is not kept: {value}, {side} {amount(limit.bound, unit)} asked for."
            continue
        if outcome.best.values[1 + n] < -10 * NEARLY or not outcome.best.feasible:
            binds = "does not bind" if outcome.best.feasible else "is kept"
            yield f"{limit.label} {binds}: {value}, {side} {amount(limit.bound, unit)}."
            continue
        price = outcome.problem.price(n, float(outcome.best.multipliers[n]))
        more = 1000.0 if unit.startswith("million USD") else 0.01 if unit == SHARE else 1.0
        words = {1000.0: "a billion USD more", 0.01: "a hundredth more"}.get(more, f"a unit ({unit}) more")
        turned = "would allow" if limit.sign > 0 else "asked for would bring"
        turn = "more" if (table.objective.sign < 0) == (limit.sign > 0) else "less"
        yield (
            f"{limit.label} binds at {amount(limit.bound, unit)}: {words} {turned} "
            f"{amount(abs(price) * more, unit_of(table.objective.effect))} {turn} {table.objective.effect}."
        )


def _certificate(outcome: Outcome) -> Iterator[str]:
    best = outcome.best
    yield f"{best.verdict.value} Residual of the optimality conditions: {best.residual:.1e} of the objective's gradient."
    if best.verdict is Verdict.INFEASIBLE:
        limits = zip(outcome.problem.table.limits, best.values[1:], strict=True)
        passed = [limit.label for limit, value in limits if value > NEARLY]
        yield f"What cannot be kept{' together' if len(passed) > 1 else ''}: {', '.join(passed)}; loosen it or widen a range."
    kept = [one for one in outcome.searches if one.feasible]
    if len(outcome.searches) > 1 and kept:
        near = sum(one.values[0] <= best.values[0] + 1e-3 for one in kept)
        yield f"{near} of {len(outcome.searches)} starts end within a thousandth of the best."
    sample = best_sample(outcome)
    if sample is not None:
        gain = outcome.problem.scaled(sample.values)[0] - best.values[0]
        unit = unit_of(outcome.problem.table.objective.effect)
        told = f"the best of {len(outcome.samples)} packages drawn that keeps every limit has {amount(sample.values[0], unit)}"
        yield f"No package drawn is better: {told}." if gain >= -NEARLY else f"The search fell short: {told}."
    elif outcome.samples:
        yield f"None of {len(outcome.samples)} packages drawn keeps every limit."


def _frontier(outcome: Outcome, ranges: Ranges | None) -> Iterator[str]:
    if not outcome.frontier:
        return
    table = outcome.problem.table
    assert table.moving is not None
    limit, unit = table.limits[table.moving], unit_of(table.objective.effect)
    reached = [one for one in outcome.frontier if one[1].feasible]
    missed = [amount(bound, unit_of(limit.effect)) for bound, one, _ in outcome.frontier if not one.feasible]
    if missed:
        yield f"On the frontier no package keeps {limit.label} at {', '.join(missed)} with the other limits."
    if not reached:
        return
    first, last = reached[0], reached[-1]
    yield (
        f"Along the frontier {limit.label} goes from {amount(first[0], unit_of(limit.effect))} to "
        f"{amount(last[0], unit_of(limit.effect))} and {table.objective.effect} from {amount(first[2].values[0], unit)} to "
        f"{amount(last[2].values[0], unit)}."
    )
    if ranges and ranges.frontier:
        places = [n for n, one in enumerate(outcome.frontier) if one[1].feasible]
        ends = [span(ranges.frontier[n][0], unit) for n in (places[0], places[-1])]
        yield f"Over known ranges of the parameters these packages reach {ends[0]} at its first point and {ends[1]} at its last."


def unranged(chosen: Experiment, ranges: Ranges | None, varied: Mapping[str, object] | None) -> Iterator[str]:
    """Why numbers have no ranges, and how to get some; nothing where they have, or cannot."""
    if varied is not None and ranges is None:
        gone = cast("list[str]", varied["unsolved"])
        yield f"No ranges: these packages have no world where {', '.join(gone)}; other values of the parameters have."
    elif ranges is None and chosen.own is None:
        yield "Central values of the parameters only; for ranges add --ranges, which solves these packages again as they are."


def span(ends: tuple[float, float], unit: str) -> str:
    """Low and high of a quantity."""
    low, high = (amount(value, unit) for value in ends)
    same = low.split(" ", 1)[-1] == high.split(" ", 1)[-1]
    return f"{low.split(' ', 1)[0] if same else low} to {high}"


def amount(value: float, unit: str) -> str:
    """A value with its unit, as people write it."""
    if unit == H100E:
        return f"{value / 1e6:,.3g} million H100e" if abs(value) >= 1e6 else f"{value:,.0f} H100e"
    if unit.startswith("million USD"):
        rest = unit.removeprefix("million USD")
        return f"{value / 1000:,.4g} billion USD{rest}" if abs(value) >= 1000 else f"{value:,.4g} million USD{rest}"
    return f"{value:.2%}" if unit == SHARE else f"{value:,.4g} {unit}"

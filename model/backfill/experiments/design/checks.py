"""Whether a design can be meant: its levers against the policy, told before anything is solved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.economy.tables import BaselineTables
from backfill.effects.kinds import KINDS, PACKAGE_COST
from backfill.errors import (
    InertMeasureError,
    OutOfRangeError,
    UnknownRegionError,
    UserError,
)
from backfill.experiments.design.file import DesignTable, Lever, Limit, Objective, read_design
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.sides import aligning
from backfill.experiments.levers import answering, compiler, field_faults, field_of, numeric, placed_of, twice
from backfill.governments.package import Package
from backfill.hats.own import OwnTables
from backfill.policy.faults import path
from backfill.policy.library import PolicyFile
from backfill.policy.measures.secondary_tariff import SecondaryTariff
from backfill.policy.names import region_names
from backfill.policy.policy import Policy
from backfill.policy.technology import benchmark_facts
from backfill.policy.wedges import Wedges

INSIDE = 1e-4
"""Distance from a bound, as a share of a lever's range, over which wedges must not jump."""
JUMP = 1e-2


def design_of(
    file: PolicyFile,
    names: Vocabulary | None,
    periods: Sequence[Period] | None,
    tables: BaselineTables | None,
    own: OwnTables | None,
    names_in: str,
) -> tuple[DesignTable | None, list[UserError]]:
    """The design of a file, and what is wrong with it apart from its levers (see `unfit_levers`)."""
    raw = file.raw.get("design")
    if raw is None or periods is None:
        return None, []
    planned = benchmark_facts(tables).planned if own is None and names is not None else None
    return read_design(raw, file.label, names, periods, planned, names_in)


def unfit_levers(
    table: DesignTable,
    policy: Policy,
    file: str,
    vocabulary: Vocabulary,
    periods: Sequence[Period],
    tables: BaselineTables | None,
    own: OwnTables | None,
    foresight: str,
    *,
    sound: bool = True,
) -> list[UserError]:
    """Levers in no measure, bounds outside a field's own, levers and objectives that nothing moves, wedges that jump.

    Args:
        table: the design.
        policy: the measures of the experiment.
        file: file to name.
        vocabulary, periods: what measures are compiled over.
        tables: the benchmark over other regions; the shipped one if None.
        own: a user's own economy instead of the benchmark.
        foresight: what builders expect.
        sound: whether nothing else is wrong with the design; if not, what levers move is left unchecked.
    """
    wrong = [fault for n, lever in enumerate(table.levers) for fault in _lever(n, lever, policy, file)]
    wrong += twice([(lever.measure, lever.field) for lever in table.levers], file, "design")
    wrong += answering(policy)
    wrong += _participants(table, policy, vocabulary, file)
    if wrong or not sound:
        return wrong
    levers = Levers(table, policy)
    compiled = compiler(vocabulary, periods, tables, own)
    wrong += _still(levers, file, lambda package: compiled(levers.policy_at(package)))
    return wrong + _objective(table, file, foresight, periods, policy)


def _lever(n: int, lever: Lever, policy: Policy, file: str) -> Iterator[UserError]:
    key = path("design", "levers", n)
    yield from field_faults(lever.measure, lever.field, {"low": lever.low, "high": lever.high}, policy, file, key)
    for name in lever.measure:
        found = placed_of(policy, name)
        if not found or not numeric(found[0].measure, lever.field):
            continue
        value = field_of(found[0].measure, lever.field)
        apart = lever.start is None and value is not None and lever.low < lever.high
        if apart and not lever.low <= value <= lever.high:
            remedy = f"leaves out the measure's own value {value:g}; widen the range or give start"
            yield OutOfRangeError(file, path(key, "low" if value < lever.low else "high"), _end(lever, value), remedy)


def _end(lever: Lever, value: float) -> float:
    return lever.low if value < lever.low else lever.high


def _participants(table: DesignTable, policy: Policy, vocabulary: Vocabulary, file: str) -> Iterator[UserError]:
    """Effects of aligning for somebody who does not, or for several at once."""
    asked: list[tuple[str, Objective | Limit]] = [(path("design", "objective"), table.objective)]
    asked += [(path("design", "limits", n), limit) for n, limit in enumerate(table.limits)]
    for key, one in asked:
        if one.effect not in KINDS or not KINDS[one.effect].aside or one.region is None:
            continue
        if one.region not in vocabulary.regions and one.region in region_names(vocabulary):
            remedy = "is no single region; each chooses for itself: give every ally a limit of its own"
            yield UnknownRegionError(file, path(key, "region"), one.region, remedy)
        elif one.region in vocabulary.regions and not aligning(policy, one.region, vocabulary):
            remedy = "aligns by no measure, so that there is nothing to choose; add an alignment of it"
            yield InertMeasureError(file, path(key, "region"), one.region, remedy)


def threats(table: DesignTable, policy: Policy) -> set[str]:
    """Names of duties that may be for an ally that does not align, where an effect asks what it would meet."""
    asked = (table.objective, *table.limits)
    if not any(one.effect in KINDS and KINDS[one.effect].aside for one in asked):
        return set()
    return {one.measure.name for one in policy.placed if one.measure.kind in ("secondary_tariff", "retaliation")}


def _still(levers: Levers, file: str, wedges: Callable[[Package], Wedges]) -> list[UserError]:
    """Levers whose whole range leaves wedges as they are, and those at whose bounds wedges jump."""
    wrong: list[UserError] = []
    middle = levers.start().moved(np.clip(levers.start().share, 0.3, 0.7))
    between = wedges(middle)
    for n, lever in enumerate(levers.table.levers):

        def at(share: float, n: int = n) -> Wedges:
            return wedges(middle.moved([share if m == n else x for m, x in enumerate(middle.share)]))

        low = at(0.0)
        if _apart(low, between) == 0 and _apart(low, at(1.0)) == 0:
            remedy = "moves nothing from low to high: other measures do as much at every value; remove it or widen it"
            wrong.append(InertMeasureError(file, path("design", "levers", n), lever.label, remedy))
        elif _may_jump(low, levers):
            high = at(1.0)
            for end, here, share in (("low", low, INSIDE), ("high", high, 1 - INSIDE)):
                if _apart(here, at(share)) > JUMP * _apart(low, high):
                    remedy = "is where a measure starts or stops at once, so that effects jump; move it inside"
                    wrong.append(OutOfRangeError(file, path("design", "levers", n, end), getattr(lever, end), remedy))
    return wrong


def _may_jump(low: Wedges, levers: Levers) -> bool:
    """Whether anything starts or stops at once: duties that answer alignment, caps that become denials at zero."""
    answers = any(isinstance(one.measure, SecondaryTariff) for one in levers.policy.placed)
    return answers or any(limit.closes.any() for limit in low.limits)


def _apart(one: Wedges, other: Wedges) -> float:
    """Largest difference of two policies' wedges and of their limits, the latter relative to their size."""
    gaps = [
        np.abs(getattr(one, field.name) - getattr(other, field.name)).max(initial=0.0)
        for field in fields(Wedges)
        if field.name != "limits"
    ]
    mine, its = ({limit.name: limit for limit in wedges.limits} for wedges in (one, other))
    for name in {*mine, *its}:
        if name not in mine or name not in its:
            return float("inf")
        a, b = (np.nan_to_num(limit.quantity) for limit in (mine[name], its[name]))
        gaps.append((np.abs(a - b) / np.maximum(a, 1e-12)).max(initial=0.0))
    return float(max(gaps))


def _objective(
    table: DesignTable, file: str, foresight: str, periods: Sequence[Period], policy: Policy
) -> list[UserError]:
    """An objective that no lever moves."""
    objective = table.objective
    word = "maximise" if objective.maximise else "minimise"
    key = path("design", "objective", word)
    if objective.effect == PACKAGE_COST and not any(
        lever.cost or (lever.switch and lever.fixed_cost) for lever in table.levers
    ):
        return [InertMeasureError(file, key, objective.effect, "is moved by no lever: give levers a cost")]
    if objective.effect == "capacity" and foresight == "fixed":
        remedy = 'is moved by no lever: foresight = "fixed" keeps capacity as it is'
        return [InertMeasureError(file, key, objective.effect, remedy)]
    measures = [one.measure for lever in table.levers for name in lever.measure for one in placed_of(policy, name)]
    known = [measure.announced or measure.begin for measure in measures]
    ends = {period.label: period.end for period in periods}
    days = [day for day in known if day is not None]
    if objective.period in ends and len(days) == len(known) and ends[objective.period] <= min(days):
        remedy = f"is moved by no lever: their measures are known from {min(days).isoformat()}; name a later year"
        return [InertMeasureError(file, path("design", "objective", "period"), objective.period, remedy)]
    return []

"""Whether a sweep can be meant: its levers against the policy, told before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.economy.priors import GAMES, load_priors
from backfill.economy.tables import BaselineTables
from backfill.errors import ContradictionError, InertMeasureError, OutOfRangeError, UserError
from backfill.experiments.levers import answering, compiler, field_faults, twice
from backfill.experiments.sweep.file import MOST_SCENARIOS, SweepTable, read_sweep
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.policies import policy_at
from backfill.hats.own import OwnTables
from backfill.policy.board import FlowExists
from backfill.policy.compile import clashes
from backfill.policy.facts import Facts
from backfill.policy.faults import path
from backfill.policy.library import PolicyFile
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges, some


def sweep_of(
    file: PolicyFile, periods: Sequence[Period] | None, own: bool
) -> tuple[SweepTable | None, list[UserError]]:
    """The sweep of a file, and what is wrong with it apart from its levers (see `unfit_sweep`)."""
    raw = file.raw.get("sweep")
    if raw is None or periods is None:
        return None, []
    every = {} if own else load_priors()
    ends = {name: prior.ends for name, prior in every.items()}
    return read_sweep(raw, file.label, periods, ends, [name for name, prior in every.items() if prior.acts_on == GAMES])


def unfit_sweep(
    table: SweepTable,
    policy: Policy,
    file: str,
    vocabulary: Vocabulary,
    periods: Sequence[Period],
    tables: BaselineTables | None,
    own: OwnTables | None,
) -> list[UserError]:
    """Levers in no measure, values a field does not take, sweeps too large, and levers that move nothing.

    Args:
        table: the sweep.
        policy: the measures of the experiment.
        file: file to name.
        vocabulary, periods: what measures are compiled over.
        tables: the benchmark over other regions; the shipped one if None.
        own: a user's own economy instead of the benchmark.
    """
    wrong = [fault for n, lever in enumerate(table.levers) for fault in _lever(n, table, policy, file)]
    wrong += twice([(lever.measure, lever.field) for lever in table.levers], file, "sweep")
    wrong += answering(policy)
    wrong += _size(table, file)
    if wrong:
        return wrong
    compiled = compiler(vocabulary, periods, tables, own)

    def wedges(values: Sequence[float]) -> Wedges:
        found = compiled(policy_at(policy, table.levers, values))
        return some(found, slice(at, at + 1)) if table.mode == "static" else found

    at = table.year_at(periods)
    return list(_still(table, file, wedges))


def clashing_ends(
    table: SweepTable,
    policy: Policy,
    file: str,
    vocabulary: Vocabulary,
    periods: Sequence[Period],
    flow_exists: FlowExists,
    facts: Facts | None,
) -> Iterator[UserError]:
    """Levers at whose ends measures cannot all be meant, the others being as written; scenarios there are solved all the same."""
    if not table.levers:
        return
    rows = _rows(table)
    for n, lever in enumerate(table.levers):
        for end in sorted({rows[:, n].min(), rows[:, n].max()}):
            moved = policy_at(policy, [lever], [end])
            told = clashes(moved, vocabulary, tuple(periods), flow_exists=flow_exists, facts=facts)
            if told:
                others = " and ".join(other.called for other in told[0].others)
                more = f", and {len(told) - 1} more contradictions" if len(told) > 1 else ""
                remedy = f"there {told[0].placed.called} contradicts {others}, {told[0].why}{more}; "
                remedy += "scenarios there are solved as they stand"
                yield ContradictionError(file, path("sweep", "levers", n), float(end), remedy)


def _rows(table: SweepTable) -> np.ndarray:
    """Every choice of levers."""
    return Plan.of(table.model_copy(update={"parameters": (), "combine": "crossed"})).levers


def _lever(n: int, table: SweepTable, policy: Policy, file: str) -> Iterator[UserError]:
    lever = table.levers[n]
    key = path("sweep", "levers", n)
    least_and_most = {int(np.argmin(lever.values)), int(np.argmax(lever.values))} if lever.values else set()
    ends = [(f"values[{place + 1}]", float(lever.values[place])) for place in sorted(least_and_most)]
    ends += [(word, float(x)) for word, x in (("low", lever.low), ("high", lever.high)) if x is not None]
    found = [list(field_faults(lever.measure, lever.field, {word: x}, policy, file, key)) for word, x in ends]
    yield from {str(fault): fault for faults in found for fault in faults}.values()


def _size(table: SweepTable, file: str) -> Iterator[UserError]:
    """More scenarios than can be numbered, and choices that do not go together."""
    counts = {}
    groups = [
        (
            "policy",
            table.policy,
            table.policy_by,
            [*table.levers, *(table.parameters if table.combine == "joint" else ())],
        )
    ]
    if table.combine != "joint":
        groups.append(("uncertainty", table.uncertainty, table.uncertainty_by, list(table.parameters)))
    for word, choice, by, axes in groups:
        sizes = [len(axis.values) if axis.values else axis.points or 1 for axis in axes]
        if not axes:
            counts[word] = 1
        elif by == "grid":
            counts[word] = int(np.prod([float(size) for size in sizes]))
        elif by == "listed":
            counts[word] = sizes[0]
        else:
            counts[word] = (choice.samples or 1) * (len(axes) + 2 if by == "saltelli" else 1)
    paired = table.combine == "paired" and table.levers and table.parameters
    if paired and counts["policy"] != counts["uncertainty"]:
        have = f"{counts['policy']:,} choices of levers and {counts['uncertainty']:,} draws of parameters"
        told = f"goes row by row, but there are {have}"
        yield ContradictionError(file, "sweep.combine", table.combine, f"{told}; make them as many")
    total = max(counts.values()) if paired else int(np.prod([float(n) for n in counts.values()]))
    if total > MOST_SCENARIOS:
        remedy = f"makes {total:,} scenarios, of which {MOST_SCENARIOS:,} can be numbered; take fewer values or samples"
        yield OutOfRangeError(file, "sweep", None, remedy)


def _still(table: SweepTable, file: str, wedges) -> Iterator[UserError]:
    """Levers that leave wedges as they are wherever the others stand."""
    if not table.levers:
        return
    rows = _rows(table)
    low, high = rows.min(0), rows.max(0)
    ends = [wedges(low), wedges(high)]
    for n, lever in enumerate(table.levers):
        if low[n] == high[n]:
            continue
        others = (np.where(np.arange(len(low)) == n, high, low), np.where(np.arange(len(low)) == n, low, high))
        if all(_alike(end, wedges(other)) for end, other in zip(ends, others, strict=True)):
            when = "" if table.year is None else f" in {table.year}"
            remedy = f"moves nothing{when} between its ends: other measures do as much at every value; remove it or widen it"
            yield InertMeasureError(file, path("sweep", "levers", n), lever.label, remedy)


def _alike(one: Wedges, other: Wedges) -> bool:
    arrays = [field.name for field in fields(Wedges) if field.name != "limits"]
    limits = [[(x.name, x.entries, x.quantity.tobytes()) for x in wedges.limits] for wedges in (one, other)]
    return limits[0] == limits[1] and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)

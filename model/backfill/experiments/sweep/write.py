"""From solved scenarios to the tables of a chunk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from backfill.economy.economy import Structure
from backfill.effects.comparison import MUSD
from backfill.experiments.sweep.folder import EFFECTS, FLOWS, SCENARIOS
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.seen import Seen
from backfill.experiments.sweep.solved import Solved

SOLVED, FAILED = "solved", "failed"
NOTHING = 1e-9


def scenario_ids(plan: Plan, scenarios: Sequence[int], about: Mapping[str, str]) -> list[str]:
    """What tells scenarios from all others: a hash of their inputs, the data and the version, and of which time it is where the
    same inputs were drawn before.
    """
    base = json.dumps({key: about[key] for key in ("inputs", "reference", "data", "version")}, sort_keys=True)
    begun = hashlib.sha256(base.encode())
    found = []
    for number in scenarios:
        digest = begun.copy()
        digest.update(json.dumps(plan.values(int(number)), sort_keys=True).encode())
        if again := int(plan.repeats[number]):
            digest.update(f" {again}".encode())
        found.append(digest.hexdigest()[:16])
    return found


def tables(
    plan: Plan, solved: Solved, about: Mapping[str, str], structure: Structure | None
) -> dict[str, pl.DataFrame]:
    """The tables of a chunk by kind.

    Args:
        plan: all scenarios.
        solved: those of the chunk.
        about: identity of the sweep.
        structure: names of the axes of flows; None if they are not kept.
    """
    ids = scenario_ids(plan, solved.scenarios.tolist(), about)
    found = {SCENARIOS: _scenarios(plan, solved, ids), EFFECTS: _effects(solved, ids)}
    if structure is not None:
        found[FLOWS] = _flows(structure, solved, ids)
    return found


def _scenarios(plan: Plan, solved: Solved, ids: Sequence[str]) -> pl.DataFrame:
    axes = np.hstack([plan.levers[plan.row[solved.scenarios]], plan.draws[plan.draw[solved.scenarios]]])
    return pl.DataFrame(
        {
            "scenario": list(ids),
            "number": pl.Series(solved.scenarios, dtype=pl.Int64),
            "status": [FAILED if reason else SOLVED for reason in solved.reasons],
            "reason": [" ".join(reason.split()) for reason in solved.reasons],
            **{label: axes[:, n] for n, label in enumerate(plan.table.labels)},
        }
    )


_TEXT = ("scenario", "period", "quantity", "where", "product", "unit")


def _effects(solved: Solved, ids: Sequence[str]) -> pl.DataFrame:
    """Long: one row a scenario, period and quantity for which there is a number."""
    schema = {**dict.fromkeys(_TEXT, pl.String), "value": pl.Float64}
    if solved.measured is None:
        return pl.DataFrame(schema=schema)
    values = solved.measured.values.transpose(0, 2, 1)
    key, period, world = np.nonzero(np.isfinite(values))
    keys = solved.measured.keys

    def named(words: Sequence[str], place: np.ndarray) -> pl.Series:
        return pl.Series(list(words), dtype=pl.String).gather(place)

    columns = {
        "scenario": named(ids, world),
        "period": named(solved.labels, period),
        **{word: named([getattr(one, word) for one in keys], key) for word in ("quantity", "where", "product", "unit")},
        "value": pl.Series(values[key, period, world]),
    }
    return pl.DataFrame(columns, schema=schema)


def _flows(structure: Structure, solved: Solved, ids: Sequence[str]) -> pl.DataFrame:
    """All flows: goods by origin and destination, accelerators by route."""
    text = ("scenario", "period", "product", "origin", "destination", "user", "channel", "unit")
    schema = {**dict.fromkeys(text, pl.String), "quantity": pl.Float64, "fob_value": pl.Float64}
    if solved.seen is None:
        return pl.DataFrame(schema=schema)
    seen: Seen = solved.seen
    labels = list(solved.labels)[: seen.quantity.shape[1]]
    frames = []
    world, period, product, origin, destination = np.nonzero(np.nan_to_num(seen.quantity) > NOTHING)

    def named(words: Sequence[str], place: np.ndarray) -> pl.Series:
        return pl.Series(list(words), dtype=pl.String).gather(place)

    quantity = seen.quantity[world, period, product, origin, destination]
    frames.append(
        pl.DataFrame(
            {
                "scenario": named(ids, world),
                "period": named(labels, period),
                "product": named(structure.products, product),
                "origin": named(structure.regions, origin),
                "destination": named(structure.regions, destination),
                "user": named(structure.regions, destination),
                "channel": pl.Series(["direct"], dtype=pl.String).gather(np.zeros(len(world), int)),
                "unit": pl.Series([MUSD], dtype=pl.String).gather(np.zeros(len(world), int)),
                "quantity": pl.Series(quantity),
                "fob_value": pl.Series(quantity * seen.mill[world, period, product, origin]),
            },
            schema=schema,
        )
    )
    world, period, leaf = np.nonzero(np.nan_to_num(seen.leaf) > NOTHING)
    maker = np.array([one.maker for one in structure.leaves], int)
    frames.append(
        pl.DataFrame(
            {
                "scenario": named(ids, world),
                "period": named(labels, period),
                "product": named([structure.makers[one.maker][0] for one in structure.leaves], leaf),
                "origin": named([structure.makers[one.maker][1] for one in structure.leaves], leaf),
                "destination": named([structure.regions[one.site] for one in structure.leaves], leaf),
                "user": named([structure.regions[one.user] for one in structure.leaves], leaf),
                "channel": named([one.channel for one in structure.leaves], leaf),
                "unit": pl.Series(["thousand H100e"], dtype=pl.String).gather(np.zeros(len(world), int)),
                "quantity": pl.Series(seen.leaf[world, period, leaf]),
                "fob_value": pl.Series(seen.shipped[world, period, leaf] * seen.maker_mill[world, period, maker[leaf]]),
            },
            schema=schema,
        )
    )
    return pl.concat(frames)

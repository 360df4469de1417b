"""From solved worlds to effects, summary and checks; nothing here solves anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from backfill.dimensions import Period, Vocabulary
from backfill.effects.backfilling import backfilling
from backfill.effects.comparison import Comparison, WorldTables
from backfill.effects.compute import STOCK_DEPRECIATION, compute
from backfill.effects.exports import capacities, exports, limits, prices, stockpiles
from backfill.effects.leakage import leakage, leakage_sum
from backfill.effects.welfare import welfare
from backfill.experiments.results import CHECKS, EffectTables


class SolvedWorld(Protocol):
    """What is used of a solved world."""

    @property
    def tables(self) -> WorldTables: ...

    @property
    def checks(self) -> Mapping[str, float]: ...

    @property
    def periods(self) -> tuple[Period, ...]: ...

    @property
    def discount(self) -> float: ...


@dataclass(frozen=True)
class Pair:
    """The policy against one reference: names of worlds and the routes under control in either."""

    reference: str
    downstream: str
    controlled: pl.DataFrame


def comparisons(
    worlds: Mapping[str, SolvedWorld], scenario: str, pairs: Sequence[Pair], vocabulary: Vocabulary
) -> tuple[Comparison, ...]:
    """The policy beside each of its references."""
    policy = worlds[scenario]
    return tuple(
        Comparison(
            scenario=scenario,
            reference_name=pair.reference,
            reference=worlds[pair.reference].tables,
            policy=policy.tables,
            downstream=worlds[pair.downstream].tables,
            controlled=pair.controlled,
            vocabulary=vocabulary,
            periods=policy.periods,
            discount=policy.discount,
        )
        for pair in pairs
    )


def effect_tables(
    comparisons: Sequence[Comparison], vocabulary: Vocabulary, *, stock_depreciation: float = STOCK_DEPRECIATION
) -> EffectTables:
    """Every effects table: levels of the policy and its references, changes against each."""
    shown: dict[str, WorldTables] = {c.reference_name: c.reference for c in comparisons}
    shown[comparisons[0].scenario] = comparisons[0].policy
    return EffectTables(
        exports=exports(shown, vocabulary),
        backfilling=pl.concat([backfilling(c) for c in comparisons]),
        leakage=pl.concat([leakage(c) for c in comparisons]),
        welfare=pl.concat([welfare(c) for c in comparisons]),
        compute=compute(shown, vocabulary, comparisons[0].periods, depreciation=stock_depreciation),
        capacity=capacities(shown, vocabulary),
        limits=limits(shown),
        prices=prices(shown),
        stockpiles=stockpiles(shown, vocabulary),
    )


def joint_checks(worlds: Sequence[SolvedWorld], comparisons: Sequence[Comparison]) -> dict[str, float]:
    """Each check at its worst over worlds: the smallest ``converged``, the largest of the others.

    Args:
        worlds: all worlds, references included.
        comparisons: for ``leakage_sum``.
    """
    found = {name: [world.checks[name] for world in worlds] for name in CHECKS if name != "leakage_sum"}
    worst = {name: float(min(values) if name == "converged" else _largest(values)) for name, values in found.items()}
    worst["leakage_sum"] = _largest([leakage_sum(comparison) for comparison in comparisons])
    return {name: worst[name] for name in CHECKS}


def _largest(values: Sequence[float]) -> float:
    """The largest, with anything that is not a number counting as infinite."""
    return max(float("inf") if value != value else float(value) for value in values)

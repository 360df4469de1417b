"""Which measure moved what: the change a policy makes, shared among its measures by their Shapley values.

Worlds are solved for combinations of groups of measures, the others being as in the reference. Every headline number that is
a level, or a change of one, is shared; rates are not, for a part of a quotient means nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from backfill.effects import shapley
from backfill.effects.backfilling import GROUPS, backfilling
from backfill.effects.comparison import WHOLE, Comparison
from backfill.effects.compute import compute
from backfill.effects.exports import capacities
from backfill.effects.leakage import leakage
from backfill.effects.welfare import welfare
from backfill.errors import UnsolvedError
from backfill.experiments.behaviour import conditional, fixed_point
from backfill.experiments.groups import By, Difference, Group, difference
from backfill.experiments.results import EffectTables
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.summary import BLOCS, summary
from backfill.experiments.vintages import Vintages, last
from backfill.experiments.worlds import batch, routes_under_control

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment
    from backfill.policy.policy import Policy
    from backfill.world import World

MOST_EXACT = 8
"""Groups up to which every combination is solved, ``2**MOST_EXACT`` of them."""

TOGETHER = 16
"""Combinations solved in one batch."""

KEYS = ("quantity", "where", "period", "unit")
SCHEMA = {
    **dict.fromkeys(KEYS, pl.String),
    "group": pl.String,
    "contribution": pl.Float64,
    "standard_error": pl.Float64,
    "total": pl.Float64,
    "measures": pl.String,
}
"""Columns of ``explain.csv``. Contributions of a number add up to its ``total``, the change from the reference; the standard
error is empty where contributions are exact."""

NOT_SHARED = ("gross denial", "leakage rate", "cost per unit denied", "backfill rate")
"""Beginnings of headline numbers that are quotients, or defined by one policy's routes and not by a world."""

Row = tuple[str, str, str, str]
"""Quantity, where, period, unit."""

Numbers = Mapping[Row, float]
"""Change from the reference of every headline number that can be shared; nan where it does not exist."""

_SOLD = "change in sales, current value"
_POLICY, _REFERENCE = "policy", "reference"


@dataclass(frozen=True)
class Explanation:
    """The change a policy makes, by group of measures.

    Attributes:
        name: the policy's name.
        reference: the reference's.
        groups: what was told apart.
        table: long, with the columns of `SCHEMA`.
        solved: combinations solved.
        orders: orders of entry that were drawn; None if values are exact.
        left_out: headline numbers that do not exist in some combination.
    """

    name: str
    reference: str
    groups: tuple[Group, ...]
    table: pl.DataFrame
    solved: int
    orders: int | None
    left_out: tuple[str, ...]


def explain(
    experiment: Experiment,
    reference: Experiment,
    *,
    by: By = "principle",
    orders: int = 16,
    seed: int = 0,
    progress: Progress | None = None,
    checked: Callable[[Numbers], None] | None = None,
) -> Explanation | None:
    """Share the change of every headline number among groups of measures; None if nothing sets the two apart.

    Up to `MOST_EXACT` groups every combination is solved and Shapley values are exact; above, they are means over random
    orders of entry, with a standard error.

    Args:
        experiment: the policy, as known on its day.
        reference: what it is compared with, over the same economy.
        by: how measures are grouped: principle of the Action Plan, kind, or each for itself.
        orders: random orders above `MOST_EXACT` groups, an even number of at least four.
        seed: of the draw.
        progress: called with a message and the share done.
        checked: called with the whole change (see `headline`) as soon as it is known, and may raise.

    Raises:
        UnsolvedError: a combination cannot be solved.
    """
    setting = Setting.of(experiment, progress)
    apart = difference(experiment.policy, reference.policy, reference.name, by, setting.vocabulary)
    count = len(apart.groups)
    if not count:
        return None
    drawn = None if count <= MOST_EXACT else shapley.sampled_orders(count, orders, seed)
    needed = shapley.coalitions(count) if drawn is None else shapley.entered(drawn)
    numbers = _Combinations(setting, apart, progress, checked).numbers(needed)
    everybody = frozenset(range(count))
    rows = list(dict.fromkeys(row for one in (numbers[everybody], *numbers.values()) for row in one))
    # A number that a combination lacks altogether is of something that neither it nor the reference has: nothing changes.
    worth = {combination: np.array([found.get(row, 0.0) for row in rows]) for combination, found in numbers.items()}
    if drawn is None:
        value, error = shapley.exact(count, worth), None
    else:
        value, error = shapley.sampled(drawn, worth)
    table = _table(rows, apart.groups, value, error, worth[everybody] - worth[frozenset()])
    return Explanation(
        experiment.name,
        reference.name,
        apart.groups,
        table,
        solved=len(needed),
        orders=None if drawn is None else len(drawn),
        left_out=tuple(", ".join(row[:3]) for row, here in zip(rows, value.T, strict=True) if np.isnan(here).any()),
    )


def headline(comparison: Comparison) -> Numbers:
    """Changes from the reference that can be shared.

    Those of the summary that are levels, or changes of levels, and sales of controlled products to the adversary by seller.
    """
    shown = {comparison.reference_name: comparison.reference, comparison.scenario: comparison.policy}
    sold = backfilling(comparison)
    tables = replace(
        EffectTables.empty(),
        backfilling=sold,
        leakage=leakage(comparison),
        welfare=welfare(comparison),
        compute=compute(shown, comparison.vocabulary, comparison.periods),
        capacity=capacities(shown, comparison.vocabulary),
    )
    labels = [period.label for period in comparison.periods]
    frame = summary(tables, comparison.scenario, comparison.reference_name, None, labels)
    rows = {tuple(row[key] for key in KEYS): row["change"] for row in frame.iter_rows(named=True)}
    rows = {row: value for row, value in rows.items() if not row[0].startswith(NOT_SHARED)}
    span = f"{labels[0]}-{labels[-1]}"
    for product, seller, unit, value in _sales(sold):
        rows[f"sales of {product} by {BLOCS[seller]}", BLOCS["adversary"], span, unit] = value
    return {row: np.nan if value is None else float(value) for row, value in rows.items()}


def _sales(sold: pl.DataFrame) -> Iterator[tuple[str, str, str, float]]:
    """Product group, seller's bloc, unit and change of sales to the adversary over all periods."""
    chosen = sold.filter(
        (pl.col("quantity") == _SOLD) & (pl.col("period") == WHOLE) & (pl.col("destination") == "adversary")
    )
    for product in GROUPS:
        for seller in BLOCS:
            here = chosen.filter((pl.col("product") == product) & (pl.col("origin") == seller))
            for unit, value in here.select("unit", "value").iter_rows():
                yield product, seller, unit, value


class _Combinations:
    """Worlds in which some groups are as in the policy and the others as in the reference."""

    def __init__(
        self,
        setting: Setting,
        apart: Difference,
        progress: Progress | None,
        checked: Callable[[Numbers], None] | None,
    ) -> None:
        self.setting, self.apart, self.progress, self.checked = setting, apart, progress, checked
        self.nobody: shapley.Coalition = frozenset()
        self.everybody: shapley.Coalition = frozenset(range(len(apart.groups)))
        self.reference = setting.vintages(apart.policy(self.nobody))
        controlled = last(self.reference), last(setting.vintages(apart.policy(self.everybody)))
        self.controlled = routes_under_control(setting.vocabulary, *controlled)

    def numbers(self, needed: Sequence[shapley.Coalition]) -> dict[shapley.Coalition, Numbers]:
        """Headline numbers of each combination; batches share the worlds of what was known early."""
        days = [_first_day(group) for group in self.apart.groups]
        early = sorted(self.everybody, key=lambda place: days[place])
        between = [one for one in needed if one not in (self.nobody, self.everybody)]
        ordered = [self.nobody, self.everybody, *sorted(between, key=lambda one: [place in one for place in early])]
        found: dict[shapley.Coalition, Numbers] = {}
        reference: World | None = None
        for start in range(0, len(ordered), TOGETHER):
            worlds = self._solved(ordered[start : start + TOGETHER], start / len(ordered), TOGETHER / len(ordered))
            reference = reference or worlds[self.nobody]
            found |= {one: headline(self._beside(reference, world)) for one, world in worlds.items()}
            if not start and self.checked:
                self.checked(found[self.everybody])
        return found

    def _solved(self, chosen: Sequence[shapley.Coalition], done: float, share: float) -> dict[shapley.Coalition, World]:
        def told(message: str, part: float) -> None:
            if self.progress:
                self.progress(
                    f"combinations of {len(self.apart.groups)} groups, {message}", min(done + share * part, 1.0)
                )

        known = {_name(one): self._known(self.apart.policy(one), told) for one in chosen}
        worlds = self.setting.solved(batch(known), told)
        for one in chosen:
            world = worlds[_name(one)]
            if world.status.name != "SOLVED":
                names = ", ".join(self.apart.groups[place].name for place in sorted(one)) or "none of the measures"
                raise UnsolvedError(f"The world with {names} alone cannot be solved. {world.message}", world.checks)
        return {one: worlds[_name(one)] for one in chosen}

    def _known(self, policy: Policy, progress: Progress) -> Vintages:
        """A policy as it became known, its conditional tariffs due where behaviour asks for them."""

        def with_reference(measures: Policy) -> tuple[World, World]:
            both = {_POLICY: self.setting.vintages(measures), _REFERENCE: self.reference}
            worlds = self.setting.solved(batch(both), progress)
            return worlds[_POLICY], worlds[_REFERENCE]

        if conditional(policy):
            policy = fixed_point(policy, with_reference, self.setting.vocabulary)[0]
        return self.setting.vintages(policy)

    def _beside(self, reference: World, world: World) -> Comparison:
        """A world against the reference; the policy's routes count as controlled in every combination."""
        return Comparison(
            scenario=_POLICY,
            reference_name=_REFERENCE,
            reference=reference.tables,
            policy=world.tables,
            downstream=world.tables,
            controlled=self.controlled,
            vocabulary=self.setting.vocabulary,
            periods=world.periods,
            discount=world.discount,
        )


def _name(combination: shapley.Coalition) -> str:
    return repr(sorted(combination))


def _first_day(group: Group) -> dt.date:
    """When something of a group first becomes known."""
    return min(
        placed.measure.announced or placed.measure.begin or dt.date.min for placed in (*group.added, *group.lifted)
    )


def _table(
    rows: Sequence[Row], groups: Sequence[Group], value: np.ndarray, error: np.ndarray | None, total: np.ndarray
) -> pl.DataFrame:
    """Contributions ``[group, row]`` as a long table with the columns of `SCHEMA`."""
    long = [
        (
            *row,
            group.name,
            float(value[place, number]),
            None if error is None else float(error[place, number]),
            float(total[number]),
            "; ".join(group.labels),
        )
        for number, row in enumerate(rows)
        if not np.isnan(value[:, number]).any()
        for place, group in enumerate(groups)
    ]
    return pl.DataFrame(long, schema=SCHEMA, orient="row")

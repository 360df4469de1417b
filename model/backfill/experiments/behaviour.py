"""Tariffs that answer measured backfill: their fixed point with the behaviour they answer (economics, section 10)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from backfill.dimensions import Vocabulary
from backfill.errors import UnsolvedError
from backfill.policy.measures.secondary_tariff import SecondaryTariff
from backfill.policy.policy import Placed, Policy

if TYPE_CHECKING:
    from backfill.world import World

ROUNDS = 12
SMALLEST_FALL = 0.01
"""Least fall of the threatening region's sales, relative to the reference's, of which a share can be backfilled."""

Schedule = Mapping[str, tuple[tuple[str, str], ...]]
"""Of each conditional measure, by its place: the (target, period) in which it falls due."""


def conditional(policy: Policy) -> tuple[Placed, ...]:
    """Measures that answer measured backfill."""
    return tuple(
        placed
        for placed in policy.placed
        if isinstance(placed.measure, SecondaryTariff) and placed.measure.trigger.backfill_above is not None
    )


def scheduled(policy: Policy, schedule: Schedule) -> Policy:
    """The policy whose conditional measures fall due as scheduled."""

    def due(placed: Placed) -> Placed:
        if _place(placed) not in schedule:
            return placed
        measure = placed.measure.model_copy(update={"due": schedule[_place(placed)]})
        return dataclasses.replace(placed, measure=measure)

    return Policy(tuple(due(placed) for placed in policy.placed))


def fixed_point(
    policy: Policy, solve: Callable[[Policy], tuple[World, World]], vocabulary: Vocabulary
) -> tuple[Policy, int]:
    """The policy with tariffs due where, with those tariffs expected, targets backfilled in the period before.

    Starts from no tariff due and follows what behaviour then asks for, until it repeats itself.

    Args:
        policy: the measures.
        solve: the world under a policy and its reference.
        vocabulary: blocs and products.

    Returns:
        the policy with its schedule, and worlds solved on the way.

    Raises:
        UnsolvedError: no schedule is consistent with the behaviour it brings about: they follow one another in a circle.
    """
    answering = conditional(policy)
    schedule: Schedule = {_place(placed): () for placed in answering}
    seen: list[Schedule] = []
    for count in range(ROUNDS):
        seen.append(schedule)
        world, reference = solve(scheduled(policy, schedule))
        if world.status.name != "SOLVED" or reference.status.name != "SOLVED":
            return scheduled(policy, schedule), count + 1
        schedule = {
            _place(placed): asked(placed.measure, world, reference, vocabulary)
            for placed in answering
            if isinstance(placed.measure, SecondaryTariff)
        }
        if schedule == seen[-1]:
            return scheduled(policy, schedule), count + 1
        if schedule in seen:
            raise UnsolvedError(_circle(answering, seen[seen.index(schedule) :]))
    raise UnsolvedError(
        f"Tariffs that answer backfilling do not settle in {ROUNDS} rounds; move the threshold backfill_above."
    )


def asked(
    measure: SecondaryTariff, world: World, reference: World, vocabulary: Vocabulary
) -> tuple[tuple[str, str], ...]:
    """(Target, period) in force in which behaviour of the period before asks for the tariff; none in the first period."""
    threshold = measure.trigger.backfill_above
    if threshold is None:
        return ()
    rates = backfill_rates(measure, world, reference, vocabulary)
    found = [
        (target, period.label)
        for before, period in pairwise(world.periods)
        for target, rate in rates.get(before.label, {}).items()
        if rate > threshold and measure.reaches(period)
    ]
    return tuple(sorted(found))


def told(policy: Policy) -> dict[str, str]:
    """Who meets each tariff that answers backfilling, and when, by its name."""
    found = {}
    for placed in conditional(policy):
        due: dict[str, list[str]] = {}
        for target, period in getattr(placed.measure, "due", None) or ():
            due.setdefault(target, []).append(period)
        said = "; ".join(f"{target} in {', '.join(periods)}" for target, periods in due.items())
        found[placed.label] = f"falls due on {said}" if said else "falls due on nobody"
    return found


def backfill_rates(
    measure: SecondaryTariff, world: World, reference: World, vocabulary: Vocabulary
) -> dict[str, dict[str, float]]:
    """Each target's ``(X - X0) / (X_by0 - X_by)`` by period: sales of the products that count to adversaries, in volumes at
    base-year prices; 0 where the threatening regions' own sales fall by less than a hundredth of the reference's.
    """
    by = _regions(vocabulary, measure.by)
    targets = _regions(vocabulary, measure.targets)
    products = [code for name in measure.trigger.products for code in vocabulary.expand_products(name)]
    adversaries = list(vocabulary.expand_regions("adversary"))

    def sold(one: World) -> pl.DataFrame:
        flows = one.tables.flows.filter(
            pl.col("product").is_in(products)
            & pl.col("destination").is_in(adversaries)
            & (pl.col("channel") == "direct")
        )
        return flows.group_by("period", "origin").agg(pl.col("quantity").sum())

    both = sold(world).join(sold(reference), on=["period", "origin"], how="full", coalesce=True, suffix="_0")
    both = both.with_columns(pl.col("quantity", "quantity_0").fill_null(0.0))
    rates: dict[str, dict[str, float]] = {}
    for (period,), rows in both.group_by("period"):
        own = rows.filter(pl.col("origin").is_in(by))
        before, fall = float(own["quantity_0"].sum()), float((own["quantity_0"] - own["quantity"]).sum())
        gained = {o: x - x0 for o, x, x0 in rows.select("origin", "quantity", "quantity_0").iter_rows()}
        enough = fall > SMALLEST_FALL * before
        rates[str(period)] = {target: gained.get(target, 0.0) / fall if enough else 0.0 for target in targets}
    return rates


def _regions(vocabulary: Vocabulary, names: Sequence[str]) -> list[str]:
    return sorted({code for name in names for code in vocabulary.expand_regions(name)})


def _place(placed: Placed) -> str:
    return f"{placed.file} {placed.key}"


def _circle(answering: Sequence[Placed], circle: Sequence[Schedule]) -> str:
    """Names the tariffs, targets and periods that come and go."""
    parts = []
    for placed in answering:
        every = [set(schedule[_place(placed)]) for schedule in circle]
        moving = sorted(set.union(*every) - set.intersection(*every))
        if moving:
            parts.append(f"{placed.label}: {', '.join(f'{target} in {period}' for target, period in moving)}")
    return (
        "No schedule of tariffs that answer backfilling agrees with the behaviour it brings about: where they fall due targets "
        f"stop backfilling, where not they go on ({'; '.join(parts)}). Move the threshold backfill_above, or lower the rate."
    )

"""Effects as numbers against the tables of effects, and their derivatives against differences of levels."""

from __future__ import annotations

import jax
import numpy as np
import polars as pl
import pytest

from backfill.coupling import Coupling
from backfill.effects.comparison import WHOLE, Comparison
from backfill.effects.exports import exports
from backfill.effects.kinds import KINDS
from backfill.effects.leakage import leakage
from backfill.effects.scalars import COMPUTED, effect
from backfill.effects.welfare import welfare
from backfill.experiments.worlds import routes_under_control
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.response import levels
from backfill.supply.foresight import foresight_named
from backfill.world import solve_world
from tests.design.policies import CENTRE, DEPARTS, chain
from tests.support import small


@pytest.fixture(scope="module")
def economy():
    return calibrate(small.tables(), small.vocabulary(), last_year=2027)


@pytest.fixture(scope="module")
def both(economy):
    """Levels of the reference and of a policy."""
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    found = Coupling(economy, [*chain(economy, *CENTRE), none], foresight_named("perfect"), DEPARTS)
    found.solve()
    return levels(found, 2), levels(found, 1)


@pytest.fixture(scope="module")
def comparison(economy):
    names = economy.structure.vocabulary
    none = Wedges.none(names, economy.periods)
    policy = chain(economy, *CENTRE)
    worlds = solve_world(economy, [*policy, none], departs=DEPARTS)
    return Comparison(
        scenario="policy",
        reference_name="none",
        reference=worlds[2].tables,
        policy=worlds[1].tables,
        downstream=worlds[1].tables,
        controlled=routes_under_control(names, policy[1]),
        vocabulary=names,
        periods=worlds[1].periods,
        discount=worlds[1].discount,
    )


def test_every_kind_can_be_computed():
    assert set(COMPUTED) == set(KINDS)


def in_table(table: pl.DataFrame, quantity: str, region: str, period: str = WHOLE, **more: str) -> float:
    chosen = table.filter(
        (pl.col("quantity") == quantity) & (pl.col("region") == region) & (pl.col("period") == period)
    )
    for column, value in more.items():
        chosen = chosen.filter(pl.col(column) == value)
    return float(chosen["value"].item())


@pytest.mark.parametrize("region", ["us", "ally", "CHN"])
def test_costs_are_those_of_the_welfare_table(economy, both, comparison, region: str):
    table = welfare(comparison)
    pairs = {
        "welfare cost": -in_table(table, "welfare, present value", region, product=WHOLE),
        "welfare cost, share": -in_table(table, "welfare, share of absorption", region, product=WHOLE),
        "rents lost": in_table(table, "rents lost", region, product=WHOLE),
        "fiscal revenue": in_table(table, "change in fiscal revenue", region, product=WHOLE),
    }
    for kind, expected in pairs.items():
        assert effect(kind, economy, region=region).value(both[1], both[0]) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    year = comparison.periods[3].label
    expected = -in_table(table, "equivalent variation", region, year)
    assert effect("welfare cost", economy, region=region, period=year).value(both[1], both[0]) == pytest.approx(
        expected, rel=1e-6, abs=1e-6
    )


def test_compute_denied_is_that_of_the_leakage_table(economy, both, comparison):
    table = leakage(comparison)
    for period in (WHOLE, comparison.periods[-1].label):
        expected = in_table(table, "compute denied", "adversary", period)
        assert effect("compute denied", economy, period=period).value(both[1], both[0]) == pytest.approx(expected, rel=1e-6)


def test_exports_are_those_of_the_export_table(economy, both, comparison):
    table = exports({"none": comparison.reference, "policy": comparison.policy}, comparison.vocabulary)
    chosen = table.filter(
        (pl.col("origin") == "USA") & (pl.col("destination") == "CHN") & (pl.col("quantity") == "FOB value")
        & pl.col("product").is_in(["accelerators_frontier", *small.TOOLS])
    )  # fmt: skip
    sums = dict(chosen.group_by("scenario").agg(pl.col("value").sum()).iter_rows())
    one = effect(
        "exports lost", economy, region="USA", destinations=["CHN"], products=["tools", "accelerators_frontier"]
    )
    assert one.value(both[1], both[0]) == pytest.approx(sums["none"] - sums["policy"], rel=1e-6)


@pytest.mark.parametrize("kind", sorted(COMPUTED))
def test_slopes_are_exact(economy, both, kind: str):
    reference, policy = both
    change = jax.tree.map(lambda a, b: 0.3 * (b - a), reference, policy)
    products = ["logic_advanced"] if kind == "capacity" else []
    one = effect(kind, economy, products=products)
    step = 1e-4
    ahead, back = (
        one.value(jax.tree.map(lambda x, dx, s=s: x + s * step * dx, policy, change), reference) for s in (1, -1)
    )
    size = max(abs(one.value(policy, reference)), 1e-12)
    assert one.slope(policy, reference, change) == pytest.approx((ahead - back) / (2 * step), rel=1e-5, abs=1e-9 * size)


def test_stocks_and_years_of_the_reference_are_not_touched(economy, both):
    assert effect("compute denied", economy).value(both[0], both[0]) == 0.0
    assert np.isfinite(effect("compute acquired", economy).value(both[1], both[0]))

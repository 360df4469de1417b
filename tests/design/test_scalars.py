"""Effects as numbers against the tables of effects, and their derivatives against differences of levels."""

from __future__ import annotations

import jax
import numpy as np
import polars as pl
import pytest

from backfill.coupling import Coupling
from backfill.effects.backfilling import OTHERS, backfilling
from backfill.effects.comparison import WHOLE, Comparison
from backfill.effects.exports import exports
from backfill.effects.kinds import DOWNSTREAM, KINDS, PEACEFUL, POLICY, aside
from backfill.effects.leakage import leakage
from backfill.effects.scalars import COMPUTED, effect
from backfill.effects.welfare import EARNED, welfare
from backfill.experiments.worlds import routes_under_control, without_upstream
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.response import levels
from backfill.supply.foresight import foresight_named
from backfill.trade.income import Income
from backfill.world import solve_world
from tests.design.policies import CENTRE, DEPARTS, chain
from tests.support import small

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def economy():
    return calibrate(small.tables(), small.vocabulary(), last_year=2027)


@pytest.fixture(scope="module")
def wedges(economy):
    """The policy in two vintages, the same without an ally, no policy, the policy without its upstream measures."""
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    alone = chain(economy, *CENTRE[:2], 0.0, *CENTRE[3:])[1]
    policy = chain(economy, *CENTRE)
    return [*policy, alone, none, without_upstream(policy[1], none, economy.structure.vocabulary)]


DEPARTING = {**DEPARTS, 2: DEPARTS[1], 4: DEPARTS[1]}


@pytest.fixture(scope="module")
def both(economy, wedges):
    """Levels of the reference and of a policy's worlds."""
    found = Coupling(economy, wedges, foresight_named("perfect"), DEPARTING)
    found.solve()
    policy, alone = levels(found, 1), levels(found, 2)
    worlds = {POLICY: policy, DOWNSTREAM: levels(found, 4), PEACEFUL: policy}
    return levels(found, 3), worlds | {aside("TWN"): alone, aside("TWN", PEACEFUL): alone}


@pytest.fixture(scope="module")
def comparison(economy, wedges):
    names = economy.structure.vocabulary
    worlds = solve_world(economy, wedges, departs=DEPARTING)
    return Comparison(
        scenario="policy",
        reference_name="none",
        reference=worlds[3].tables,
        policy=worlds[1].tables,
        downstream=worlds[4].tables,
        controlled=routes_under_control(names, wedges[1]),
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
        assert effect(kind, economy, region=region).value(both[1], both[0]) == pytest.approx(
            expected, rel=1e-6, abs=1e-6
        )
    year = comparison.periods[3].label
    expected = -in_table(table, "equivalent variation", region, year)
    assert effect("welfare cost", economy, region=region, period=year).value(both[1], both[0]) == pytest.approx(
        expected, rel=1e-6, abs=1e-6
    )


def test_compute_denied_is_that_of_the_leakage_table(economy, both, comparison):
    table = leakage(comparison)
    for period in (WHOLE, comparison.periods[-1].label):
        expected = in_table(table, "compute denied", "adversary", period)
        assert effect("compute denied", economy, period=period).value(both[1], both[0]) == pytest.approx(
            expected, rel=1e-6
        )


@pytest.mark.parametrize("kind", ["gross denial", "leakage rate"])
@pytest.mark.parametrize("period", [WHOLE, 4])
def test_denial_and_leakage_are_those_of_the_leakage_table(economy, both, comparison, kind: str, period):
    label = period if period == WHOLE else comparison.periods[period].label
    expected = in_table(leakage(comparison), kind, "adversary", label, channel=WHOLE)
    found = effect(kind, economy, period=label, controlled=comparison.controlled).value(both[1], both[0])
    assert found == pytest.approx(expected, rel=1e-6)
    assert abs(expected) > 1e-3


def test_leakage_is_what_gross_denial_leaves_undenied(economy, both, comparison):
    gross, leaked, denied = (
        effect(kind, economy, controlled=comparison.controlled).value(both[1], both[0])
        for kind in ("gross denial", "leakage", "compute denied")
    )
    assert gross == pytest.approx(leaked + denied, rel=1e-12)


@pytest.mark.parametrize("seller", ["CHN", None])
def test_backfilling_is_that_of_its_table(economy, both, comparison, seller: str | None):
    table = backfilling(comparison).filter(
        (pl.col("origin") == (seller or OTHERS)) & (pl.col("destination") == "adversary") & (pl.col("period") == WHOLE)
        & (pl.col("quantity") == "backfill rate, benchmark value") & (pl.col("product") == "accelerators")
    )  # fmt: skip
    one = effect("backfill rate", economy, region=seller, products=["accelerators"])
    assert one.value(both[1], both[0]) == pytest.approx(float(table["value"].item()), rel=1e-6)


def test_participation_is_the_difference_of_welfare_and_of_what_denial_is_worth(economy, both):
    reference, worlds = both
    alone = worlds | {POLICY: worlds[aside("TWN")]}
    cost = effect("welfare cost", economy, region="TWN")
    gain = cost.value(alone, reference) - cost.value(worlds, reference)
    assert effect("participation", economy, region="TWN").value(worlds, reference) == pytest.approx(gain, rel=1e-9)
    late = effect("participation", economy, region="TWN", since=1)
    assert late.value(worlds, reference) == pytest.approx(gain, rel=1e-9)
    weight = cost.place.discount
    rows = [Income._fields.index(name) for name in EARNED]
    product = weight @ reference.observed.income[: len(weight), rows, economy.structure.region("TWN")].sum(1)
    years = [one.label for one in economy.periods[: economy.reported]]
    acquired = [
        [effect("compute acquired", economy, period=year).value({POLICY: one}, reference) for year in years]
        for one in (reference, worlds[POLICY], alone[POLICY])
    ]
    worth = 0.01 * product * (weight @ np.subtract(acquired[2], acquired[1])) / (weight @ np.array(acquired[0]))
    eager = effect("participation", economy, region="TWN", security=0.01)
    assert eager.value(worlds, reference) == pytest.approx(gain + worth, rel=1e-9)


def test_threats_count_as_they_are_believed(economy, both):
    reference, worlds = both
    harsh = worlds | {aside("TWN"): reference}
    full, none, half = (
        effect("participation", economy, region="TWN", credibility=c).value(harsh, reference) for c in (1.0, 0.0, 0.5)
    )
    assert full != pytest.approx(none, rel=1e-3)
    assert half == pytest.approx(0.5 * (full + none), rel=1e-12)


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
    draw = np.random.default_rng(1)
    change = {
        name: jax.tree.map(lambda a, b: draw.uniform(0.1, 0.5, a.shape) * (b - a), reference, one)
        for name, one in policy.items()
    }
    products = {"capacity": ["logic_advanced"], "backfill rate": ["tools"]}.get(kind, [])
    one = effect(kind, economy, products=products, region="TWN" if KINDS[kind].aside else None, security=0.01)

    def difference(step: float) -> float:
        ahead, back = (
            one.value(jax.tree.map(lambda x, dx, s=s: x + s * step * dx, policy, change), reference) for s in (1, -1)
        )
        return (ahead - back) / (2 * step)

    # Gross denial is near nothing here, so that the rate of leakage bends: plain differences are 4e-5 off.
    extrapolated = (4 * difference(5e-5) - difference(1e-4)) / 3
    size = max(abs(one.value(policy, reference)), 1e-12)
    assert one.slope(policy, reference, change) == pytest.approx(extrapolated, rel=1e-5, abs=1e-9 * size)


def test_stocks_and_years_of_the_reference_are_not_touched(economy, both):
    assert effect("compute denied", economy).value({POLICY: both[0]}, both[0]) == 0.0
    assert np.isfinite(effect("compute acquired", economy).value(both[1], both[0]))

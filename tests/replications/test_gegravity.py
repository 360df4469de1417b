"""gegravity's sample of 30 countries: its published results from its equations, and the engine against those equations closed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.replications import gravity

ROUTE = ["origin", "destination", "product"]
PUBLISHED = {
    # factory-gate prices and inward multilateral resistances, per cent, as printed in gegravity's documentation of `simulate`
    "AUS": (0.003619, 0.010917),
    "AUT": (-0.002883, 0.002462),
    "BEL": (-0.002154, 0.000362),
    "BRA": (-0.005570, 0.000090),
    "CAN": (-0.133548, -0.566459),
}


@pytest.fixture(scope="module")
def sample() -> gravity.Sample:
    return gravity.Sample()


@pytest.fixture(scope="module")
def world(sample: gravity.Sample):
    return gravity.economy(sample).solve(trade_costs=gravity.cheaper(sample))


def test_fitted_trade_adds_up_to_output_and_expenditure(sample: gravity.Sample):
    np.testing.assert_allclose(sample.trade.sum(1), sample.made, rtol=1e-12)
    np.testing.assert_allclose(sample.trade.sum(0), sample.spent, rtol=1e-12)


def test_one_pass_gives_the_published_prices(sample: gravity.Sample):
    found = sample.prices(sample.made, sample.spent)
    for country, (factory, consumer) in PUBLISHED.items():
        n = sample.names.index(country)
        assert 100 * (found.factory[n] - 1) == pytest.approx(factory, abs=2e-6)
        assert 100 * (found.consumer[n] - 1) == pytest.approx(consumer, abs=2e-6)


def test_the_engine_solves_the_same_equations_with_incomes_that_follow_prices(sample: gravity.Sample, world):
    found = sample.consistent()
    wages = dict(world.real_wage.iter_rows())
    np.testing.assert_allclose(
        [wages[name] for name in sample.names], found.factory / found.consumer, rtol=1e-9, atol=0
    )


def test_welfare_differs_from_the_real_wage_by_the_same_factor_everywhere(sample: gravity.Sample, world):
    both = world.welfare.join(world.real_wage, on="region", suffix="_wage")
    ratio = (both["hat"] / both["hat_wage"]).to_numpy()
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


def test_trade_follows_gravity(sample: gravity.Sample, world):
    found, theta = sample.consistent(), gravity.SIGMA - 1
    cost = sample.ease(agreement=True) / sample.ease()
    spent = sample.spent * found.factory
    expected = sample.trade * cost * (found.factory[:, None] / found.consumer) ** -theta
    expected *= (spent / spent.sum() / sample.spent) * (1 / (expected.sum(0) / sample.spent))
    table = world.trade.filter(pl.col("value") > 0)
    values = {(o, d): v for o, d, v in table.select("origin", "destination", "value").iter_rows()}
    got = np.array([[values[o, d] for d in sample.names] for o in sample.names])
    np.testing.assert_allclose(got / got.sum(), expected / expected.sum(), rtol=1e-8)


def test_one_pass_is_near_the_closed_equations_but_not_the_same(sample: gravity.Sample):
    once, closed = sample.prices(sample.made, sample.spent), sample.consistent()
    gap = np.abs(once.factory / once.consumer - closed.factory / closed.consumer).max()
    gain = np.abs(closed.factory / closed.consumer - 1).max()
    assert 1e-3 * gain < gap < 0.2 * gain

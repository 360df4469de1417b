"""Closed forms of small markets, with the numbers of the model's economics; the oracle solves the same markets whole."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trade.market_oracle import FlowCap, Scenario
from tests.trade.oracle_cases import small_market, small_nest

SMALL, RELATIVE = 1, 2e-6


def ban(shape: tuple[int, ...], *flow: int) -> np.ndarray:
    coverage = np.zeros(shape)
    coverage[flow] = 1.0
    return coverage


@pytest.mark.parametrize(("elasticity", "backfill", "denied"), [(1.0, 1.0, 0.42), (2.0, 0.37, 0.66)])
def test_armington_with_elastic_supply(elasticity: float, backfill: float, denied: float):
    """``P'/P = (1-s)^(-1/(sigma-1))``; quantity falls by ``1-(1-s)^(e/(sigma-1))``; value backfill ``[(P'/P)^(1-e)-1+s]/s``."""
    s, sigma = 0.66, 3.0
    sellers = np.array([[0.0, 0.0, s], [0.0, 0.0, 1 - s], [0.0, 0.0, 0.0]])
    economy = small_market(sellers, sigma, elasticity)
    world = economy.solve(Scenario(coverage=ban(economy.flow0.shape, SMALL, 0, 2)))

    ratio = (1 - s) ** (-1 / (sigma - 1))
    assert world.price[SMALL, 2] == pytest.approx(ratio, rel=RELATIVE)
    fall = 1 - world.composite[SMALL, 2] / economy.composite0[SMALL, 2]
    assert fall == pytest.approx(1 - (1 - s) ** (elasticity / (sigma - 1)), rel=RELATIVE)
    assert fall == pytest.approx(denied, abs=0.005)
    value = (world.mill_price[SMALL] @ world.flow[SMALL] - economy.flow0[SMALL, 1])[2]
    measured = value / economy.flow0[SMALL, 0, 2]
    assert measured == pytest.approx((ratio ** (1 - elasticity) - 1 + s) / s, rel=1e-5)
    assert measured == pytest.approx(backfill, abs=0.005)


@pytest.mark.parametrize(("elasticity", "denied"), [(1.0, 0.26), (2.0, 0.46)])
def test_logit_nest(elasticity: float, denied: float):
    """``Pi'/Pi0 = 1 + ln(1/(1-s))/sigma``, denied ``1-(Pi'/Pi0)^(-e)``; adaptation makes up price and volume."""
    s, sigma = 0.66, 3.0
    economy = small_nest((s, 1 - s), sigma, elasticity)
    world = economy.solve(Scenario(coverage=ban(economy.flow0.shape, 1, 0, 1)))

    ratio = 1 + np.log(1 / (1 - s)) / sigma
    assert world.compute_price[1] / 20.0 == pytest.approx(ratio, rel=RELATIVE)
    fall = 1 - world.compute[1] / economy.compute0[1]
    assert fall == pytest.approx(1 - ratio**-elasticity, rel=RELATIVE)
    assert fall == pytest.approx(denied, abs=0.005)
    assert world.flow[2, 1, 1] == pytest.approx(world.compute[1], rel=1e-12)
    assert world.adaptation[1] == pytest.approx(20.0 * (ratio - 1) * world.compute[1], rel=RELATIVE)


def fixed_supply(rent: float, capacity: float = 1.0):
    """One seller at capacity for three buyers; the third, 20% of its sales, is banned and left with a sliver of its own."""
    s, sliver = 0.2, 1e-6
    sellers = np.array([[0.5, 0.3, s * (1 - sliver)], [0.0, 0.0, 0.0], [0.0, 0.0, s * sliver]])
    economy = small_market(sellers, 4.0, 1.5, rent=rent)
    full = capacity * economy.output0[SMALL, 0]
    scenario = Scenario(coverage=ban(economy.flow0.shape, SMALL, 0, 2), capacity={(SMALL, 0): full})
    return economy, economy.solve(scenario)


def test_fixed_supply_is_resold_while_scarcity_lasts():
    """The price falls by ``1-(1-s)^(1/e)``, 13.8% for ``s = 0.2, e = 1.5``, and the volume stays."""
    economy, world = fixed_supply(rent=0.2)
    assert world.mill_price[SMALL, 0] == pytest.approx(0.8 ** (1 / 1.5), rel=RELATIVE)
    assert 1 - world.mill_price[SMALL, 0] == pytest.approx(0.138, abs=0.0005)
    assert world.output[SMALL, 0] == pytest.approx(economy.output0[SMALL, 0], rel=1e-9)
    assert 0 < world.rent[SMALL, 0] < 0.2


def test_price_stops_at_cost_when_scarcity_ends():
    """With a rent of 10% the price stops at cost and the volume falls to ``(1-s) 0.9^(-e)``."""
    economy, world = fixed_supply(rent=0.1)
    assert world.rent[SMALL, 0] == 0
    assert world.mill_price[SMALL, 0] == pytest.approx(0.9, rel=RELATIVE)
    assert world.output[SMALL, 0] / economy.output0[SMALL, 0] == pytest.approx(0.8 * 0.9**-1.5, rel=RELATIVE)


def test_quota_rent_is_what_the_buyer_would_pay():
    """A quota at share ``k`` of an only route has the rent ``k^(-1/e) - 1``."""
    sellers = np.array([[0.0, 1.0], [0.0, 0.0]])
    economy = small_market(sellers, 4.0, 1.5)
    world = economy.solve(Scenario(caps=(FlowCap(SMALL, 0, 1, 0.5 * economy.flow0[SMALL, 0, 1], 0),)))
    assert world.cap_rent[0] == pytest.approx(0.5 ** (-1 / 1.5) - 1, rel=RELATIVE)

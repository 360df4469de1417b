"""The oracle itself: accounting, duality and classical equivalences that do not depend on how it is solved."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.trade.market_oracle import FlowCap, Good, Nest, OracleEconomy, Scenario, Solution, classes
from tests.trade.oracle_cases import (
    ADVERSARY,
    ALLY,
    ELECTRONICS,
    FRONTIER,
    LOGIC,
    RIVAL,
    SERVICES,
    TOOLS,
    US,
    three_regions,
)


def wedge(economy: OracleEconomy, **rates: float) -> np.ndarray:
    """A wedge array from ``good_origin_destination=rate``."""
    names = {name: value for name, value in globals().items() if isinstance(value, int)}
    out = np.zeros_like(economy.flow0)
    for key, rate in rates.items():
        k, i, j = (names[part.upper()] for part in key.split("_"))
        out[k, i, j] = rate
    return out


def stressed(economy: OracleEconomy) -> Scenario:
    """Everything at once: two coverages on one buyer, all wedges, a quota, a full fab, more investment, more labour."""
    return Scenario(
        coverage=wedge(economy, tools_us_rival=0.8, tools_ally_rival=0.4, frontier_us_rival=0.6, logic_ally_rival=1.0),
        tariff=wedge(economy, electronics_rival_us=0.25, electronics_rival_ally=0.1, frontier_us_rival=0.1),
        levy=wedge(economy, frontier_us_rival=0.15, logic_ally_us=0.05),
        real_cost=wedge(economy, frontier_us_rival=0.02, logic_us_ally=0.05),
        investment=economy.investment0 * np.array([1.2, 1.0, 1.5]),
        labour=np.array([1.02, 1.0, 1.05]),
        productivity=np.where(np.arange(economy.K)[:, None] == ELECTRONICS, 1.03, 1.0) * np.ones(3),
        capacity={(LOGIC, ALLY): 0.6 * economy.output0[LOGIC, ALLY]},
        caps=(FlowCap(FRONTIER, US, RIVAL, 0.03, US),),
    )


@pytest.fixture(scope="module")
def economy() -> OracleEconomy:
    return three_regions()


@pytest.fixture(scope="module")
def world(economy: OracleEconomy) -> Solution:
    return economy.solve(stressed(economy))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("elasticity", [0.5, 1.0, 1.5])
def test_benchmark_reproduces_itself(seed: int, elasticity: float):
    economy = three_regions(seed, final_elasticity=elasticity)
    world = economy.solve()
    np.testing.assert_allclose(world.flow, economy.flow0, atol=1e-10)
    np.testing.assert_allclose(world.wage, 1, atol=1e-11)
    np.testing.assert_allclose(world.absorption, economy.absorption0, rtol=1e-11)
    assert abs(economy.deficit_share.sum()) < 1e-15
    assert np.abs(economy.deficit_share).max() > 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_walras_holds_under_stress(seed: int):
    economy = three_regions(seed)
    world = economy.solve(stressed(economy))
    assert abs(world.walras) < 1e-10
    assert world.residual < 1e-10


def test_stress_binds_and_moves_the_world(economy: OracleEconomy, world: Solution):
    assert world.cap_rent[0] > 0.01
    assert world.flow[FRONTIER, US, RIVAL] == pytest.approx(0.03, rel=1e-9)
    assert world.rent[LOGIC, ALLY] > 0.05
    assert world.output[LOGIC, ALLY] == pytest.approx(0.6 * economy.output0[LOGIC, ALLY], rel=1e-9)
    assert world.flow[LOGIC, ALLY, RIVAL] == 0
    assert np.abs(world.wage - 1).max() > 1e-3


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_numeraire_scales_prices_and_no_quantity(economy: OracleEconomy, world: Solution, factor: float):
    scaled = economy.solve(dataclasses.replace(stressed(economy), numeraire=factor))
    np.testing.assert_allclose(scaled.flow, world.flow, atol=1e-9)
    np.testing.assert_allclose(scaled.wage, factor * world.wage, rtol=1e-10)
    np.testing.assert_allclose(scaled.absorption, factor * world.absorption, rtol=1e-10)
    np.testing.assert_allclose(scaled.cap_rent, world.cap_rent, rtol=1e-8)
    assert scaled.compute_price[RIVAL] == pytest.approx(factor * world.compute_price[RIVAL])


def test_spending_is_price_times_flow(economy: OracleEconomy, world: Solution):
    spent = (world.buyer_price * world.flow).sum(axis=1)
    np.testing.assert_allclose(spent[: LOGIC + 1], (world.price * world.composite)[: LOGIC + 1], rtol=1e-9)
    for j in (US, RIVAL):
        routes = spent[FRONTIER, j] + spent[ADVERSARY, j] + world.price[SERVICES, j] * world.adaptation[j]
        assert routes == pytest.approx(world.compute_price[j] * world.compute[j], rel=1e-10)
        assert world.flow[[FRONTIER, ADVERSARY], :, j].sum() == pytest.approx(world.compute[j], rel=1e-12)
        assert world.adaptation[j] >= 0
    assert world.adaptation[RIVAL] > 0.1 * economy.compute0[RIVAL]


def test_absorption_is_spent(world: Solution):
    spent = (world.price * world.final).sum(axis=0)
    for j, price in world.compute_price.items():
        spent[j] += price * world.compute[j]
    np.testing.assert_allclose(spent, world.absorption, rtol=1e-10)


def test_cost_of_output_goes_to_someone(economy: OracleEconomy, world: Solution):
    """World value added at market prices equals world absorption plus investment: nothing leaks."""
    earned = sum(values.sum() for values in world.income.values())
    assert earned == pytest.approx(world.absorption.sum(), rel=1e-12)
    assert world.income["deficit"].sum() == pytest.approx(0, abs=1e-12)
    assert world.income["levy_revenue"][ALLY] > 0
    assert world.income["levy_revenue"][RIVAL] == 0


def test_buyer_price_chain_by_hand(economy: OracleEconomy, world: Solution):
    mill, rho = world.mill_price[FRONTIER, US], world.cap_rent[0]
    fob = mill * (1 + rho)
    cif = fob * 1.15 + 0.02 * fob
    assert world.buyer_price[FRONTIER, US, RIVAL] == pytest.approx(cif * (1 + 0.05 + 0.1), rel=1e-12)
    assert world.income["limit_rents"][US] == pytest.approx(rho * mill * 0.03, rel=1e-9)


def test_real_costs_are_bought_as_services_of_the_origin(economy: OracleEconomy):
    rate = wedge(economy, electronics_rival_us=0.2)
    world = economy.solve(Scenario(real_cost=rate))
    bought = world.composite[SERVICES] - world.final[SERVICES] - economy.investment0[SERVICES]
    for j, amount in world.adaptation.items():
        bought[j] -= amount
    for k, i in np.argwhere(economy.makes):
        prices = np.concatenate([[world.wage[i]], world.price[:, i]])
        bought[i] -= world.output[k, i] * economy._cost(k, i, prices, 1.0)[1][1 + SERVICES]
    spent = 0.2 * world.mill_price[ELECTRONICS, RIVAL] * world.flow[ELECTRONICS, RIVAL, US]
    np.testing.assert_allclose(world.price[SERVICES] * bought, [0, 0, spent], atol=1e-10)


def test_classes_are_nested():
    found = classes(np.array([0.0, 0.6, 0.2]))
    assert [weight for weight, _ in found] == pytest.approx([0.2, 0.4, 0.4])
    assert [is_open.tolist() for _, is_open in found] == [[True, False, False], [True, False, True], [True, True, True]]


def test_coverage_mixes_closed_and_open_buyers(economy: OracleEconomy):
    """At given prices the flow is linear in coverage: a tiny good makes the prices given."""
    economy = three_regions()
    flows = []
    for phi in (0.0, 0.5, 1.0):
        nest, prices = economy.nests[0], np.full_like(economy.flow0, 20.0)
        composite, shares, _ = economy._nest(nest, prices, wedge(economy, frontier_us_rival=phi), 1.0)
        flows.append([composite, *shares])
    np.testing.assert_allclose(flows[1], (np.array(flows[0]) + flows[2]) / 2, rtol=1e-12)
    assert flows[2][1] == 0


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_nest_demand_is_the_derivative_of_its_price(economy: OracleEconomy, phi: float):
    nest, coverage = economy.nests[0], wedge(economy, frontier_us_rival=phi)
    prices = np.where(economy.flow0 > 0, 1.1, 1.0) * economy.price0[:, None, None] * np.array([1.0, 1.2, 0.9])
    _, shares, adaptation = economy._nest(nest, prices, coverage, 1.3)
    for (k, i), share in zip(nest.routes, shares, strict=True):
        up, down = prices.copy(), prices.copy()
        up[k, i, RIVAL] += 1e-4
        down[k, i, RIVAL] -= 1e-4
        slope = (economy._nest(nest, up, coverage, 1.3)[0] - economy._nest(nest, down, coverage, 1.3)[0]) / 2e-4
        assert share == pytest.approx(slope, abs=1e-8)
    slope = (
        economy._nest(nest, prices, coverage, 1.3 + 1e-5)[0] - economy._nest(nest, prices, coverage, 1.3 - 1e-5)[0]
    ) / 2e-5
    assert adaptation == pytest.approx(slope, abs=1e-6)


def test_inputs_are_the_derivatives_of_unit_cost(economy: OracleEconomy):
    prices = np.linspace(0.8, 1.4, economy.K + 1)
    for k in (ELECTRONICS, LOGIC):
        _, quantities = economy._cost(k, US, prices, 1.1)
        for position in range(economy.K + 1):
            step = np.zeros(economy.K + 1)
            step[position] = 1e-5
            slope = (economy._cost(k, US, prices + step, 1.1)[0] - economy._cost(k, US, prices - step, 1.1)[0]) / 2e-5
            assert quantities[position] == pytest.approx(slope, abs=1e-9)


def test_quota_with_rent_to_the_importer_is_a_tariff(economy: OracleEconomy):
    cap = FlowCap(ELECTRONICS, RIVAL, US, 0.5 * economy.flow0[ELECTRONICS, RIVAL, US], US, "importer")
    quota = economy.solve(Scenario(caps=(cap,)))
    duty = economy.solve(Scenario(tariff=wedge(economy, electronics_rival_us=quota.cap_rent[0])))
    assert quota.cap_rent[0] > 0.1
    np.testing.assert_allclose(duty.flow, quota.flow, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(duty.absorption, quota.absorption, rtol=1e-9)
    revenue = quota.income["tariff_revenue"] + quota.income["limit_rents"]
    np.testing.assert_allclose(duty.income["tariff_revenue"], revenue, rtol=1e-8)


def test_quota_with_rent_to_the_exporter_is_a_levy(economy: OracleEconomy):
    cap = FlowCap(FRONTIER, US, RIVAL, 0.5 * economy.flow0[FRONTIER, US, RIVAL], US)
    quota = economy.solve(Scenario(caps=(cap,)))
    levy = economy.solve(Scenario(levy=wedge(economy, frontier_us_rival=quota.cap_rent[0])))
    np.testing.assert_allclose(levy.flow, quota.flow, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(levy.income["levy_revenue"], quota.income["limit_rents"], rtol=1e-7, atol=1e-12)


def test_slack_quota_has_no_rent(economy: OracleEconomy):
    cap = FlowCap(FRONTIER, US, RIVAL, 1.01 * economy.flow0[FRONTIER, US, RIVAL], US)
    world = economy.solve(Scenario(caps=(cap,)))
    assert world.cap_rent[0] == 0
    np.testing.assert_allclose(world.flow, economy.flow0, atol=1e-10)


def test_given_rent_and_given_capacity_agree(economy: OracleEconomy):
    limited = economy.solve(Scenario(capacity={(LOGIC, ALLY): 0.9 * economy.output0[LOGIC, ALLY]}))
    priced = economy.solve(Scenario(rent=limited.rent))
    np.testing.assert_allclose(priced.flow, limited.flow, rtol=1e-8, atol=1e-10)


def test_a_buyer_without_any_route_has_no_equilibrium(economy: OracleEconomy):
    closed = wedge(economy, logic_us_us=1.0, logic_ally_us=1.0, logic_rival_us=1.0)
    with pytest.raises(RuntimeError, match="weaken"):
        economy.solve(Scenario(coverage=closed))


def test_symmetric_regions_stay_symmetric():
    economy = three_regions(symmetric=True)
    away = 1 - np.eye(3)
    same = np.zeros_like(economy.flow0)
    same[ELECTRONICS], same[TOOLS] = 0.2 * away, 0.1 * away
    world = economy.solve(Scenario(tariff=same, levy=0.5 * same, real_cost=0.3 * same, coverage=2 * same))
    np.testing.assert_allclose(world.wage, 1, atol=1e-10)
    for array in (world.price, world.output, world.composite):
        np.testing.assert_allclose(array, array[:, [1, 2, 0]], atol=1e-9)
    assert world.absorption_price[0] > 1.001


def test_lerner_symmetry():
    """With no nominal constants a uniform tariff on all imports and the same levy on all exports are one policy."""
    economy = three_regions(symmetric=True)
    no_rent = np.zeros((economy.K, 3))
    imports, exports = np.zeros_like(economy.flow0), np.zeros_like(economy.flow0)
    imports[:, 1:, 0] = 0.3
    exports[:, 0, 1:] = 0.3
    taxed = economy.solve(Scenario(tariff=imports * (1 + economy.tariffs), rent=no_rent))
    levied = economy.solve(Scenario(levy=exports, rent=no_rent))
    np.testing.assert_allclose(taxed.flow, levied.flow, rtol=1e-8, atol=1e-10)
    assert taxed.wage[0] / taxed.wage[1] == pytest.approx(1.3 * levied.wage[0] / levied.wage[1], rel=1e-9)


def test_more_inputs_than_output_are_refused():
    goods = (Good("services", 2.0, 0.5),)
    zero, flow = np.zeros((1, 1)), np.ones((1, 1, 1))
    with pytest.raises(ValueError, match="no labour"):
        OracleEconomy(goods, 0, flow, 0 * flow, 1.2 * flow, zero, zero, zero, (), 1.0, 1.5)
    with pytest.raises(ValueError, match="exceed what is bought"):
        OracleEconomy(goods, 0, flow, 0 * flow, 0.5 * flow, zero, zero, zero + 0.8, (), 1.0, 1.5)
    nest = Nest(0, ((0, 0),), (1.0,), 3.0)
    with pytest.raises(ValueError, match="one nest a buyer"):
        OracleEconomy(goods, 0, flow, 0 * flow, 0.5 * flow, zero, zero, zero, (nest, nest), 1.0, 1.5)

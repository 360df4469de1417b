"""The solver and the oracle, written independently, find the same equilibrium of the same economy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from backfill.economy.economy import Structure
from backfill.trade.equilibrium import Equilibrium, outcomes, solve
from backfill.trade.market import Outcome
from tests.trade.market_oracle import FlowCap, OracleEconomy, Scenario, Solution
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
from tests.trade.translated import makers_of, owned_at_home, scenarios, shape_of
from tests.trade.worlds import builders_by_region

PRECISION = 2e-8
MONETARY = (ELECTRONICS, SERVICES, TOOLS, LOGIC)


def rates(economy: OracleEconomy, **entries: float) -> np.ndarray:
    """A wedge array from ``good_origin_destination=rate``."""
    out = np.zeros_like(economy.flow0)
    for key, rate in entries.items():
        k, i, j = (globals()[part.upper()] for part in key.split("_"))
        out[k, i, j] = rate
    return out


def policies(economy: OracleEconomy) -> dict[str, Scenario]:
    """Every instrument alone, and all of them at once."""
    everywhere = 0.3 * np.ones_like(economy.flow0) * (1 - np.eye(3))
    flow = economy.flow0
    cap = FlowCap(ELECTRONICS, RIVAL, US, 0.5 * flow[ELECTRONICS, RIVAL, US], RIVAL)
    into = FlowCap(ELECTRONICS, RIVAL, US, 0.5 * flow[ELECTRONICS, RIVAL, US], US, "importer")
    chips = FlowCap(FRONTIER, US, RIVAL, 0.4 * flow[FRONTIER, US, RIVAL], US)
    slack = FlowCap(LOGIC, ALLY, US, 3.0 * flow[LOGIC, ALLY, US], ALLY)
    better = np.ones((economy.K, 3))
    better[:LOGIC] = [[1.0, 1.3, 0.9], [1.1, 1.0, 1.0], [1.0, 1.0, 1.2]]
    bought = 1.5 * economy.investment0
    mixed = {
        "tariff": rates(economy, electronics_rival_us=0.4, services_us_ally=0.1, frontier_us_rival=0.1),
        "levy": rates(economy, frontier_us_rival=0.15, logic_ally_rival=0.1),
        "real_cost": rates(economy, frontier_us_rival=0.02, electronics_us_rival=0.05),
    }
    return {
        "none": Scenario(),
        "tariffs": Scenario(tariff=everywhere),
        "levy and real cost": Scenario(
            levy=rates(economy, electronics_rival_us=0.2, frontier_us_rival=0.15),
            real_cost=rates(economy, electronics_rival_us=0.1, logic_ally_us=0.3, frontier_us_rival=0.1),
        ),
        "nested coverage": Scenario(
            coverage=rates(economy, electronics_rival_us=0.8, electronics_ally_us=0.4, logic_ally_rival=0.6)
        ),
        "compute ban": Scenario(coverage=rates(economy, frontier_us_rival=1.0)),
        "compute coverage": Scenario(coverage=rates(economy, frontier_us_rival=0.7)),
        "tools by class": Scenario(
            coverage=rates(economy, tools_us_rival=0.8, tools_ally_rival=0.4), investment=bought
        ),
        "growth": Scenario(labour=np.array([1.2, 0.9, 1.5]), productivity=better),
        "quota, exporter's rent": Scenario(caps=(cap,)),
        "quota, importer's rent": Scenario(caps=(into,)),
        "quota on accelerators": Scenario(caps=(chips,)),
        "slack quota": Scenario(caps=(slack,)),
        "capacity": Scenario(capacity={(LOGIC, ALLY): 0.6 * economy.output0[LOGIC, ALLY]}),
        "everything": Scenario(
            coverage=rates(economy, frontier_us_rival=0.6, electronics_ally_us=0.3, tools_us_rival=0.5),
            caps=(cap, chips), capacity={(LOGIC, ALLY): 0.7 * economy.output0[LOGIC, ALLY]}, **mixed,
        ),
    }  # fmt: skip


NAMES = tuple(policies(owned_at_home(three_regions())))


@dataclass
class Both:
    """The two solutions of every policy."""

    economy: OracleEconomy
    shape: Structure
    oracle: dict[str, Solution]
    found: Equilibrium
    outcome: Outcome
    builders: np.ndarray

    def lane(self, name: str) -> int:
        return NAMES.index(name)


@pytest.fixture(scope="module", params=[1, 2])
def both(request: pytest.FixtureRequest) -> Both:
    """An economy whose advanced logic in the second region earns its rent for the first."""
    economy = owned_at_home(three_regions(request.param), {(LOGIC, ALLY): US})
    shape = shape_of(economy)
    cases = policies(economy)
    oracle = {name: economy.solve(scenario) for name, scenario in cases.items()}
    lane, start = scenarios(economy, shape, [(cases[name], oracle[name].rent) for name in NAMES])
    found = solve(shape, lane, start, tolerance=1e-12)
    builders = builders_by_region(shape, lane.barriers.builder_share)
    return Both(economy, shape, oracle, found, outcomes(shape, lane, found.vector), builders)


def close(ours: np.ndarray, theirs: np.ndarray, scale: float = 1.0) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=PRECISION, atol=PRECISION * scale)


@pytest.mark.parametrize("name", NAMES)
def test_same_prices(both: Both, name: str):
    lane, expected = both.lane(name), both.oracle[name]
    assert both.found.converged[lane]
    close(both.outcome.state.wage[lane], expected.wage)
    close(both.outcome.buying.mill[lane], expected.mill_price[: len(MONETARY)])
    mean = both.outcome.buying.mean[lane].copy()
    mean[TOOLS] = (both.builders[lane] * both.outcome.buying.by_class[lane, TOOLS]).sum(0)
    close(mean, expected.price[: len(MONETARY)])
    for n, (k, i) in enumerate(makers_of(both.economy)):
        close(both.outcome.delivered.mill[lane, n], expected.mill_price[k, i])
    for j, price in expected.compute_price.items():
        close(both.outcome.compute_price[lane, j], price)


@pytest.mark.parametrize("name", NAMES)
def test_same_flows(both: Both, name: str):
    lane, expected = both.lane(name), both.oracle[name]
    close(both.outcome.flows.quantity[lane], expected.flow[: len(MONETARY)])
    for n, (k, i) in enumerate(makers_of(both.economy)):
        close(both.outcome.handling.deliveries[lane, n], expected.flow[k, i], 0.1)
    close(both.outcome.output[lane], expected.output[: len(MONETARY)])
    close(both.outcome.absorption.goods[lane], expected.final.T[:, : len(MONETARY)].T)
    for j, units in expected.compute.items():
        close(both.outcome.absorption.compute[lane, j], units)


@pytest.mark.parametrize("name", NAMES)
def test_same_incomes_and_welfare(both: Both, name: str):
    lane, expected = both.lane(name), both.oracle[name]
    outcome = both.outcome
    for item, values in expected.income.items():
        sign = -1.0 if item == "investment" else 1.0
        close(sign * getattr(outcome.income, item)[lane], values)
    close(outcome.state.absorption[lane], expected.absorption)
    base = both.lane("none")
    index = outcome.absorption.index[lane] / outcome.absorption.index[base]
    close(index, expected.absorption_price)
    real = outcome.state.absorption[lane] / index
    close(real, expected.absorption / expected.absorption_price)


@pytest.mark.parametrize("name", NAMES)
def test_same_rents_of_limits(both: Both, name: str):
    lane = both.lane(name)
    scenario = policies(both.economy)[name]
    limits = sorted({f"{both.economy.goods[c.good].name} {c.origin} {c.destination} {c.side}" for s in
                     policies(both.economy).values() for c in s.caps})  # fmt: skip
    expected = np.zeros(len(limits))
    for cap, rent in zip(scenario.caps, both.oracle[name].cap_rent, strict=True):
        if cap.side == "importer":
            rent = rent / (1 + both.economy.tariffs[cap.good, cap.origin, cap.destination])
        expected[limits.index(f"{both.economy.goods[cap.good].name} {cap.origin} {cap.destination} {cap.side}")] = rent
    close(both.outcome.state.limit_rent[lane], expected)


def test_policies_bite(both: Both):
    """The comparison would be empty if the policies changed nothing: each but the slack quota moves a wage or a flow by 0.1%."""
    for name in set(NAMES) - {"none", "slack quota"}:
        moved = np.abs(both.oracle[name].flow / np.where(both.economy.flow0 > 0, both.economy.flow0, 1) - 1)
        assert moved[both.economy.flow0 > 0].max() > 1e-3, name
    assert both.oracle["quota, importer's rent"].cap_rent[0] > 0.1
    assert both.oracle["capacity"].rent[LOGIC, ALLY] > 1.2 * both.economy.rent0[LOGIC, ALLY]
    assert both.oracle["compute ban"].flow[ADVERSARY, RIVAL, RIVAL] > 0.1


def test_without_limits_the_wedges_are_computed_once(both: Both):
    """Batches without a quota take another path in the code; it ends in the same place."""
    cases = policies(both.economy)
    names = [name for name in NAMES if not cases[name].caps]
    lane, start = scenarios(both.economy, both.shape, [(cases[name], both.oracle[name].rent) for name in names])
    assert lane.barriers.limit_quantity.shape[1] == 0
    found = solve(both.shape, lane, start, tolerance=1e-12)
    assert found.converged.all()
    count = found.vector.shape[1]
    same = both.found.vector[[both.lane(name) for name in names], :count]
    np.testing.assert_allclose(found.vector, same, atol=1e-10)

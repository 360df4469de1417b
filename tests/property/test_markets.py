"""Random policies on the small economy: never a silent wrong number, and the signs that economics demands."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backfill.checks import market_checks
from backfill.economy.economy import DIVERSION
from backfill.policy.wedges import Wedges
from backfill.trade.equilibrium import Equilibrium, outcomes, solve
from backfill.trade.market import Outcome
from tests.support import small
from tests.trade.worlds import cap, lane_at, lanes_of, policy, small_economy

CHIPS = ("accelerators_frontier", "USA", "CHN")
PRODUCTS = ("hbm", "logic_advanced", "deposition_etch", "electronics", "servers", "services")
LANES = 4

share = st.floats(0, 1).map(lambda x: round(x, 2))
rate = st.floats(0, 3)
foreign = st.tuples(
    st.sampled_from(PRODUCTS), st.sampled_from(small.REGIONS), st.sampled_from(small.REGIONS)
).filter(lambda flow: flow[1] != flow[2])


@lru_cache(maxsize=1)
def frontier_sold() -> float:
    economy = small_economy()
    shape = economy.structure
    lane, start = lanes_of(economy, [policy(economy)])
    deliveries = outcomes(shape, lane, start).handling.deliveries
    return float(deliveries[0, shape.makers.index(CHIPS[:2]), shape.region("CHN")])


def solved(worlds: list[Wedges]) -> tuple[Equilibrium, Outcome, dict[str, float]]:
    """Policies solved beside one that gives every batch the same shape; checks of the lanes that are solved."""
    economy = small_economy()
    tools = {("lithography", origin, "CHN"): 0.2 + 0.3 * n for n, origin in enumerate(small.REGIONS[:3])}
    widest = policy(economy, coverage=tools | {CHIPS: 0.5}, limits=[cap(economy, *CHIPS, np.inf)])
    lane, start = lanes_of(economy, [*worlds, widest])
    found = solve(economy.structure, lane, start)
    outcome = outcomes(economy.structure, lane, found.vector)
    assert found.converged[-1]
    checks = market_checks(economy.structure, lane_at(lane, found.converged), lane_at(outcome, found.converged))
    asked = slice(len(worlds))
    return lane_at(found, asked), lane_at(outcome, asked), checks


def acquired(outcome: Outcome, lane: int, channel: str | None = None) -> float:
    """Units that the adversary's users acquire from frontier makers, by channel."""
    shape = small_economy().structure
    rows = [
        n
        for n, leaf in enumerate(shape.leaves)
        if leaf.user == shape.region("CHN") and shape.makers[leaf.maker][0] == CHIPS[0] and channel in (None, leaf.channel)
    ]
    return float(outcome.leaf[lane, rows].sum())


@settings(max_examples=12)
@given(
    coverage=st.dictionaries(foreign, share, max_size=3),
    tariff=st.dictionaries(foreign, rate, max_size=3),
    levy=st.dictionaries(foreign, st.floats(0, 1), max_size=2),
    cost=st.dictionaries(foreign, st.floats(0, 0.5), max_size=2),
    chips=share,
    enforcement=st.floats(0.1, 20),
    quota=st.floats(0.03, 2.0),
)
@pytest.mark.slow
def test_solved_means_checked(coverage, tariff, levy, cost, chips, enforcement, quota):
    """Whatever the policy: the lane is solved and all its checks are small, or it is reported as not solved."""
    economy = small_economy()
    limit = [cap(economy, *CHIPS, quota * frontier_sold())]
    worlds = [
        policy(economy, limits=limit, enforcement=enforcement, coverage=closed | {CHIPS: chips}, tariff=tariff, levy=levy,
               real_cost=cost)
        for closed in (coverage, {})
    ]  # fmt: skip
    found, outcome, checks = solved(worlds)
    assert max(checks.values()) < 1e-8, checks
    for lane in np.flatnonzero(found.converged):
        for values in (outcome.buying.mean[lane], outcome.state.wage[lane], outcome.absorption.index[lane]):
            assert (np.isfinite(values) & (values > 0)).all()
        assert (outcome.flows.quantity[lane] >= 0).all()
        assert (outcome.leaf[lane] >= 0).all()


@settings(max_examples=8)
@given(st.lists(share, min_size=LANES, max_size=LANES, unique=True).map(sorted))
def test_more_coverage_less_bought_directly(levels):
    """Coverage of frontier accelerators: fewer direct purchases, more diversion, never more compute in all."""
    economy = small_economy()
    found, outcome, _ = solved([policy(economy, coverage={CHIPS: level}) for level in levels])
    assert found.converged.all()
    china = economy.structure.region("CHN")
    direct = [acquired(outcome, n, "direct") for n in range(LANES)]
    diverted = [acquired(outcome, n, DIVERSION) for n in range(LANES)]
    compute = outcome.absorption.compute[:, china]
    assert (np.diff(direct) < 0).all()
    assert (np.diff(diverted) >= -1e-9).all()
    assert (np.diff(compute) < 1e-6 * compute[0]).all()


@settings(max_examples=6)
@given(st.lists(st.floats(0.05, 30), min_size=LANES, max_size=LANES, unique=True).map(sorted))
def test_more_detection_less_smuggling(budgets):
    economy = small_economy()
    found, outcome, _ = solved([policy(economy, coverage={CHIPS: 0.9}, enforcement=budget) for budget in budgets])
    assert found.converged.all()
    diverted = [acquired(outcome, n, DIVERSION) for n in range(LANES)]
    assert (np.diff(diverted) <= 1e-9 * max(diverted)).all()


@settings(max_examples=6)
@given(foreign, st.lists(rate, min_size=LANES, max_size=LANES, unique=True).map(sorted))
def test_a_dearer_flow_shrinks(flow, rates):
    economy = small_economy()
    found, outcome, _ = solved([policy(economy, tariff={flow: level}) for level in rates])
    assert found.converged.all()
    shape = economy.structure
    quantity = outcome.flows.quantity[:, shape.position(flow[0]), shape.region(flow[1]), shape.region(flow[2])]
    assert (np.diff(quantity) <= 1e-9 * quantity[0]).all()


@settings(max_examples=6)
@given(st.lists(st.floats(0.02, 1.2), min_size=LANES, max_size=LANES, unique=True).map(sorted))
def test_a_smaller_quota_has_a_larger_rent(shares):
    economy = small_economy()
    sold = frontier_sold()
    found, outcome, checks = solved([policy(economy, limits=[cap(economy, *CHIPS, x * sold)]) for x in shares])
    assert found.converged.all()
    assert checks["complementarity"] < 1e-8
    rents = outcome.state.limit_rent[:, 0]
    assert (np.diff(rents) <= 1e-9).all()
    assert all((rent > 0) == (x < 1) for rent, x in zip(rents, shares, strict=True))

"""Markets far from the benchmark: prohibitive duties, closed flows, stiff and loose substitution, tight quotas."""

from __future__ import annotations

import equinox as eqx
import numpy as np
import pytest

from backfill.checks import market_checks
from backfill.economy.economy import Economy
from backfill.policy.wedges import Limit, Wedges
from backfill.trade.equilibrium import Lane, outcomes, solve
from tests.trade.worlds import lane_at, lanes_of, no_policy, policy, small_economy

EVERYONE, INTO_USA = (None, None, None), (None, None, "USA")


def with_substitution(economy: Economy, lane: Lane, sigma: np.ndarray) -> Lane:
    """The same benchmark with other elasticities among origins: weights are shares times ``(1+t)^(sigma-1)``."""
    preferences = lane.parameters.preferences
    power = (sigma - preferences.sigma)[:, :, None, None]
    weight = preferences.weight * (1 + preferences.tariff) ** power
    return eqx.tree_at(
        lambda x: (x.parameters.preferences.sigma, x.parameters.preferences.weight),
        lane,
        (np.broadcast_to(sigma, preferences.sigma.shape).copy(), weight),
    )


def assert_solved(economy: Economy, lane: Lane, start: np.ndarray, steps: int) -> np.ndarray:
    """Solve; every lane must converge within ``steps`` and pass its checks."""
    found = solve(economy.structure, lane, start)
    assert found.converged.all(), (found.steps.tolist(), found.residual.tolist())
    assert found.steps.max() <= steps, found.steps.tolist()
    checks = market_checks(economy.structure, lane, outcomes(economy.structure, lane, found.vector))
    assert max(checks.values()) < 1e-8, checks
    return found.vector


def test_duties_up_to_1000_percent():
    """Into one country up to 1000%, between all up to 300%, where the last bits decide whether it takes 99 steps or 103."""
    economy = small_economy()
    worlds = [policy(economy, tariff={INTO_USA: rate}) for rate in (0.25, 1.0, 3.0, 10.0)]
    worlds += [policy(economy, tariff={EVERYONE: rate}) for rate in (0.25, 1.0, 3.0)]
    assert_solved(economy, *lanes_of(economy, worlds), steps=150)


def random_closures(economy: Economy, draw: np.random.Generator, count: int) -> Wedges:
    shape = economy.structure
    closed = {}
    while len(closed) < count:
        i, j = draw.choice(len(shape.regions), 2, replace=False)
        closed[shape.products[draw.integers(len(shape.products))], shape.regions[i], shape.regions[j]] = 1.0
    return policy(economy, coverage=closed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nine_flows_closed(seed: int):
    economy, draw = small_economy(), np.random.default_rng(seed)
    assert_solved(economy, *lanes_of(economy, [random_closures(economy, draw, 9) for _ in range(8)]), steps=60)


@pytest.mark.parametrize("sigma", [2.0, 4.0, 12.0, "mixed"])
def test_substitution_from_2_to_12(sigma: float | str):
    economy, draw = small_economy(), np.random.default_rng(7)
    worlds = [policy(economy, tariff={INTO_USA: 1.0}), policy(economy, tariff={EVERYONE: 0.5})]
    lane, start = lanes_of(economy, worlds)
    count = len(economy.structure.products)
    drawn = draw.uniform(2, 12, count) if sigma == "mixed" else np.full(count, float(sigma))
    assert_solved(economy, with_substitution(economy, lane, drawn), start, steps=100)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_quotas_from_5_to_60_percent(seed: int):
    """Four quotas at once, on Armington flows and on accelerators, with rents on both sides of the border."""
    economy, draw = small_economy(), np.random.default_rng(seed)
    shape = economy.structure
    lane, start = lanes_of(economy, [no_policy(economy)])
    outcome = outcomes(shape, lane, start)
    chips = float(outcome.handling.deliveries[0, shape.makers.index(("accelerators_frontier", "USA")), shape.region("CHN")])
    goods = [p for p in shape.products if shape.position(p) not in shape.tools]
    worlds = []
    for share in (0.6, 0.3, 0.1, 0.05):
        limits = [Limit("chips", "USA", "exporter", (("accelerators_frontier", "USA", "CHN", 1.0),),
                        np.array([share * chips]), "kh100e")]  # fmt: skip
        for n in range(3):
            product = goods[draw.integers(len(goods))]
            i, j = draw.choice(len(shape.regions), 2, replace=False)
            amount = outcome.flows.quantity[0, shape.position(product), i, j]
            origin, destination = shape.regions[i], shape.regions[j]
            owner, side = ((origin, "exporter"), (destination, "importer"))[n % 2]
            entries = ((product, origin, destination, 1.0),)
            limits.append(Limit(f"goods {n}", owner, side, entries, np.array([share * amount]), "musd"))
        worlds.append(policy(economy, limits=limits))
    assert_solved(economy, *lanes_of(economy, worlds), steps=150)


@pytest.mark.slow
def test_output_of_an_origin_at_5_to_60_percent():
    """One limit over every flow of a seller, its own use included."""
    economy = small_economy()
    shape = economy.structure
    lane, start = lanes_of(economy, [no_policy(economy)])
    made = float(outcomes(shape, lane, start).output[0, shape.position("hbm"), shape.region("TWN")])
    entries = tuple(("hbm", "TWN", region, 1.0) for region in shape.regions)
    worlds = [
        policy(economy, limits=[Limit("hbm", "TWN", "exporter", entries, np.array([share * made]), "musd")])
        for share in (0.6, 0.3, 0.1, 0.05)
    ]
    vector = assert_solved(economy, *lanes_of(economy, worlds), steps=60)
    assert (np.diff(vector[:, -1]) > 0.1).all()


@pytest.mark.slow
def test_a_surplus_that_cannot_be_earned_is_reported():
    """Deficits are fixed in the numeraire: a region with a surplus and no exports has no equilibrium, and it is said so."""
    economy = small_economy()
    seller = economy.structure.regions[int(np.argmin(economy.parameters.endowment.deficit[0]))]
    closed = {(None, seller, None): 1.0}
    worlds = [policy(economy, coverage=closed), no_policy(economy)]
    lane, start = lanes_of(economy, worlds)
    labour = lane.parameters.endowment.labour.sum(1, keepdims=True)
    deficit = lane.parameters.endowment.deficit.copy()
    deficit[0, economy.structure.region(seller)] -= 0.2 * lane.parameters.endowment.labour[0].min() / labour[0, 0]
    lane = eqx.tree_at(lambda x: x.parameters.endowment.deficit, lane, deficit)
    found = solve(economy.structure, lane, start)
    assert found.converged.tolist() == [False, True]
    assert np.isfinite(found.vector).all()
    check = market_checks(economy.structure, lane_at(lane, slice(1, 2)),
                          outcomes(economy.structure, lane_at(lane, slice(1, 2)), found.vector[1:]))  # fmt: skip
    assert max(check.values()) < 1e-8

"""Closures of deficits: what each keeps, and that all start from a reference that nothing changes."""

from __future__ import annotations

import equinox as eqx
import numpy as np
import pytest

from backfill.checks import market_checks
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.trade.equilibrium import outcomes, solve
from backfill.trade.sensitivity import use_jacobian
from backfill.world import Status, solve_world
from tests.support import small
from tests.trade.worlds import lane_at, lanes_of, no_policy, policy

pytestmark = pytest.mark.slow
CLOSURES = ("fixed", "proportional", "balanced")
TIGHT = 1e-12


@pytest.fixture(scope="module")
def economies():
    return {
        closure: calibrate(small.tables(), small.vocabulary(), last_year=2024, closure=closure) for closure in CLOSURES
    }


@pytest.fixture(scope="module")
def solved(economies):
    """Markets of one year without policy, and with duties, a ban and no tools for one region."""
    out = {}
    for closure, economy in economies.items():
        worlds = [
            no_policy(economy),
            policy(
                economy,
                tariff={(None, None, "USA"): 0.5, (None, "CHN", None): 0.3},
                coverage={("accelerators_frontier", "USA", "CHN"): 0.9},
            ),
        ]
        lane, start = lanes_of(economy, worlds)
        found = solve(economy.structure, lane, start, tolerance=TIGHT)
        out[closure] = lane, found, outcomes(economy.structure, lane, found.vector)
    return out


@pytest.mark.parametrize("closure", CLOSURES)
def test_markets_are_solved_and_deficits_sum_to_zero(economies, solved, closure: str):
    lane, found, outcome = solved[closure]
    assert (found.residual < 1e-11).all()
    checks = market_checks(economies[closure].structure, lane, outcome)
    assert max(checks.values()) < 1e-8, checks
    world = np.asarray(outcome.income.labour).sum(1)
    np.testing.assert_allclose(outcome.income.deficit.sum(1) / world, 0.0, atol=1e-12)


def test_in_proportion_the_reference_is_the_same_world(economies):
    fixed, other = economies["fixed"], economies["proportional"]
    np.testing.assert_array_equal(fixed.reference_state, other.reference_state)
    (world,) = solve_world(other, [Wedges.none(other.structure.vocabulary, other.periods)])
    assert world.status is Status.SOLVED, world.message
    np.testing.assert_allclose(
        world.tables.capacity["capacity"], fixed.capacity.reference[: fixed.reported].ravel(), rtol=1e-9
    )


def test_in_proportion_expenditure_follows_income_by_one_factor(solved):
    income = solved["proportional"][2].income
    own = np.asarray(income.own())
    ratio = 1 + np.asarray(income.deficit) / own
    factor = ratio[1] / ratio[0]
    assert np.abs(ratio[0] - 1).max() > 1e-3
    np.testing.assert_allclose(factor, factor[0], rtol=1e-12)
    assert factor[0] != pytest.approx(1.0, abs=1e-9)


def test_fixed_deficits_stay_and_none_are_none(solved):
    deficit = np.asarray(solved["fixed"][2].income.deficit)
    np.testing.assert_allclose(deficit[1], deficit[0], rtol=1e-12)
    assert np.abs(deficit).max() > 0
    assert np.abs(np.asarray(solved["balanced"][2].income.deficit)).max() == 0


def test_a_duty_costs_or_pays_otherwise_where_deficits_follow_income(economies, solved):
    """The same prices to start with; a richer treasury borrows more abroad where deficits follow income."""
    us = economies["fixed"].structure.region("USA")
    deficit = {closure: np.asarray(solved[closure][2].income.deficit)[:, us] for closure in ("fixed", "proportional")}
    own = np.asarray(solved["proportional"][2].income.own())[:, us]
    assert deficit["fixed"][0] == pytest.approx(deficit["proportional"][0], rel=1e-9)
    moved = deficit["proportional"][1] / deficit["proportional"][0]
    assert np.sign(moved - 1) == np.sign(own[1] / own[0] - 1) != 0


def test_slopes_know_that_deficits_follow_income(economies, solved):
    economy, (lane, found, _) = economies["proportional"], solved["proportional"]
    shape, step = economy.structure, 1e-4
    exact = use_jacobian(shape, lane_at(lane, slice(1, 2)), found.vector[1:])[0]
    rents = np.asarray(lane.plan.rent)[1] + step * np.outer([1.0, -1.0], np.eye(len(shape.nodes))[0])
    moved = eqx.tree_at(lambda x: x.plan.rent, lane_at(lane, np.array([1, 1])), rents)
    output = solve(shape, moved, found.vector[[1, 1]], tolerance=1e-13).output
    rows, columns = zip(*((shape.position(p), shape.region(r)) for p, r in shape.nodes), strict=True)
    used = output[:, list(rows), list(columns)]
    np.testing.assert_allclose(
        (used[0] - used[1]) / (2 * step), exact[:, 0], rtol=1e-5, atol=1e-6 * np.abs(exact).max()
    )

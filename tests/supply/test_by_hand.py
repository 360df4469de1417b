"""Plans small enough to check on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backfill.supply.foresight import Fixed, Myopic, Perfect, additions_at, foresight_named, present_value
from backfill.supply.highs import CompiledPlan
from backfill.supply.josephy import AffineAnswer, answer
from backfill.supply.nodes import MarketResponse, Nodes, capacity_path, present_value_matrix
from backfill.supply.residual import natural_residual, residuals
from backfill.supply.step import PlanStatus
from tests.supply.small_markets import make_nodes


def linear(nodes: Nodes, intercept: float, slope: float, rent: np.ndarray, additions: np.ndarray) -> MarketResponse:
    """Users who take ``intercept - slope * rent``, no tools."""
    count, periods = rent.shape
    return MarketResponse(
        rent=rent,
        use=intercept - slope * rent,
        jacobian=np.tile(-slope * np.eye(count), (periods, 1, 1)),
        additions=additions,
        tool_cost=np.zeros(additions.shape),
        tool_use=np.zeros((*additions.shape, count)),
    )


def planned(nodes: Nodes, market: MarketResponse) -> AffineAnswer:
    """The plan against these markets, from the convex program's answer."""
    start = CompiledPlan(nodes).solve(market).rent
    found = answer(nodes, market, market.tool_use, np.ones(start.shape), start, Perfect())
    assert found.solved
    return found


def two_periods(cost: float) -> Nodes:
    """One node: 10, then 9 inherited; discount .9, depreciation .1, slope 1."""
    return Nodes(
        names=(("hbm", "KOR"),),
        owners=("KOR",),
        inherited=np.array([[10.0, 9.0]]),
        depreciation=np.array([0.1]),
        lag=np.array([0]),
        site_cost=np.full((1, 2), cost),
        slope=np.ones((1, 2)),
        weights=np.array([1.0, 0.9]),
        terminal=np.array([1 / 0.19]),
        class_share=np.ones((1, 1, 2)),
        open=np.ones((1, 1, 2), bool),
    )


@pytest.mark.parametrize("start", [0.0, 0.7, 5.0])
def test_one_node_two_periods(start: float):
    """Demand 12 - r. First period: 10 = 12 - r0. Second, with r1 = 1: 11 = 9 + 2, so a cost that makes two units pay:

    .9 / .19 * 1 - b = 1 * 2.
    """
    nodes = two_periods(cost=0.9 / 0.19 - 2)
    market = linear(nodes, 12.0, 1.0, np.full((1, 2), start), np.full((1, 1, 2), start))
    found = planned(nodes, market)
    np.testing.assert_allclose(found.rent, [[2.0, 1.0]], atol=1e-9)
    np.testing.assert_allclose(found.additions, [[[2.0, 2.0]]], atol=1e-8)  # the second serves after the end
    step = CompiledPlan(nodes).solve(linear(nodes, 12.0, 1.0, found.rent, found.additions))
    assert step.status is PlanStatus.SOLVED
    np.testing.assert_allclose(step.rent, found.rent, atol=1e-9)
    np.testing.assert_allclose(step.capacity, [[10.0, 11.0]], atol=1e-9)
    assert step.duals[0, 0, 0] == pytest.approx(2.0, abs=1e-9)  # weight 1 times the addition
    assert abs(step.gap) < 1e-12


def test_objective_by_hand():
    """At the solution, from there: sum w r (inherited - u) + w s^2 / 2, the last period's weight .9 / .19."""
    nodes = two_periods(cost=0.9 / 0.19 - 2)
    market = linear(nodes, 12.0, 1.0, np.array([[2.0, 1.0]]), np.full((1, 1, 2), 2.0))
    step = CompiledPlan(nodes).solve(market)
    last = 0.9 / 0.19
    gains = 2.0**2 / 2 + last * 2.0**2 / 2
    assert step.objective == pytest.approx(2.0 * 0.0 + last * 1.0 * (9.0 - 11.0) + gains, abs=1e-8)


def test_no_rent_where_capacity_is_idle_and_no_addition_where_it_does_not_pay():
    nodes = two_periods(cost=4.0)
    found = planned(nodes, linear(nodes, 8.0, 1.0, np.ones((1, 2)), np.ones((1, 1, 2))))
    np.testing.assert_array_equal(found.rent, 0.0)
    np.testing.assert_array_equal(found.additions, 0.0)


def test_user_cost_in_a_steady_state():
    """Rents that pay (1/beta - 1 + delta) / beta^lag of the cost of capacity are worth exactly that cost, in every period."""
    nodes = make_nodes(9, 2, lag=(0, 2), depreciation=np.array([0.1, 0.25]))
    nodes = replace(nodes, terminal=1 / (1 - 0.94 * (1 - nodes.depreciation)))
    cost = 3.0
    rent = cost * (1 / 0.94 - 1 + nodes.depreciation) / 0.94**nodes.lag
    np.testing.assert_allclose(present_value(nodes, np.tile(rent[:, None], 9)), cost, rtol=1e-12)
    np.testing.assert_allclose(present_value(nodes, np.tile(rent[:, None], 9), Myopic(1.0)), cost, rtol=1e-12)


def test_present_value_matrix_is_the_stated_sum():
    matrix = present_value_matrix(np.array([1]), np.array([0.2]), 0.9, 5)
    expected = np.zeros((5, 5))
    for t in range(5):
        for k in range(1, 400):  # serves from t + 2; rents after the last period equal the last
            expected[t, min(t + 1 + k, 4)] += 0.9 ** (1 + k) * 0.8 ** (k - 1)
    np.testing.assert_allclose(matrix[0], expected, rtol=1e-10)


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_additions_serve_after_their_lag(lag: int):
    nodes = make_nodes(6, 1, lag=(lag,), inherited=np.zeros((1, 6)))
    additions = np.zeros((1, 1, 6))
    additions[0, 0, 1] = 4.0
    expected = [4.0 * 0.9 ** (s - 2 - lag) if s >= 2 + lag else 0.0 for s in range(6)]
    np.testing.assert_allclose(capacity_path(nodes, additions)[0], expected)


def test_additions_share_builders_among_classes():
    share = np.array([[[0.7] * 4, [0.2] * 4]])
    nodes = make_nodes(4, 1, 2, class_share=share)
    cost = np.array([[[0.0] * 4, [1.0] * 4]])
    built = additions_at(nodes, np.full((1, 4), 0.6), cost)
    worth = present_value(nodes, np.full((1, 4), 0.6))[0]
    np.testing.assert_allclose(built[0, 0], (worth - 2.0) * 0.7 / 0.5)
    np.testing.assert_allclose(built[0, 1], np.maximum(worth - 3.0, 0) * 0.2 / 0.5)


def test_residual_names_what_is_wrong():
    nodes = make_nodes(3, 2)
    additions = np.zeros((2, 1, 3))
    rent, use = np.zeros((2, 3)), nodes.inherited * 0.5
    costs = np.zeros((2, 1, 3))
    price = np.full((2, 3), 2.0)
    assert natural_residual(nodes, rent, use, additions, costs, price) == 0.0

    crowded = use.copy()
    crowded[1, 2] = 1.25 * nodes.inherited[1, 2]
    found = residuals(nodes, rent, crowded, additions, costs, price)
    assert found.largest == pytest.approx(0.25)
    assert found.worst(1) == ((("product1", "AAA"), 2, pytest.approx(0.25)),)

    paid = rent.copy()
    paid[0, 0] = 0.3  # rent on idle capacity: the smaller of .3 / 2 and .5
    assert natural_residual(nodes, paid, use, additions, costs, price) == pytest.approx(0.15)

    built = additions.copy()
    built[0, 0, 2] = 1.0  # worthless, costs 2 + .5, over a price of 2; as a share of the capacity of 10: .1
    assert natural_residual(nodes, rent, use, built, costs, price) == pytest.approx(0.1)

    assert natural_residual(nodes, rent * np.nan, use, additions, costs, price) == np.inf


def test_given_additions_must_be_the_given_ones():
    nodes = make_nodes(3, 1, reference_additions=np.full((1, 1, 3), 0.5))
    zeros, costs, price = np.zeros((1, 3)), np.zeros((1, 1, 3)), np.ones((1, 3))
    assert natural_residual(nodes, zeros, zeros, np.full((1, 1, 3), 0.5), costs, price, Fixed()) == 0.0
    assert natural_residual(nodes, zeros, zeros, np.full((1, 1, 3), 1.5), costs, price, Fixed()) > 0.05


def test_nodes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="slope must be positive"):
        make_nodes(3, 1, slope=np.zeros((1, 3)))
    with pytest.raises(ValueError, match="site_cost has shape"):
        make_nodes(3, 1, site_cost=np.zeros((1, 4)))
    with pytest.raises(ValueError, match="geometric"):
        make_nodes(3, 1, weights=np.array([1.0, 0.9, 0.9]))
    with pytest.raises(ValueError, match="foresight is 'perfekt'"):
        foresight_named("perfekt")
    assert isinstance(foresight_named("perfect"), Perfect)


def test_markets_that_are_not_finite_are_refused():
    nodes = two_periods(4.0)
    market = linear(nodes, np.nan, 1.0, np.ones((1, 2)), np.ones((1, 1, 2)))
    with pytest.raises(ValueError, match="use that is not finite"):
        CompiledPlan(nodes).solve(market)

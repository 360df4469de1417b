"""One round's affine complementarity: exact answers, far starts, slopes that leave rents undetermined, kept periods."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from backfill.supply import josephy
from backfill.supply.foresight import Fixed, Foresight, Myopic, Perfect, additions_at
from backfill.supply.josephy import answer, regularised
from backfill.supply.nodes import MarketResponse, Nodes
from backfill.supply.residual import natural_residual
from tests.supply.small_markets import full_size, make_nodes, tool_chain, tool_chain_nodes


def predicted(market: MarketResponse, rent: np.ndarray, additions: np.ndarray) -> MarketResponse:
    """The markets at another plan if the slopes held."""
    use = market.use + np.einsum("tgh,ht->gt", market.jacobian, rent - market.rent)
    use = use + np.einsum("gct,gcth->ht", additions - market.additions, market.tool_use)
    cost = market.tool_cost + np.einsum("gcth,ht->gct", market.tool_use, rent - market.rent)
    return replace(market, rent=rent, additions=additions, use=use, tool_cost=cost)


def miss(nodes: Nodes, market: MarketResponse, found: josephy.AffineAnswer, foresight: Foresight) -> float:
    """Natural residual of the linearised conditions, in code of its own."""
    there = predicted(market, found.rent, found.additions)
    price = np.ones(there.use.shape)
    return natural_residual(nodes, found.rent, there.use, found.additions, there.tool_cost, price, foresight)


def somewhere() -> tuple[Nodes, MarketResponse]:
    """The tool chain at rents and additions that solve nothing."""
    rng = np.random.default_rng(0)
    nodes = tool_chain_nodes(reference_additions=np.full((5, 2, 8), 0.3))
    return nodes, tool_chain().answer(rng.uniform(0, 0.8, (5, 8)), rng.uniform(0, 0.6, (5, 2, 8)))


@pytest.mark.parametrize("foresight", [Perfect(), Fixed()])
@pytest.mark.parametrize("start", [0.0, 0.4, 30.0])
def test_the_linear_prediction_is_solved_from_anywhere(foresight: Foresight, start: float):
    nodes, market = somewhere()
    found = answer(nodes, market, market.tool_use, np.ones((5, 8)), np.full((5, 8), start), foresight)
    assert found.solved
    assert found.rent.min() >= 0
    assert miss(nodes, market, found, foresight) < 1e-9


@pytest.mark.parametrize("start", [0.0, 0.4, 30.0])
def test_myopic_plans_are_solved_period_by_period(start: float):
    nodes, market = somewhere()
    at, found = market, None
    for t in range(nodes.periods):
        found = answer(
            nodes, at, market.tool_use, np.ones((5, 8)), np.full((5, 8), start), Myopic(), span=slice(t, t + 1)
        )
        assert found.solved
        at = predicted(market, found.rent, found.additions)
    assert found is not None
    assert miss(nodes, market, found, Myopic()) < 1e-9


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_plan_of_full_size_from_two_starts(seed: int):
    nodes, market = full_size(seed)
    price = np.ones(market.rent.shape)
    ends = [answer(nodes, market, market.tool_use, price, start, Perfect()) for start in (market.rent, 3 * price)]
    for end in ends:
        assert end.solved
        assert miss(nodes, market, end, Perfect()) < 1e-9
    np.testing.assert_allclose(ends[0].rent, ends[1].rent, atol=1e-8)


def twins(missing: float) -> tuple[Nodes, MarketResponse]:
    """Two capacities used one for one, nobody building: their rents count together only, so that slopes are singular."""
    nodes = make_nodes(3, 2, inherited=np.full((2, 3), 10.0))
    nodes = replace(nodes, open=np.zeros(nodes.open.shape, bool))
    rent = np.full((2, 3), 0.2)
    slopes = np.full((3, 2, 2), -4.0)
    nothing = np.zeros((2, 1, 3))
    return nodes, MarketResponse(rent, np.full((2, 3), 10.0 + missing), slopes, nothing, nothing, np.zeros((2, 1, 3, 2)))


def test_rents_that_only_count_together_are_found_all_the_same():
    nodes, market = twins(missing=4.0)
    found = answer(nodes, market, market.tool_use, np.ones((2, 3)), market.rent, Perfect())
    assert found.solved
    np.testing.assert_allclose(found.rent.sum(0), 0.4 + 1.0, atol=1e-8)
    np.testing.assert_allclose(found.rent[0], found.rent[1], atol=1e-8)  # the step is the shortest


def test_what_nobody_can_supply_has_no_answer_and_says_so():
    nodes, market = twins(missing=4.0)
    market = replace(market, jacobian=np.zeros((3, 2, 2)))
    found = answer(nodes, market, market.tool_use, np.ones((2, 3)), market.rent, Perfect())
    assert not found.solved
    assert np.isfinite(found.rent).all()
    assert found.residual == pytest.approx(0.4)


def test_the_best_point_is_what_its_residual_says():
    """Stopped early, rents are not negative and additions and residual belong to just these rents."""
    nodes, market = full_size(3)
    price = np.ones(market.rent.shape)
    residuals = []
    for steps in range(4):
        found = answer(nodes, market, market.tool_use, price, 3 * price, Perfect(), steps=steps)
        cost = market.tool_cost + np.einsum("gcth,ht->gct", market.tool_use, found.rent - market.rent)
        assert found.rent.min() >= 0
        np.testing.assert_allclose(found.additions, additions_at(nodes, found.rent, cost, Perfect()), rtol=1e-12, atol=1e-9)
        residuals.append(found.residual)
    assert residuals[-1] < residuals[0]


def test_every_step_lowers_the_merit(monkeypatch: pytest.MonkeyPatch):
    nodes, market = full_size(4)
    price = np.ones(market.rent.shape)
    merits = []
    following = josephy._next

    def recorded(problem, point, gap, matrix):
        merits.append((problem.rounding, np.linalg.norm(gap)))
        return following(problem, point, gap, matrix)

    monkeypatch.setattr(josephy, "_next", recorded)
    found = answer(nodes, market, market.tool_use, price, 50 * price, Perfect())
    assert found.solved
    assert len(merits) > 2
    assert all(new < old for (rounding, old), (same, new) in pairwise(merits) if rounding == same)


def test_without_newton_steps_the_regularised_ones_arrive(monkeypatch: pytest.MonkeyPatch):
    nodes = tool_chain_nodes()
    market = tool_chain().answer(np.full((5, 8), 0.3), np.full((5, 2, 8), 0.3))
    expected = answer(nodes, market, market.tool_use, np.ones((5, 8)), market.rent, Perfect())
    monkeypatch.setattr(josephy, "_newton", lambda matrix, gap: None)
    found = answer(nodes, market, market.tool_use, np.ones((5, 8)), market.rent, Perfect())
    assert found.solved
    np.testing.assert_allclose(found.rent, expected.rent, atol=1e-8)


def test_a_regularised_step_exists_for_singular_slopes_and_descends():
    matrix, gap = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([1.0, 0.5])
    for weight in (1e-8, 1.0, 1e4):
        direction = regularised(matrix, gap, weight)
        assert gap @ matrix @ direction < 0
    assert np.linalg.norm(regularised(matrix, gap, 1e4)) < 1e-3


def test_periods_outside_the_span_stay():
    nodes = tool_chain_nodes()
    market = tool_chain().answer(np.full((5, 8), 0.3), np.full((5, 2, 8), 0.3))
    span = slice(3, 6)
    found = answer(nodes, market, market.tool_use, np.ones((5, 8)), market.rent, Perfect(), span=span)
    outside = np.setdiff1d(np.arange(8), np.arange(8)[span])
    np.testing.assert_array_equal(found.rent[:, outside], market.rent[:, outside])
    np.testing.assert_array_equal(found.additions[..., outside], market.additions[..., outside])
    cost = market.tool_cost + np.einsum("gcth,ht->gct", market.tool_use, found.rent - market.rent)
    wanted = additions_at(nodes, found.rent, cost, Perfect())
    np.testing.assert_allclose(found.additions[..., span], wanted[..., span])
    assert found.solved


def test_derivatives_sharp_and_rounded():
    rng = np.random.default_rng(1)
    scarce, slack = rng.normal(size=(2, 40))
    for rounding in (0.0, 0.1):
        value, by_scarce, by_slack = josephy.complementary(scarce, slack, rounding)
        moved = [josephy.complementary(scarce + a, slack + b, rounding)[0] for a, b in ((1e-7, 0.0), (0.0, 1e-7))]
        np.testing.assert_allclose((moved[0] - value) / 1e-7, by_scarce, atol=1e-5)
        np.testing.assert_allclose((moved[1] - value) / 1e-7, by_slack, atol=1e-5)

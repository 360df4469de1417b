"""One program, three writings: Pyomo's model, the compiled arrays, and its own optimality conditions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backfill.supply import highs, plan
from backfill.supply.active import Reduced, active_set_newton
from backfill.supply.explain import explain, shortfalls
from backfill.supply.foresight import Fixed, Foresight, Myopic, Perfect
from backfill.supply.highs import CompiledPlan, solve_model
from backfill.supply.nodes import MarketResponse, Nodes, survival
from backfill.supply.program import program
from backfill.supply.step import PlanStatus
from tests.supply.small_markets import complements, couple, full_size, make_nodes, tool_chain, tool_chain_nodes


def somewhere(seed: int = 0) -> tuple[Nodes, MarketResponse]:
    """The tool chain at rents and additions that solve nothing."""
    nodes = tool_chain_nodes(reference_additions=np.full((5, 2, 8), 0.3))
    rng = np.random.default_rng(seed)
    return nodes, tool_chain().answer(rng.uniform(0, 0.8, (5, 8)), rng.uniform(0, 0.6, (5, 2, 8)))


@pytest.mark.parametrize("foresight", [Perfect(), Myopic(), Fixed()])
@pytest.mark.parametrize("seed", [0, 1])
def test_compiled_plan_solves_the_pyomo_model(foresight: Foresight, seed: int):
    nodes, market = somewhere(seed)
    step = CompiledPlan(nodes, foresight).solve(market)
    model = plan.build(nodes, market, foresight)
    answer = solve_model(model)
    rent, additions = plan.solution(model, nodes)
    assert step.status is PlanStatus.SOLVED
    np.testing.assert_allclose(step.rent, rent, atol=1e-5)  # the solver's own tolerance, before polishing
    np.testing.assert_allclose(step.additions, additions, atol=1e-4)
    constant = sum(0.5 * r @ a @ r for r, a in zip(market.rent.T, program(nodes, market, foresight).curvature, strict=True))
    assert abs(step.objective - answer["objective"]) < 1e-6 * (abs(step.objective) + constant)


def test_multipliers_of_the_pyomo_model_are_weighted_additions():
    """The dual reading, with signs: multiplier = w_t I, and capacity from these multipliers covers predicted use."""
    nodes, market = somewhere()
    late = np.arange(8)[None, :] + nodes.lag[:, None] >= 7
    nodes = replace(nodes, open=nodes.open & ~late[:, None, :], reference_additions=np.zeros((5, 2, 8)))
    model = plan.build(nodes, market)
    duals = solve_model(model)["duals"]
    rent, _ = plan.solution(model, nodes)
    multiplier = np.zeros((5, 2, 8))
    for index in model.decision:
        multiplier[index] = duals[model.building[index]]
    assert multiplier.min() > -1e-6
    step = CompiledPlan(nodes).solve(market)
    np.testing.assert_allclose(multiplier, step.duals, atol=1e-4)
    additions = multiplier / nodes.weights
    np.testing.assert_allclose(additions, step.additions, atol=1e-4)
    capacity = nodes.inherited + np.einsum("gct,gts->gs", additions, survival(nodes.lag, nodes.depreciation, 8))

    slopes = program(nodes, market, Perfect()).curvature / nodes.rent_weights.T[:, :, None]
    move = np.einsum("tgh,ht->gt", slopes, rent - market.rent)
    use = market.use - move + np.einsum("gct,gcth->ht", additions - market.additions, market.tool_use)
    assert (capacity - use).min() > -1e-4
    np.testing.assert_allclose(np.minimum(rent, capacity - use), 0.0, atol=1e-4)


def test_solver_agrees_with_the_active_set_method_from_cold():
    """The certificate is the same whoever finds the point: solver alone, Newton alone."""
    nodes, market = somewhere()
    data = program(nodes, market, Perfect())
    form = Reduced(data, nodes.rent_weights * data.size[:, None])
    alone, iterations = highs._quadratic(form, None)
    newton = active_set_newton(form, form.point, 40)
    assert iterations > 0
    assert form.violation(newton) < 1e-12
    np.testing.assert_allclose(alone, newton, atol=1e-5)
    assert form.violation(newton + 0.01) > 1e-4


def test_a_false_start_is_caught_and_solved_from_cold(monkeypatch: pytest.MonkeyPatch):
    nodes, market = somewhere()
    honest = CompiledPlan(nodes).solve(market)
    solve = highs._quadratic

    def false_optimum(form: Reduced, start: np.ndarray | None):
        return (np.zeros_like(form.point), 1) if start is not None else solve(form, None)

    monkeypatch.setattr(highs, "_quadratic", false_optimum)
    monkeypatch.setattr(highs, "active_set_newton", lambda form, rent, steps: rent)
    monkeypatch.setattr(highs, "ACCEPT", 1e-4)
    caught = CompiledPlan(nodes).solve(market)
    assert caught.cold
    assert caught.status is PlanStatus.SOLVED
    np.testing.assert_allclose(caught.rent, honest.rent, atol=1e-3)

    monkeypatch.setattr(highs, "_quadratic", lambda form, start: (np.zeros_like(form.point), 1))
    assert CompiledPlan(nodes).solve(market).status is PlanStatus.INACCURATE


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_plan_of_full_size_is_certified_from_the_guess(seed: int):
    nodes, market = full_size(seed)
    compiled = CompiledPlan(nodes)
    step = compiled.solve(market)
    assert step.status is PlanStatus.SOLVED
    assert step.violation < 1e-11
    assert abs(step.gap) < 1e-11
    assert not step.cold
    assert compiled.iterations < 300  # thousands without the guess
    assert (step.rent > 0).sum() > 100


def test_a_node_without_capacity_use_or_builders_is_harmless():
    nodes, market = somewhere()
    inherited, use, slopes = nodes.inherited.copy(), market.use.copy(), market.jacobian.copy()
    inherited[2], use[2], slopes[:, 2], slopes[:, :, 2] = 0.0, 0.0, 0.0, 0.0
    gate = nodes.open.copy()
    gate[2] = False
    empty = replace(nodes, inherited=inherited, open=gate, reference_additions=np.zeros((5, 2, 8)))
    step = CompiledPlan(empty).solve(replace(market, use=use, jacobian=slopes))
    assert step.status is PlanStatus.SOLVED
    np.testing.assert_array_equal(step.capacity[2], 0.0)


def test_a_solution_does_not_move():
    nodes, market = tool_chain_nodes(), tool_chain()
    solved = couple(nodes, market)
    for damping in (1e-6, 1.0):
        step = CompiledPlan(nodes).solve(market.answer(solved.rent, solved.additions), damping=damping)
        np.testing.assert_allclose(step.rent, solved.rent, atol=1e-8)
        np.testing.assert_allclose(step.additions, solved.additions, atol=1e-8)


def test_damping_shortens_the_step():
    nodes, market = somewhere()
    free, damped = (CompiledPlan(nodes).solve(market, damping=d).rent for d in (1e-6, 5.0))
    assert np.abs(damped - market.rent).max() < 0.5 * np.abs(free - market.rent).max()


def test_a_possible_plan_needs_no_explanation():
    nodes, market = somewhere()
    assert shortfalls(nodes, market) == ()
    assert "possible" in explain(nodes, market)


def test_missing_capacity_is_named():
    """Users who cannot do without, no capacity, and a gate that is shut."""
    nodes = make_nodes(3, 2)
    inherited = nodes.inherited.copy()
    inherited[1] = 0.0
    gate = nodes.open.copy()
    gate[1] = False
    nodes = replace(nodes, inherited=inherited, open=gate, owners=("AAA", "BBB"))
    market = complements(3).answer(np.zeros((2, 3)), np.zeros((2, 1, 3)))
    market = replace(market, use=np.full((2, 3), 4.0), jacobian=np.zeros((3, 2, 2)))
    found = shortfalls(nodes, market, labels=("2022", "2023", "2024"))
    assert {(s.node, s.owner, s.period) for s in found} == {(("product1", "AAA"), "BBB", y) for y in ("2022", "2023", "2024")}
    assert all(s.missing == pytest.approx(4.0) for s in found)
    text = explain(nodes, market, labels=("2022", "2023", "2024"))
    assert "product1 in AAA (owner BBB) lacks 4 of 4 million USD of capacity in 2022: nobody may add any" in text


def test_the_reason_is_that_of_the_capacity_that_lacks():
    """The last of three, whose builders do not decide, with fewer classes of buyers than there are capacities."""
    nodes = make_nodes(4, 3)
    inherited = nodes.inherited.copy()
    inherited[2] = 0.0
    nodes = replace(nodes, inherited=inherited, reference_additions=np.zeros(nodes.class_share.shape))
    nothing = (np.zeros(s) for s in ((3, 4), (3, 4), (4, 3, 3), (3, 1, 4), (3, 1, 4), (3, 1, 4, 3)))
    market = replace(MarketResponse(*nothing), use=np.array([[0.0], [0.0], [4.0]]) * np.ones(4))
    found = shortfalls(nodes, market, Fixed())
    assert {s.node for s in found} == {nodes.names[2]}
    assert all(s.reason.startswith("additions are given") for s in found)


def test_a_lag_is_given_as_the_reason():
    nodes = make_nodes(4, 1, lag=(1,), inherited=np.full((1, 4), 1.0))
    market = replace(
        MarketResponse(*(np.zeros(s) for s in ((1, 4), (1, 4), (4, 1, 1), (1, 1, 4), (1, 1, 4), (1, 1, 4, 1)))),
        use=np.full((1, 4), 3.0),
    )
    found = shortfalls(nodes, market)
    assert {s.period for s in found} == {"period 0", "period 1"}
    assert all(s.missing == pytest.approx(2.0) and "serves only from period 2 on" in s.reason for s in found)

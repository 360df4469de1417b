"""The coupled world on the small economy: reference, verdicts, foresight, and a direct solution of the complementarity."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from scipy.optimize import root

from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.supply.foresight import Perfect
from backfill.supply.residual import residuals
from backfill.world import Status, _Coupling, solve_world
from tests.support import small


@pytest.fixture(scope="module")
def economy():
    return calibrate(small.tables(), small.vocabulary(), last_year=2027)


def controls(economy, *, frontier: float = 0.0, tools: float = 0.0, ally: float = 0.0, start: int = 1) -> Wedges:
    """The US closes frontier accelerators and tools to CHN; its ally closes tools."""
    names = economy.structure.vocabulary
    wedges = Wedges.none(names, economy.periods)
    product, region = names.products.index, names.regions.index
    coverage = wedges.coverage.copy()
    coverage[start:, product("accelerators_frontier"), region("USA"), region("CHN")] = frontier
    for tool in (*small.TOOLS, "subsystems"):
        coverage[start:, product(tool), region("USA"), region("CHN")] = tools
        coverage[start:, product(tool), region("TWN"), region("CHN")] = ally
    return dataclasses.replace(wedges, coverage=coverage)


@pytest.fixture(scope="module")
def worlds(economy):
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    return solve_world(
        economy, [none, controls(economy, frontier=0.8, tools=0.8), controls(economy, tools=0.8, ally=0.8)]
    )


def acquired(world, user: str = "CHN") -> pl.DataFrame:
    flows = world.tables.flows.filter((pl.col("user") == user) & pl.col("product").str.starts_with("accelerators"))
    return flows.group_by("period", "product", "channel").agg(pl.col("quantity").sum()).sort("period", "product", "channel")


def capacity(world, product: str, region: str) -> np.ndarray:
    chosen = world.tables.capacity.filter((pl.col("product") == product) & (pl.col("region") == region))
    return chosen.sort("period")["capacity"].to_numpy()


def test_without_policy_nothing_changes(economy, worlds):
    world = worlds[0]
    assert world.status is Status.SOLVED
    assert world.rounds == 1
    expected = np.asarray(economy.capacity.reference)[: economy.reported]
    built = world.tables.capacity.sort("period", "product", "region")["capacity"].to_numpy()
    order = sorted(range(len(economy.structure.nodes)), key=lambda n: economy.structure.nodes[n])
    np.testing.assert_allclose(built.reshape(economy.reported, -1), expected[:, order], rtol=1e-9)
    use = {("accelerators_adversary", "direct"): 10.0, ("accelerators_frontier", "cloud"): 5.0}
    rows = acquired(world).filter(pl.col("period") == "2022")
    for (product, channel), value in use.items():
        got = rows.filter((pl.col("product") == product) & (pl.col("channel") == channel))["quantity"].item()
        assert got == pytest.approx(value, rel=1e-9)


def test_solved_worlds_pass_their_checks(worlds):
    for world in worlds:
        assert world.status is Status.SOLVED, world.message
        assert world.checks["converged"] == 1.0
        assert world.checks["walras"] <= 1e-8
        assert world.checks["complementarity"] <= 1e-8
        assert world.checks["shares"] <= 1e-9
        assert world.checks["volume"] <= 1e-9
        assert world.checks["coupling_step"] <= 1e-6
        assert world.checks["coupling_optimality"] <= 1e-6
        assert world.rounds <= 15


def test_volumes_delivered_equal_capacity_used(economy, worlds):
    for world in worlds:
        table = world.tables.capacity
        assert (table["use"] <= table["capacity"] * (1 + 1e-6)).all()
        idle = table.filter(pl.col("use") < pl.col("capacity") * (1 - 1e-5))
        assert (idle["rent_share"].abs() <= 1e-5).all()


def test_allied_controls_on_tools_lower_advanced_capacity_with_a_lag(worlds):
    reference, _, aligned = (capacity(w, "logic_advanced", "CHN") for w in worlds)
    lag = 1
    np.testing.assert_allclose(aligned[: 1 + lag], reference[: 1 + lag], rtol=5e-2)
    assert aligned[-1] < reference[-1] * 0.98


def test_denied_chips_are_partly_backfilled(worlds):
    before, after = acquired(worlds[0]), acquired(worlds[1])
    joined = before.join(after, on=["period", "product", "channel"], suffix="_after").filter(pl.col("period") == "2024")

    def change(product: str, channel: str) -> float:
        row = joined.filter((pl.col("product") == product) & (pl.col("channel") == channel))
        return row["quantity_after"].item() - row["quantity"].item()

    direct = change("accelerators_frontier", "direct")
    backfilled = [
        change("accelerators_frontier", "diversion"),
        change("accelerators_adversary", "direct"),
        change("accelerators_frontier", "cloud"),
        change("accelerators_export_grade", "direct"),
    ]
    assert direct < 0
    assert min(backfilled) > 0
    assert sum(backfilled) < -direct


def test_a_batch_equals_single_worlds(economy, worlds):
    alone = solve_world(economy, [controls(economy, frontier=0.8, tools=0.8)])[0]
    together = worlds[1].tables.capacity
    np.testing.assert_allclose(alone.tables.capacity["capacity"], together["capacity"], rtol=1e-6)
    np.testing.assert_allclose(alone.tables.flows["quantity"], worlds[1].tables.flows["quantity"], rtol=1e-5, atol=1e-6)


def test_fixed_foresight_keeps_additions_and_myopic_builders_solve(economy):
    policy = controls(economy, frontier=0.8, tools=0.8, ally=0.4)
    fixed = solve_world(economy, [policy], foresight="fixed")[0]
    assert fixed.status is Status.SOLVED, fixed.message
    expected = np.asarray(economy.capacity.additions)[: economy.reported]
    got = fixed.tables.capacity.pivot(on=["product", "region"], index="period", values="addition").sort("period")
    assert got.drop("period").to_numpy().sum() == pytest.approx(expected.sum(), rel=1e-9)
    myopic = solve_world(economy, [policy], foresight="myopic")[0]
    assert myopic.checks["coupling_optimality"] <= 1e-6, myopic.message


def test_wedges_of_other_periods_are_refused(economy):
    names = economy.structure.vocabulary
    with pytest.raises(ValueError, match="compile the policy over economy.periods"):
        solve_world(economy, [Wedges.none(names, economy.periods[:3])])


def test_the_coupling_agrees_with_a_direct_solution_of_the_complementarity(economy):
    """All rents at once from Fischer-Burmeister equations on true market answers; additions in closed form."""
    policy = controls(economy, frontier=0.5, tools=0.6, ally=0.3)
    ours = _Coupling(economy, [policy], Perfect())
    for round_ in range(15):
        ours.evaluate()
        if round_ and not ours.open_worlds().any():
            break
        ours.step(fresh_jacobian=True)
    direct = _Coupling(economy, [policy], Perfect())
    nodes, shape = direct.nodes[0], direct.plans.rent[0].shape

    def gaps(vector: np.ndarray) -> np.ndarray:
        rent = vector.reshape(shape)
        direct.plans.rent[0] = rent
        for _ in range(6):
            direct.evaluate()
            answer = residuals_additions(direct, nodes, rent)
            moved = np.abs(answer - direct.plans.additions[0]).max()
            direct.plans.additions[0] = answer
            if moved < 1e-9:
                break
        capacity_ = nodes.inherited + residual_capacity(direct, nodes)
        slack = ((capacity_ - direct.use[0]) / capacity_).T
        scarce = rent / direct.mill[0].T
        return (scarce + slack - np.hypot(scarce, slack)).ravel()

    start = np.asarray(economy.capacity.rent).ravel()
    solution = root(gaps, start, method="hybr", options={"xtol": 1e-12, "maxfev": 4000})
    assert np.abs(solution.fun).max() < 1e-8, solution.message
    difference = np.abs(solution.x.reshape(shape) - ours.plans.rent[0]) / ours.mill[0].T
    assert difference.max() < 1e-6


def residuals_additions(coupling, nodes, rent):
    from backfill.supply.foresight import additions_at

    return additions_at(nodes, rent.T, coupling.tool_cost[0])


def residual_capacity(coupling, nodes):
    from backfill.supply.nodes import capacity_path

    return capacity_path(nodes, coupling.plans.additions[0]) - nodes.inherited


def test_an_impossible_wish_is_named(economy):
    """A world stopped before it can settle says which capacities are apart."""
    coupling = _Coupling(economy, [controls(economy, frontier=0.9, tools=0.9, ally=0.9)], Perfect())
    coupling.evaluate()
    world = coupling.worlds()[0]
    assert world.status is Status.COUPLING_FAILED
    assert world.checks["converged"] == 0.0
    assert " in " in world.message
    assert residuals is not None

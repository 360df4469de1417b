"""The coupled world on the small economy: reference, verdicts, foresight, and a direct solution of the complementarity."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import polars as pl
import pytest
from scipy.optimize import root

from backfill.coupling import Coupling, settled
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.supply.foresight import Perfect, additions_at
from backfill.supply.nodes import capacity_path
from backfill.world import Status, solve_world
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


@pytest.mark.slow
def test_fixed_foresight_keeps_additions_and_myopic_builders_solve(economy):
    policy = controls(economy, frontier=0.8, tools=0.8, ally=0.4)
    fixed = solve_world(economy, [policy], foresight="fixed")[0]
    assert fixed.status is Status.SOLVED, fixed.message
    expected = np.asarray(economy.capacity.additions)[: economy.reported]
    got = fixed.tables.capacity.pivot(on=["product", "region"], index="period", values="addition").sort("period")
    assert got.drop("period").to_numpy().sum() == pytest.approx(expected.sum(), rel=1e-9)
    myopic = solve_world(economy, [policy], foresight="myopic")[0]
    assert myopic.status is Status.SOLVED, myopic.message


def test_myopic_builders_expect_the_reference_where_nothing_surprises_them(economy):
    """And with a surprise they build otherwise from the period in which it comes, not before."""
    late = controls(economy, frontier=0.8, tools=0.8)
    late.coverage[:2] = 0.0
    world, surprised = solve_world(economy, [controls(economy, frontier=0.0), late], foresight="myopic")
    expected = np.asarray(economy.capacity.additions)[: economy.reported]
    added = [
        one.tables.capacity.pivot(on=["product", "region"], index="period", values="addition").sort("period")
        for one in (world, surprised)
    ]
    assert world.status is surprised.status is Status.SOLVED
    np.testing.assert_allclose(added[0].drop("period").to_numpy().sum(1), expected.sum(1), rtol=1e-7)
    difference = np.abs((added[1].drop("period") - added[0].drop("period")).to_numpy()).max(1)
    assert difference[:2].max() < 1e-6 < 1e-2 < difference[2:].max()


def test_wedges_of_other_periods_are_refused(economy):
    names = economy.structure.vocabulary
    with pytest.raises(ValueError, match="compile the policy over economy.periods"):
        solve_world(economy, [Wedges.none(names, economy.periods[:3])])


def test_the_coupling_agrees_with_a_direct_solution_of_the_complementarity(economy):
    """All rents at once from Fischer-Burmeister equations on true market answers; additions and stocks in closed form."""
    policy = controls(economy, frontier=0.5, tools=0.6, ally=0.3)
    ours, direct = (Coupling(economy, [policy], Perfect()) for _ in range(2))
    ours.solve()
    nodes, every = direct.nodes[0], slice(0, direct.periods)
    place = {"point": direct.points[0]}

    def gaps(vector: np.ndarray) -> np.ndarray:
        rent = vector.reshape(nodes.inherited.shape)
        for _ in range(12):
            point = direct._evaluate({0: dataclasses.replace(place["point"], rent=rent)}, every)[0]
            added = additions_at(nodes, rent, point.tool_cost)
            place["point"] = dataclasses.replace(point, additions=added, orders=point.wanted)
            if max(np.abs(added - point.additions).max(), point.apart) < 1e-9:
                break
        capacity_ = capacity_path(nodes, place["point"].additions)
        slack = (capacity_ - place["point"].use) / capacity_
        scarce = rent / place["point"].mill
        return (scarce + slack - np.hypot(scarce, slack)).ravel()

    start = np.asarray(economy.capacity.rent).T.ravel()
    solution = root(gaps, start, method="hybr", options={"xtol": 1e-12, "maxfev": 4000})
    assert np.abs(solution.fun).max() < 1e-8, solution.message
    difference = np.abs(solution.x.reshape(nodes.inherited.shape) - ours.points[0].rent) / ours.points[0].mill
    assert difference.max() < 1e-6


def test_one_rule_accepts_worlds():
    assert settled(0.9e-7, 0.9e-6)
    assert not settled(1.1e-7, 0.0)
    assert not settled(0.0, 1.1e-6)
    assert not settled(float("nan"), 0.0)
    assert not settled(0.0, float("inf"))


def test_the_step_reported_is_what_another_round_would_move(economy):
    policy = controls(economy, frontier=0.8, tools=0.8)
    coupling = Coupling(economy, [policy], Perfect())
    coupling.solve()
    point, every = coupling.points[0], slice(0, coupling.periods)
    coupling._differentiate({0: point}, {0: np.arange(coupling.periods)})
    moved = np.abs(coupling._answer(0, point, every)[0].rent - point.rent) / point.mill
    assert 0 < coupling.steps[0] <= 1e-6
    assert moved.max() <= 1e-6
    world = solve_world(economy, [policy])[0]
    assert world.checks["coupling_step"] == pytest.approx(coupling.steps[0], rel=1e-3)


def test_a_world_stopped_early_says_what_is_apart(economy, monkeypatch):
    monkeypatch.setattr("backfill.coupling.rounds.ROUNDS", 1)
    world = solve_world(economy, [controls(economy, frontier=0.9, tools=0.9, ally=0.9)])[0]
    assert world.status is Status.COUPLING_FAILED
    assert world.checks["converged"] == 0.0
    assert world.checks["coupling_optimality"] > 1e-3
    assert " in CHN by 0.0" in world.message
    assert "the rounds have not settled" in world.message
    horizon = {period.label for period in economy.periods[: economy.reported]}
    named = set(re.findall(r"20\d\d", world.message.replace("after 2027", "")))
    assert named
    assert named <= horizon


@pytest.mark.slow
def test_markets_without_an_answer_are_named_by_reported_periods(economy, monkeypatch):
    from backfill.trade import equilibrium

    def failing(*arguments, **named):
        solved = equilibrium.solve(*arguments, **named)
        return solved._replace(converged=np.zeros_like(solved.converged))

    monkeypatch.setattr("backfill.coupling.rounds.solve", failing)
    monkeypatch.setattr("backfill.coupling.rounds.ROUNDS", 1)
    world = solve_world(economy, [controls(economy, frontier=0.5)])[0]
    assert world.status is Status.MARKETS_FAILED
    labels = [period.label for period in economy.periods[: economy.reported]]
    assert world.message.endswith(f"Periods: {', '.join(labels)}, the years after {labels[-1]}.")


@pytest.mark.slow
def test_a_region_that_cannot_earn_its_fixed_surplus_is_named(economy):
    names, none = economy.structure.vocabulary, Wedges.none(economy.structure.vocabulary, economy.periods)
    deficit = np.asarray(economy.parameters.endowment.deficit)[0]
    region = names.regions[int(deficit.argmin())]
    assert deficit.min() < -0.005
    coverage = none.coverage.copy()
    here = names.regions.index(region)
    coverage[1:, :, here, [r for r in range(len(names.regions)) if r != here]] = 1.0
    solved, closed = solve_world(economy, [none, dataclasses.replace(none, coverage=coverage)])
    assert solved.status is Status.SOLVED
    assert closed.status is Status.MARKETS_FAILED
    told = rf"in 2023 .*?{region} would have to sell abroad ([0-9.]+)% of what it absorbs and sells ([0-9.]+)%"
    found = re.search(told, closed.message)
    assert found
    assert float(found[1]) > 1 > float(found[2])
    assert all(np.isfinite(value) for name, value in closed.checks.items() if name != "coupling_step")


def test_a_surprise_leaves_what_was_before_and_shares_slopes(economy):
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    policy = controls(economy, frontier=0.8, tools=0.8, start=2)
    reference, surprise, foreseen = solve_world(economy, [none, policy, policy], departs={1: (0, 2)})
    assert {w.status for w in (reference, surprise, foreseen)} == {Status.SOLVED}
    early = pl.col("period").is_in([p.label for p in economy.periods[:2]])
    for name in ("flows", "capacity", "prices", "income"):
        before, after = (w.tables[name].filter(early).select(pl.col(pl.Float64)).to_numpy() for w in (reference, surprise))
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)
    built = [capacity(w, "logic_advanced", "CHN") for w in (reference, surprise, foreseen)]
    np.testing.assert_allclose(built[1][:3], built[0][:3], rtol=1e-9)
    assert np.abs(built[2][1:3] / built[0][1:3] - 1).max() > 1e-4


@pytest.mark.slow
def test_a_chain_of_surprises_ends_where_a_direct_one_does(economy):
    """Learning in period 2 what one learned in period 1 already changes nothing."""
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    policy = controls(economy, frontier=0.8, tools=0.8, start=3)
    worlds = solve_world(economy, [none, policy, policy], departs={1: (0, 1), 2: (1, 2)})
    assert {w.status for w in worlds} == {Status.SOLVED}
    np.testing.assert_allclose(worlds[2].tables.capacity["capacity"], worlds[1].tables.capacity["capacity"], rtol=1e-6)


@pytest.mark.parametrize(
    ("departs", "complaint"),
    [({1: (0, 3)}, "differs from it before in coverage"), ({1: (5, 1)}, "none such"), ({0: (1, 1), 1: (0, 1)}, "no earlier")],
)
def test_worlds_that_cannot_depart_are_refused(economy, departs, complaint):
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    with pytest.raises(ValueError, match=complaint):
        solve_world(economy, [none, controls(economy, frontier=0.8, start=1)], departs=departs)


def test_what_follows_from_a_failed_world_fails_too(economy, monkeypatch):
    monkeypatch.setattr("backfill.coupling.rounds.ROUNDS", 1)
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    early, late = controls(economy, tools=0.5), controls(economy, tools=0.5, frontier=0.0)
    late.coverage[2:] *= 1.5
    worlds = solve_world(economy, [none, early, late], departs={1: (0, 1), 2: (1, 2)})
    assert [w.status is Status.SOLVED for w in worlds] == [True, False, False]
    assert worlds[2].rounds == 0


@pytest.mark.slow
def test_an_economy_without_planned_capacity_is_markets_alone(economy):
    """Nobody plans: the worlds are those of the markets at given prices, in one round."""
    shape = economy.structure
    reference = economy.capacity
    by_node = ("reference", "rent", "additions", "site_cost", "slope")
    empty = {name: np.asarray(getattr(reference, name))[:, :0] for name in by_node}
    none = dataclasses.replace(
        reference, **empty, tool_need=np.zeros((0, len(shape.products))), depreciation=np.zeros(0)
    )
    bare = dataclasses.replace(
        economy, structure=dataclasses.replace(shape, nodes=(), owners=()), capacity=none, lags=()
    )
    for foresight in ("perfect", "myopic", "fixed"):
        world = solve_world(bare, [controls(bare, frontier=0.5)], foresight=foresight)[0]
        assert world.status is Status.SOLVED, world.message
        assert (world.rounds, world.checks["coupling_step"], world.checks["coupling_optimality"]) == (1, 0.0, 0.0)
        assert world.tables.capacity.is_empty()
        assert world.tables.flows.height > 100

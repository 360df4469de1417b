"""What must hold of any solved market (section 12 of the model's economics), on the small economy."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
import pytest

from backfill.checks import market_checks
from backfill.economy.economy import Economy
from backfill.trade.equilibrium import Equilibrium, Lane, outcomes, solve, walls_of
from backfill.trade.market import Outcome, market
from backfill.trade.sensitivity import gradient, plan_slopes, use_jacobian
from tests.support import small
from tests.trade.market_oracle import Nest, OracleEconomy, Scenario
from tests.trade.oracle_cases import ADVERSARY, ELECTRONICS, FRONTIER, SERVICES, TOOLS, three_regions
from tests.trade.translated import scenarios, shape_of
from tests.trade.worlds import cap, lane_at, lanes_of, no_policy, policy, small_economy

TIGHT = 1e-13


@dataclass
class Batch:
    """Sixteen lanes, the size of a chunk, solved together."""

    economy: Economy
    names: tuple[str, ...]
    lane: Lane
    start: np.ndarray
    found: Equilibrium
    outcome: Outcome

    def at(self, name: str) -> int:
        return self.names.index(name)


def reference_flow(economy: Economy, product: str, origin: str, destination: str) -> float:
    lane, start = lanes_of(economy, [no_policy(economy)])
    outcome, shape = outcomes(economy.structure, lane, start), economy.structure
    j = shape.region(destination)
    if product in shape.products:
        return float(outcome.flows.quantity[0, shape.position(product), shape.region(origin), j])
    return float(outcome.handling.deliveries[0, shape.makers.index((product, origin)), j])


@pytest.fixture(scope="module")
def batch() -> Batch:
    economy = small_economy()
    chips, other = ("accelerators_frontier", "USA", "CHN"), ("electronics", "CHN", "USA")
    amount = {flow: reference_flow(economy, *flow) for flow in (chips, other)}

    def caps(share: float):
        return policy(economy, limits=[cap(economy, *chips, share * amount[chips]),
                                       cap(economy, *other, share * amount[other], "importer")])  # fmt: skip

    frontier, everyone = {chips: 1.0}, (None, None, None)
    worlds = {
        "none": no_policy(economy),
        "tariff 25%": policy(economy, tariff={everyone: 0.25}),
        "tariff 300% on one": policy(economy, tariff={(None, None, "USA"): 3.0}),
        "levy": policy(economy, levy={("hbm", "TWN", None): 0.2, chips: 0.15}),
        "real cost": policy(economy, real_cost={(None, "USA", "CHN"): 0.1, ("services", None, None): 0.05}),
        "coverage 40%": policy(economy, coverage={chips: 0.4, ("hbm", "TWN", "CHN"): 0.8}),
        "ban": policy(economy, coverage=frontier),
        "ban, watched hubs": policy(economy, coverage=frontier, enforcement=4.0),
        "no tools": policy(economy, coverage={(tool, None, "CHN"): 0.9 for tool in small.TOOLS}),
        "no chips": policy(economy, coverage={(line, "USA", "CHN"): 1.0 for line in small.ACCELERATORS[:2]}),
        "quotas at 60%": caps(0.6),
        "quotas at 20%": caps(0.2),
        "quotas at 5%": caps(0.05),
        "loose quotas": caps(1.01),
        "quotas and a ban": policy(
            economy, coverage={chips: 0.5}, tariff={(None, "CHN", "USA"): 0.6}, levy={("hbm", "TWN", None): 0.1},
            real_cost={("services", None, None): 0.02}, limits=[cap(economy, *chips, 0.2 * amount[chips])],
        ),
        "no quotas": caps(np.inf),
    }  # fmt: skip
    lane, start = lanes_of(economy, list(worlds.values()))
    found = solve(economy.structure, lane, start, tolerance=TIGHT)
    return Batch(economy, tuple(worlds), lane, start, found, outcomes(economy.structure, lane, found.vector))


def test_every_lane_is_solved(batch: Batch):
    late = [name for name, done in zip(batch.names, batch.found.residual < 1e-11, strict=True) if not done]
    assert not late


def test_checks_of_every_lane_are_small(batch: Batch):
    checks = market_checks(batch.economy.structure, batch.lane, batch.outcome)
    assert set(checks) >= {"walras", "complementarity", "shares", "volume"}
    assert max(checks.values()) < 1e-8, checks


def test_the_reference_is_reproduced(batch: Batch):
    """No policy: the tables' flows of 2022 and their use of compute in 2024 come back.

    Latent diversion, one unit in ten thousand, is partly seized and takes services at the hub: hence 1e-6 for flows.
    """
    frames, shape = small.tables(), batch.economy.structure
    assert np.abs(batch.found.vector - batch.start)[batch.at("none")].max() < 1e-9
    lane, start = lanes_of(batch.economy, [no_policy(batch.economy)], period=0)
    flow = outcomes(shape, lane, start).flows.quantity[0]
    for product, origin, destination, value in frames.flows.iter_rows():
        here = flow[shape.position(product), shape.region(origin), shape.region(destination)]
        assert here == pytest.approx(value, rel=1e-6), (product, origin, destination)
    used: dict[tuple[str, str, str], float] = {}
    for year, user, product, channel, _, units in frames.compute_use.iter_rows():
        if year == 2024:
            used[user, product, channel] = used.get((user, product, channel), 0.0) + units
    found: dict[tuple[str, str, str], float] = {}
    for leaf, units in zip(shape.leaves, batch.outcome.leaf[batch.at("none")], strict=True):
        key = (shape.regions[leaf.user], shape.makers[leaf.maker][0], leaf.channel.replace("diversion", "direct"))
        found[key] = found.get(key, 0.0) + units
    assert found == pytest.approx(used, rel=1e-9)


def test_infinite_quotas_are_no_quotas(batch: Batch):
    same, none = batch.at("no quotas"), batch.at("none")
    np.testing.assert_allclose(batch.found.vector[same], batch.found.vector[none], atol=1e-11)
    assert batch.found.steps[same] <= batch.found.steps[none] + 1
    loose = batch.at("loose quotas")
    assert not batch.outcome.state.limit_rent[loose].any()
    assert batch.found.steps[loose] <= 5


def test_quotas_bind_where_they_should(batch: Batch):
    """Use equals quantity, the rent rises as quotas shrink, and a quota costs its market few steps."""
    rents = []
    for name in ("quotas at 60%", "quotas at 20%", "quotas at 5%"):
        lane = batch.at(name)
        np.testing.assert_allclose(batch.outcome.limit_use[lane], batch.lane.barriers.limit_quantity[lane], rtol=1e-9)
        rents.append(batch.outcome.state.limit_rent[lane])
        assert batch.found.steps[lane] < 150
    assert (np.diff(rents, axis=0) > 0.01).all()


def test_numeraire(batch: Batch):
    """All nominal magnitudes doubled: every quantity stays, every price and income doubles."""
    shape, lane = batch.economy.structure, lane_at(batch.lane, batch.at("coverage 40%"))
    regions, factor = len(shape.regions), 2.0
    vector = batch.found.vector[batch.at("coverage 40%")]
    doubled = vector.copy()
    doubled[:regions] += np.log(factor)
    richer = eqx.tree_at(
        lambda x: (x.plan.rent, x.plan.outlays.bought, x.plan.outlays.paid, x.parameters.endowment.deficit),
        lane,
        replace_fn=lambda nominal: factor * nominal,
    )
    with jax.enable_x64(True):
        before = jax.tree.map(np.asarray, market(shape, *parts(lane), jax.numpy.asarray(vector))[1])
        after = jax.tree.map(np.asarray, market(shape, *parts(richer), jax.numpy.asarray(doubled))[1])
    for name in ("leaf", "output", "maker_output", "labour_use"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(after.flows.quantity, before.flows.quantity, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(after.buying.mean, factor * before.buying.mean, rtol=1e-12)
    np.testing.assert_allclose(after.compute_price, factor * before.compute_price, rtol=1e-12)
    scale = np.abs(before.income.labour).max()
    for item, values in before.income._asdict().items():
        np.testing.assert_allclose(getattr(after.income, item), factor * values, rtol=1e-12, atol=1e-13 * scale)


def parts(lane: Lane) -> tuple:
    return jax.tree.map(jax.numpy.asarray, (lane.parameters, lane.barriers, lane.plan, lane.demand))


def symmetric() -> OracleEconomy:
    """Three identical regions that buy each other's accelerators."""
    base = three_regions(symmetric=True)
    inputs = base.factor_share[:, :, 1:] * (base.cost0 / base.price0[:, None])[:, :, None]
    inputs[[FRONTIER, ADVERSARY]] = 0.0
    tariffs = base.tariffs.copy()
    tariffs[FRONTIER] = 0.0
    routes = tuple((FRONTIER, i) for i in range(3))
    nests = tuple(Nest(j, routes, tuple(0.1 + 0.2 * (i == j) for i in range(3)), 3.0) for j in range(3))
    share = base.price0[:, None]
    return OracleEconomy(
        base.goods, SERVICES, base.flow0, tariffs, inputs, base.margin0 / share, base.rent0 / share, base.investment0,
        nests, base.final_elasticity, base.compute_elasticity,
    )  # fmt: skip


def test_symmetric_regions_stay_symmetric():
    economy = symmetric()
    away = 1 - np.eye(3)
    same = np.zeros_like(economy.flow0)
    same[[ELECTRONICS, FRONTIER]], same[[SERVICES, TOOLS]] = 0.2 * away, 0.1 * away
    shape = shape_of(economy)
    scenario = Scenario(tariff=same, levy=0.5 * same, real_cost=0.3 * same, coverage=2 * same)
    lane, start = scenarios(economy, shape, [(scenario, economy.rent0), (Scenario(), economy.rent0)])
    found = solve(shape, lane, start, tolerance=1e-12)
    outcome = outcomes(shape, lane, found.vector)
    assert found.converged.all()
    state, buying = outcome.state, outcome.buying
    for values in (state.wage, state.absorption, buying.mill, buying.mean, outcome.output, outcome.compute_price):
        np.testing.assert_allclose(values, np.roll(values, 1, axis=-1), rtol=1e-9)
    assert outcome.absorption.index[0, 0] > 1.001 * outcome.absorption.index[1, 0]


def test_a_lane_is_solved_alike_in_any_company(batch: Batch):
    """Many others, itself, or nobody."""
    everything = batch.at("quotas and a ban")
    for name in ("tariff 25%", "ban", "quotas at 20%"):
        n = batch.at(name)
        order = np.array([n] * (len(batch.names) - 1) + [everything])
        again = solve(batch.economy.structure, lane_at(batch.lane, order), batch.start[order], tolerance=TIGHT)
        np.testing.assert_allclose(again.vector[0], batch.found.vector[n], rtol=0, atol=1e-12)
        assert again.steps[0] == batch.found.steps[n]
    one = slice(everything, everything + 1)
    alone = solve(batch.economy.structure, lane_at(batch.lane, one), batch.start[one], tolerance=TIGHT)
    np.testing.assert_allclose(alone.vector, batch.found.vector[one], rtol=0, atol=1e-12)


def test_chunks_equal_one_batch(batch: Batch):
    """More lanes than a chunk holds: split, padded, put together again in order."""
    order = np.concatenate([np.arange(16), [3, 1, 6]])
    found = solve(batch.economy.structure, lane_at(batch.lane, order), batch.start[order], tolerance=TIGHT)
    np.testing.assert_allclose(found.vector, batch.found.vector[order], rtol=0, atol=1e-12)
    assert found.converged.shape == (19,)


def test_a_failing_lane_spoils_no_other(batch: Batch):
    """One lane without any labour in a region, one with a number missing: both reported, the others as before."""
    labour = batch.lane.parameters.endowment.labour.copy()
    labour[3, 0], labour[5, 1] = 0.0, np.nan
    lane = eqx.tree_at(lambda x: x.parameters.endowment.labour, batch.lane, labour)
    found = solve(batch.economy.structure, lane, batch.start, tolerance=TIGHT)
    assert not found.converged[[3, 5]].any()
    others = np.setdiff1d(np.arange(16), [3, 5])
    np.testing.assert_array_equal(found.converged[others], batch.found.converged[others])
    np.testing.assert_allclose(found.vector[others], batch.found.vector[others], rtol=0, atol=1e-12)


def test_a_quota_of_nothing_is_a_ban(batch: Batch):
    """Flows fall so fast with their price that at a finite rent nothing is left of them in floating point.

    Demand for accelerators is exponential in their price, so that a rent of some hundred mill prices suffices; demand for
    goods is a power of it, and the rent astronomical. All else is as where the routes are closed.
    """
    economy, shape = batch.economy, batch.economy.structure
    chips, other = ("accelerators_frontier", "USA", "CHN"), ("electronics", "CHN", "USA")
    base = np.array([reference_flow(economy, *flow) for flow in (chips, other)])
    limits = [cap(economy, *chips, base[0]), cap(economy, *other, base[1], "importer")]
    lane, start = lanes_of(economy, [policy(economy, coverage={chips: 1.0, other: 1.0}), policy(economy, limits=limits)])
    lane = eqx.tree_at(lambda x: x.barriers.limit_quantity, lane, np.array([[np.inf, np.inf], [0.0, 0.0]]))
    found = solve(shape, lane, start, tolerance=TIGHT)
    assert found.converged.all()
    outcome = outcomes(shape, lane, found.vector)
    assert (outcome.limit_use[1] < 1e-300 * base).all()
    assert (outcome.state.limit_rent[1] > 1).all()
    assert np.isfinite(found.vector).all()
    checks = market_checks(shape, lane, outcome)
    assert max(checks.values()) < 1e-11, checks
    rents = len(limits)
    np.testing.assert_allclose(found.vector[1, :-rents], found.vector[0, :-rents], atol=1e-10)
    np.testing.assert_allclose(outcome.leaf[1], outcome.leaf[0], atol=1e-10 * outcome.leaf[0].sum())


INPUTS = {
    "tariff": lambda lane: lane.barriers.tariff,
    "levy on chips": lambda lane: lane.barriers.maker_levy,
    "taste": lambda lane: lane.parameters.preferences.compute_taste,
    "capacity rent": lambda lane: lane.plan.rent,
    "quota": lambda lane: lane.barriers.limit_quantity,
    "share of buyers": lambda lane: lane.barriers.user_share,
    "detection": lambda lane: lane.barriers.enforcement,
}


@pytest.fixture(scope="module")
def objective(batch: Batch):
    """Compute reaching the adversary and US welfare."""
    china, states = (batch.economy.structure.region(region) for region in ("CHN", "USA"))

    def measured(outcome: Outcome):
        welfare = outcome.state.absorption[states] / outcome.absorption.index[states]
        return outcome.absorption.compute[china] + 1e-3 * welfare

    return measured


@pytest.fixture(scope="module")
def adjoint(batch: Batch, objective) -> Lane:
    n = batch.at("quotas and a ban")
    return gradient(batch.economy.structure, lane_at(batch.lane, n), batch.found.vector[n], objective)


@pytest.mark.parametrize("name", INPUTS)
def test_gradients_equal_differences(batch: Batch, objective, adjoint: Lane, name: str):
    """The adjoint against central differences of solved markets."""
    shape, n = batch.economy.structure, batch.at("quotas and a ban")
    china = shape.region("CHN")
    lane, vector = lane_at(batch.lane, n), batch.found.vector[n]
    slopes = np.asarray(INPUTS[name](adjoint))
    value = np.asarray(INPUTS[name](lane))
    usable = np.isfinite(value) & (np.abs(slopes) > 0)
    direction = np.where(usable, np.sign(slopes) * np.maximum(np.abs(np.where(usable, value, 0.0)), 0.1), 0.0)
    if name == "share of buyers":
        direction[0], direction[1] = np.eye(4)[china], -np.eye(4)[china]
    step = 1e-5
    moved = [eqx.tree_at(INPUTS[name], lane, value + sign * step * direction) for sign in (1, -1)] * 8
    lanes = jax.tree.map(lambda *leaves: np.stack(leaves), *moved)
    found = solve(shape, lanes, np.repeat(vector[None], 16, 0), tolerance=TIGHT)
    assert found.residual.max() < 1e-11
    results = outcomes(shape, lanes, found.vector)
    values = [float(objective(jax.tree.map(lambda x, m=m: x[m], results))) for m in (0, 1)]
    expected = (values[0] - values[1]) / (2 * step)
    assert abs(expected) > 1e-6
    assert float((slopes * direction)[direction != 0].sum()) == pytest.approx(expected, rel=2e-5)


def test_use_of_capacity_answers_rents_as_differences_say(batch: Batch):
    shape, n = batch.economy.structure, batch.at("coverage 40%")
    nodes = len(shape.nodes)
    found = use_jacobian(shape, lane_at(batch.lane, slice(n, n + 1)), batch.found.vector[n : n + 1])[0]
    rent, step = batch.lane.plan.rent[n], 1e-4
    rents = np.stack([rent + sign * step * np.eye(nodes)[g] for g in range(nodes) for sign in (1, -1)])
    rents = np.concatenate([rents, np.repeat(rent[None], 16 - len(rents), 0)])
    lane = lane_at(batch.lane, np.full(16, n))
    lane = eqx.tree_at(lambda x: x.plan.rent, lane, rents)
    solved = solve(shape, lane, np.repeat(batch.found.vector[n : n + 1], 16, 0), tolerance=TIGHT)
    use = outcomes(shape, lane, solved.vector).output
    rows, columns = zip(*((shape.position(p), shape.region(r)) for p, r in shape.nodes), strict=True)
    use = use[:, list(rows), list(columns)]
    expected = (use[0 : 2 * nodes : 2] - use[1 : 2 * nodes : 2]).T / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())
    assert (np.diag(found) < 0).all()


def with_walls(batch: Batch) -> Lane:
    """The batch's lanes with their wedges computed beforehand."""
    walls = walls_of(batch.economy.structure, batch.lane.parameters, batch.lane.barriers)
    return eqx.tree_at(lambda x: x.walls, batch.lane, walls, is_leaf=lambda x: x is None)


def test_slopes_of_one_solution_lead_to_others_in_fewer_steps(batch: Batch):
    """Behind ``(I - F_x)^-1`` of the reference every lane has the same answer, without sweeps within an evaluation."""
    shape, first = batch.economy.structure, batch.at("none")
    need = np.ones((len(shape.nodes), len(shape.products)))
    inverse = plan_slopes(shape, lane_at(batch.lane, slice(first, first + 1)), batch.found.vector[first : first + 1], need)
    count = len(batch.names)
    found = solve(shape, with_walls(batch), batch.start, inverse=np.repeat(inverse.inverse, count, 0), tolerance=1e-12)
    plain = solve(shape, batch.lane, batch.start, tolerance=1e-12)
    assert found.converged.all()
    np.testing.assert_allclose(found.vector, batch.found.vector, atol=1e-9)
    np.testing.assert_allclose(found.output, batch.found.output, rtol=1e-9)
    near = [batch.at(name) for name in ("tariff 25%", "levy", "coverage 40%")]
    assert (found.steps[near] < plain.steps[near]).all()


def test_wedges_computed_beforehand_change_nothing(batch: Batch):
    known = with_walls(batch)
    assert known.walls is not None
    found = solve(batch.economy.structure, known, batch.start, tolerance=TIGHT).vector
    np.testing.assert_allclose(found, batch.found.vector, rtol=0, atol=1e-12)

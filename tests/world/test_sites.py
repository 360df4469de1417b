"""What additions cost beside tools: bought, paid and consistent with what builders decide on."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import polars as pl
import pytest

from backfill.accounts import terminal_value
from backfill.coupling import Coupling, sites_of
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.supply.foresight import Perfect, present_value
from backfill.trade import sensitivity
from backfill.trade.equilibrium import outcomes, solve
from backfill.trade.sites import Sites, abroad
from backfill.world import Status, solve_world
from tests.support import small


@pytest.fixture(scope="module")
def economy():
    return calibrate(small.tables(), small.vocabulary(), last_year=2027)


@pytest.fixture(scope="module")
def reference(economy):
    """The coupling at the reference: its one world's point and what its markets take as given."""
    coupling = Coupling(economy, [Wedges.none(economy.structure.vocabulary, economy.periods)], Perfect())
    coupling.solve()
    return coupling


@pytest.mark.parametrize("base", [0.7, 0.0, -1.1])
def test_bought_and_paid_are_integrals_of_the_marginal_cost(economy, base: float):
    nodes = len(economy.structure.nodes)
    shape, need = economy.structure, np.asarray(economy.capacity.tool_need)
    share = np.tile([0.25, 0.75], (nodes, 1))
    slope, added = np.linspace(0.5, 2.0, nodes), np.linspace(0.2, 1.5, nodes)[:, None] * share
    sites = Sites(np.full(nodes, base), slope, np.full(nodes, 0.3), share)
    found = sites.outlays(shape, need, added)

    steps = 20_000
    middle = (np.arange(steps) + 0.5) / steps * added[..., None]
    marginal = base + (slope[:, None] / share)[..., None] * middle
    width = added[..., None] / steps
    bought, private = (np.maximum(marginal, 0.0) * width).sum((1, 2)), ((marginal - 0.3) * width).sum((1, 2))
    assert found.bought.sum() == pytest.approx(bought.sum(), rel=1e-7)
    assert found.paid.sum() == pytest.approx(bought.sum(), rel=1e-7), "what some receive others pay"
    for code in {owner for owner, (_, region) in zip(shape.owners, shape.nodes, strict=True) if owner != region}:
        own = [n for n, owner in enumerate(shape.owners) if owner == code]
        theirs = [n for n in own if shape.nodes[n][1] != code]
        at_home = [n for n in range(nodes) if shape.nodes[n][1] == code]
        paid = private[own].sum() + (bought - private)[at_home].sum()
        assert theirs
        assert found.paid[shape.region(code)] == pytest.approx(paid, rel=1e-6)


def test_marginal_outlays_are_the_slopes(economy):
    shape, need = economy.structure, np.asarray(economy.capacity.tool_need)
    nodes = len(shape.nodes)
    share = np.tile([0.4, 0.6], (nodes, 1))
    sites = Sites(np.linspace(-1.0, 1.0, nodes), np.linspace(0.5, 2.0, nodes), np.full(nodes, 0.1), share)
    added = np.linspace(0.3, 1.2, nodes)[:, None] * share
    with jax.enable_x64(True):
        slopes = jax.jacfwd(lambda x: sites.outlays(shape, need, x))(jax.numpy.asarray(added))
    node, kind = (part.ravel()[None, ::-1] for part in np.indices(share.shape))
    found = jax.tree.map(lambda x: x[None], sites).marginal(shape, need, added[None], node, kind)
    for mine, its in zip(found, slopes, strict=True):
        np.testing.assert_allclose(mine[0], np.moveaxis(np.asarray(its)[..., node[0], kind[0]], -1, 0), atol=1e-12)


def test_a_unit_added_at_the_reference_costs_its_owner_what_it_earns(economy, reference):
    """At given prices the accounts charge for another unit what its discounted rents are: profit is zero at the margin, and
    so is the gain of the whole region.
    """
    shape, point = economy.structure, reference.points[0]
    years = np.arange(len(economy.periods))
    worth = present_value(reference.nodes[0], point.rent, Perfect())
    lane, vector = reference.lane({0: point}, {0: years})
    before = np.asarray(outcomes(shape, lane, vector).income.investment)
    built = point.additions.sum(1)
    for node, (name, owner) in enumerate(zip(shape.nodes, shape.owners, strict=True)):
        more = point.additions.copy()
        step = 1e-4 * np.maximum(built[node], 1e-3 * np.asarray(economy.capacity.reference)[:, node])
        more[node] += step
        lane, _ = reference.lane({0: replace(point, additions=more)}, {0: years})
        cost = (np.asarray(outcomes(shape, lane, vector).income.investment) - before) / step[:, None]
        busy = built[node] > 0
        np.testing.assert_allclose(cost[busy, shape.region(owner)], worth[node, busy], rtol=1e-4, err_msg=str(name))
        others = [n for n, code in enumerate(shape.regions) if code != owner]
        assert np.abs(cost[busy][:, others]).max(initial=0.0) < 1e-7 * worth[node].max()


def test_what_is_bought_lowers_final_use_and_is_in_nobodys_absorption(economy, reference):
    years = np.arange(len(economy.periods))
    lane, vector = reference.lane({0: reference.points[0]}, {0: years})
    found = outcomes(economy.structure, lane, vector)
    outlays = lane.plan.outlays
    assert outlays.bought.min() >= 0
    assert outlays.bought.sum() > 0
    np.testing.assert_allclose(outlays.paid.sum(1), outlays.bought.sum(1), rtol=1e-12)
    final = found.absorption.goods * found.buying.mean
    compute = np.asarray(found.absorption.compute * found.compute_price)
    np.testing.assert_allclose(final.sum(1) + compute, found.state.absorption, rtol=1e-9)
    left = sum(np.asarray(item) for item in found.income[:-2]) - found.income.outlay - found.income.investment
    np.testing.assert_allclose(left, found.state.absorption, rtol=1e-9)


def test_slopes_of_use_hold_what_is_bought_beside_tools(economy, reference):
    shape, point = economy.structure, reference.points[0]
    at = np.array([1])
    need = np.asarray(economy.capacity.tool_need)
    node = next(n for n in range(len(shape.nodes)) if need[n].any() and point.additions[n].sum(0)[1] > 0)
    lane, vector = reference.lane({0: point}, {0: at})
    sites, added = reference.sites[0].at(at), point.additions[..., at].transpose(2, 0, 1)
    slopes = sensitivity.plan_slopes(shape, lane, vector, need, sites, added)
    uses = []
    for sign in (1, -1):
        more = point.additions.copy()
        step = 0.01 * more[node, 0, 1]
        more[node, 0, 1] += sign * step
        moved, _ = reference.lane({0: replace(point, additions=more)}, {0: at})
        uses.append(solve(shape, moved, vector, tolerance=1e-13).output[0, reference.rows, reference.columns])
    found = (uses[0] - uses[1]) / (2 * step)
    np.testing.assert_allclose(slopes.use_by_addition[0, :, node, 0], found, atol=1e-6)


def test_a_subsidy_is_paid_by_the_site_and_costs_the_world_nothing_itself(economy):
    shape = economy.structure
    node = abroad(shape)[0]
    (product, region), owner = shape.nodes[node], shape.owners[node]
    names = shape.vocabulary
    wedges = Wedges.none(names, economy.periods)
    subsidy = wedges.subsidy.copy()
    subsidy[:, names.products.index(product), names.regions.index(region)] = 0.02
    wedges = replace(wedges, subsidy=subsidy)
    share = np.ones((len(shape.nodes), 1, len(economy.periods)))
    added = np.asarray(economy.capacity.additions)[..., None]
    need = np.asarray(economy.capacity.tool_need)
    none = Wedges.none(names, economy.periods)
    plain, given = (sites_of(economy, share, w).outlays(shape, need, added) for w in (none, wedges))
    np.testing.assert_array_equal(given.bought, plain.bought)
    change = given.paid - plain.paid
    assert (change[:, shape.region(region)] > 0).all()
    assert (change[:, shape.region(owner)] < 0).all()
    np.testing.assert_allclose(change.sum(1), 0, atol=1e-9 * np.abs(plain.paid).max())
    (world,) = solve_world(economy, [wedges])
    assert world.status is Status.SOLVED
    assert world.checks["walras"] < 1e-8
    capacity = economy.capacity
    begun = np.asarray(capacity.site_cost)[:, node] + np.asarray(capacity.tool_need)[node].sum()
    unit = begun + np.asarray(capacity.slope)[:, node] * np.asarray(capacity.additions)[:, node]
    table = world.tables.capacity
    there = table.filter(pl.col("product") == product, pl.col("region") == region).sort("period")
    np.testing.assert_allclose(there["subsidy"], 0.02 * unit[: economy.reported] * there["addition"], rtol=1e-12)
    assert there["subsidy"].sum() > 0
    assert table["subsidy"].sum() == pytest.approx(there["subsidy"].sum(), rel=1e-12)


def test_a_unit_decided_on_is_worth_what_it_earns_before_and_after_the_end(economy, reference):
    """Rents up to the last reported period and the terminal value are the builders' present value, whatever the lag."""
    nodes, point, periods = reference.nodes[0], reference.points[0], len(economy.periods)
    worth, beta = present_value(nodes, point.rent, Perfect()), nodes.weights
    shown = np.arange(periods) < economy.reported
    before = terminal_value(economy, nodes, point.additions)
    for year in range(economy.reported):
        more = point.additions.copy()
        more[:, 0, year] += 1.0
        later = terminal_value(economy, nodes, more) - before
        earned = (beta * np.asarray(economy.capacity.rent).T * nodes.survival[:, year])[:, shown].sum(1)
        np.testing.assert_allclose(earned + later, beta[year] * worth[:, year], rtol=1e-9, atol=1e-12)
    beyond = point.additions.copy()
    beyond[:, 0, economy.reported :] += 1.0
    np.testing.assert_array_equal(terminal_value(economy, nodes, beyond), before)

"""The reference path: an economy whose markets and plan reproduce the tables when no policy is in force.

Tastes, capacities and site costs are inverted, period by period, so that at reference rents (i) users acquire the
reference quantities by every route, (ii) capacity equals reference use over utilisation, and (iii) builders are content
with the additions that this takes (sections 7 and 9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import equinox as eqx
import jax
import numpy as np

from backfill.dimensions import Period, Vocabulary, periods
from backfill.economy.calibrate import array, benchmark, mature_tools
from backfill.economy.economy import MATURE, Capacity, Economy, Learning, Parameters, Structure
from backfill.economy.paths import Paths, Priors, base_parameters, read_paths
from backfill.economy.shifts import Shifts
from backfill.economy.structure import structure
from backfill.economy.tables import BaselineTables
from backfill.errors import UnsolvedError
from backfill.policy.wedges import Wedges
from backfill.programs import program
from backfill.supply.nodes import present_value_matrix
from backfill.trade.acquisition import tree
from backfill.trade.barriers import lanes
from backfill.trade.delivery import legs
from backfill.trade.demand import GivenQuantities, goods_bundle
from backfill.trade.equilibrium import Equilibrium, Lane, first_guess, outcomes, solve
from backfill.trade.market import Outcome, Plan, node_matrix
from backfill.trade.sites import Outlays, Sites, tools_abroad

PASSES = 250
EXTENSION = 3
TOOL_CEILING = 0.8
RENT_STEP, LEAST_STEP, LARGEST_STEP = 0.5, 0.25, 20.0
"""Change of a rent by the log of wanted over inherited capacity: about what brings the two together where buyers respond to
the price as to most tools. It grows where they respond less, and shrinks where a step went too far."""

LEAST_RENT = 0.05
"""Rent, as a share of the price of 2022, by which haste is measured where less is earned: idle plants are no easier to hurry."""


def economy(
    tables: BaselineTables,
    vocabulary: Vocabulary,
    *,
    first_year: int = 2022,
    last_year: int = 2030,
    per_year: int = 1,
    overrides: Mapping[str, float] | None = None,
    closure: str = "fixed",
    progress: Callable[[str, float], None] | None = None,
) -> Economy:
    """Calibrate the economy of the tables over ``first_year``..``last_year``.

    The program is solved ``lag + 3`` years beyond the last reported period.

    Args:
        closure: what happens to deficits: ``"fixed"`` (shares of world labour income, the numeraire), ``"proportional"``
            (expenditure over own income as on the reference path, but for one factor for the world) or ``"balanced"`` (the
            reference path is one without deficits, and is no longer the tables').

    Raises:
        ValueError: if the tables do not add up.
        UnsolvedError: if the reference path cannot be solved; says where.
    """
    priors = Priors(tables.parameters, overrides)
    base = benchmark(tables)
    shape = structure(tables, vocabulary, base)
    lag_years = tables.nodes["lag_years"].to_numpy()
    extra = int(np.ceil(lag_years.max(initial=0))) + EXTENSION
    grid = periods(first_year, last_year + extra, per_year)
    reported = (last_year - first_year + 1) * per_year
    paths = read_paths(tables, shape, grid)
    length = np.array([p.years for p in grid])
    lags = np.round(lag_years * per_year).astype(int)
    depreciation = 1 - (1 - tables.nodes["depreciation"].to_numpy()) ** length[0]
    discount = priors["discount_factor"] ** length[0]
    need = _tool_needs(tables, shape) / length[0]

    rows, columns = node_matrix(shape)
    rent_share = np.zeros((len(shape.products), len(shape.regions)))
    rent_share[rows, columns] = paths.rent_share[0]
    rent = full_rent = paths.rent_share / (1 - paths.rent_share) * (1 - paths.rent_share[0])
    products = tables.products
    sigma = array(products, {"product": shape.products}, "armington_elasticity")
    elasticity = array(products, {"product": shape.products[: shape.core]}, "input_elasticity")

    barriers = lanes(shape, [Wedges.none(vocabulary, grid)])
    additions = np.zeros((len(grid), len(shape.nodes)))
    value = present_value_matrix(lags, depreciation, discount, len(grid))
    steepness, site_cost, outlays = tables.nodes["adjustment"].to_numpy(), additions, _nothing(shape, len(grid))
    slope = np.ones(additions.shape)
    shifts = Shifts(paths.index)
    rent_step, last = np.full(rent.shape, RENT_STEP), np.zeros(rent.shape)
    vector: np.ndarray | None = None
    for step in range(PASSES):
        scale = _need_scale(shape, base.purchases * length[0], need, additions[0])
        scaled = need * scale
        purchases = _purchases(shape, scaled, additions)
        planned = purchases[0] / length[0]
        at_base = np.ones((*planned.shape[:1], 1, *planned.shape[1:]))
        parameters = base_parameters(
            base,
            shape,
            paths,
            priors,
            grid,
            inputs=mature_tools(base, shape.tools, planned),
            rent=rent_share,
            planned=planned,
            sited=outlays.bought[0] / length[0],
            paid=planned.sum(0) + (outlays.paid[0] + tools_abroad(shape, outlays.abroad[0], at_base)) / length[0],
            sigma=sigma,
            elasticity=elasticity,
        )
        if closure == "balanced":
            parameters = eqx.tree_at(lambda p: p.endowment.deficit, parameters, np.zeros_like(parameters.endowment.deficit))
        parameters = shifts.apply(shape, parameters)
        given = _given(shape, paths, priors, len(grid))
        nothing = np.zeros(purchases.shape)
        plan = Plan(rent, purchases[:, :, None, :], nothing, nothing[:, 0], outlays)
        lane = Lane(parameters, barriers, plan, given)
        solved = _solve(shape, lane, vector, grid)
        vector = solved.vector
        outcome = outcomes(shape, lane, vector)
        use = np.asarray(outcome.output[:, list(rows), list(columns)])
        shifts.update(use, paths.utilisation)
        capacity, new, pressure = _capacity(use, paths.utilisation, depreciation, lags)
        change = np.abs(new - additions).max() / max(np.abs(new).max(), 1.0)
        rent_step = np.clip(rent_step * np.where(pressure * last < 0, 0.5, 1.5), LEAST_STEP, LARGEST_STEP)
        before, last, rent = rent, pressure, np.clip(rent + rent_step * pressure, 0.0, full_rent)
        moved = np.abs(rent - before).max()
        additions = new
        worth = np.einsum("gts,sg->tg", value, rent)
        tool_cost = np.einsum("gk,tkg->tg", scaled, outcome.buying.mean[:, :, list(columns)])
        slope = steepness * np.maximum(worth, LEAST_RENT * value.sum(2).T) / np.maximum(additions, 0.05 * depreciation * capacity)
        site_cost = worth - tool_cost - slope * additions
        sites = Sites(site_cost, slope, np.zeros(slope.shape), np.ones((*slope.shape, 1)))
        spent, outlays = outlays, sites.outlays(shape, scaled, additions[..., None])
        moved = max(moved, *(_change(old, new) for old, new in zip(spent, outlays, strict=True)))
        if progress:
            progress("reference path", 1 - min(1.0, max(0.0, np.log10(max(change, 1e-13)) + 12) / 12))
        if change < 1e-12 and moved < 1e-10 and step > 1:
            break
    else:
        raise UnsolvedError(f"the reference path does not settle: additions still move by {change:.1e} of the largest")

    calibrated = _with_tastes(shape, parameters, outcome, lane)
    if closure == "proportional":
        own = np.asarray(outcome.income.own())
        ratio = 1 + np.asarray(outcome.income.deficit) / own
        calibrated = eqx.tree_at(lambda p: p.endowment.ratio, calibrated, ratio)
    return Economy(
        structure=shape,
        periods=grid,
        reported=reported,
        lags=tuple(int(x) for x in lags),
        parameters=calibrated,
        capacity=Capacity(
            reference=capacity,
            rent=rent,
            additions=additions,
            site_cost=site_cost,
            slope=slope,
            tool_need=scaled,
            depreciation=depreciation,
            discount=np.asarray(discount),
            stock_loss=np.asarray(1 - (1 - priors["stock_loss"]) ** length[0]),
            stock_mismatch=np.asarray(priors["stock_mismatch"]),
        ),
        reference_state=vector,
        grades=priors.grades(),
        learning=_learning(shape, outcome, priors, float(length[0])),
    )


def _learning(shape: Structure, outcome: Outcome, priors: Priors, length: float) -> Learning:
    """Experience on the reference path: `experience` years of the first period's, before it begins."""
    quantity = np.asarray(outcome.flows.quantity)
    rows, columns = node_matrix(shape)
    learns = np.zeros(quantity.shape[1:3], bool)
    learns[rows, columns] = True
    abroad = np.where(learns, np.einsum("tkij,ij->tkj", quantity, 1 - np.eye(len(shape.regions))), 0.0)
    made, weight = np.where(learns, quantity.sum(3), 0.0), priors["learning_abroad"]
    before = priors["experience"] / length * (made[0] + weight * abroad[0])
    return Learning(made, abroad, before, -np.log2(1 - priors["learning"]), weight, priors["fleet_life"])


def _nothing(shape: Structure, count: int) -> Outlays:
    nodes = len(shape.nodes)
    zero = np.zeros((count, nodes))
    sites = Sites(zero, zero + 1, zero, np.ones((count, nodes, 1)))
    return sites.outlays(shape, np.zeros((nodes, len(shape.products))), zero[..., None])


def _change(old: np.ndarray, new: np.ndarray) -> float:
    """Largest change, as a share of the largest figure."""
    return float(np.abs(new - old).max(initial=0.0) / max(np.abs(new).max(initial=0.0), 1.0))


def _tool_needs(tables: BaselineTables, shape: Structure) -> np.ndarray:
    """Tool composites per unit of yearly capacity, ``[node, product]``."""
    need = np.zeros((len(shape.nodes), len(shape.products)))
    for product, region, tool, value in tables.tool_needs.select(
        "product", "region", "tool", "musd_per_musd"
    ).iter_rows():
        if (product, region) in shape.nodes:
            need[shape.nodes.index((product, region)), shape.position(tool)] = value
    return need


def _need_scale(shape: Structure, bought: np.ndarray, need: np.ndarray, additions: np.ndarray) -> np.ndarray:
    """Factor on each node's needs that fits planned purchases to what its region bought in the base year.

    Advanced builders take at most `TOOL_CEILING` of a tool; builders of mature capacity, where planned, take all they leave.
    """
    mature = np.array([product in MATURE for product, _ in shape.nodes])
    wanted, left_to = (_purchases(shape, need, np.where(of, additions, 0.0)[None])[0] for of in (~mature, mature))
    room = np.divide(TOOL_CEILING * bought, wanted, out=np.full_like(bought, np.inf), where=wanted > 0)
    limit = np.minimum(1.0, room)
    rest = np.divide(bought - limit * wanted, left_to, out=np.ones_like(bought), where=left_to > 0)
    columns = list(node_matrix(shape)[1])
    return np.where(mature[:, None], rest[:, columns].T, limit[:, columns].T)


def _purchases(shape: Structure, need: np.ndarray, additions: np.ndarray) -> np.ndarray:
    """Tool composites bought, ``[period, product, region]``."""
    _, columns = node_matrix(shape)
    out = np.zeros((additions.shape[0], len(shape.products), len(shape.regions)))
    for node, column in enumerate(columns):
        out[:, :, column] += additions[:, node, None] * need[node]
    return out


def _given(shape: Structure, paths: Paths, priors: Priors, count: int) -> GivenQuantities:
    nest = tree(shape)
    tier = paths.leaf @ nest.tier
    share = np.divide(paths.leaf, tier @ nest.tier.T, out=np.zeros_like(paths.leaf), where=paths.leaf > 0)
    user = nest.family @ nest.ownership @ nest.user
    return GivenQuantities(
        tier=tier,
        reference=(paths.leaf > 0).astype(float),
        mean=share[:, :, None] * nest.tier,
        user=np.broadcast_to(user, (count, *user.shape)),
        sigma_route=np.full(count, priors["sigma_route"]),
        sigma_tier=np.full(count, priors["sigma_tier"]),
        sigma_family=np.full(count, priors["sigma_family"]),
        sigma_remote=np.full(count, priors["sigma_remote"]),
        sigma_coverage=np.full(count, priors["sigma_coverage"]),
    )


def _solve(shape: Structure, lane: Lane, vector: np.ndarray | None, grid: tuple[Period, ...]) -> Equilibrium:
    if vector is None:
        with jax.enable_x64(True):
            vector = np.asarray(first_guess(shape, lane.parameters, lane.barriers))
    solved = solve(shape, lane, vector, tolerance=1e-12)
    if not solved.converged.all():
        late = [grid[t].label for t in np.flatnonzero(~solved.converged)]
        worst = solved.residual.max()
        if worst > 1e-10:
            raise UnsolvedError(f"the markets of the reference path do not converge in {', '.join(late)} ({worst:.1e})")
    return solved


def _capacity(
    use: np.ndarray, utilisation: np.ndarray, depreciation: np.ndarray, lags: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Capacity path, additions by the period they are decided in, and the log of wanted over inherited capacity.

    Where that log is negative, capacity cannot fall as fast as use: its rent is below the table's, so that it is used.
    """
    wanted = use / utilisation
    capacity = wanted.copy()
    for t in range(1, len(use)):
        capacity[t] = np.maximum(wanted[t], (1 - depreciation) * capacity[t - 1])
    pressure = np.zeros_like(use)
    pressure[1:] = np.log(wanted[1:] / ((1 - depreciation) * capacity[:-1]))
    additions = np.zeros_like(use)
    for node, lag in enumerate(lags):
        built = capacity[1:, node] - (1 - depreciation[node]) * capacity[:-1, node]
        decided = built[lag:]
        additions[: len(decided), node] = decided
        additions[len(decided) :, node] = depreciation[node] * capacity[-1, node]
    return capacity, np.maximum(additions, 0.0), pressure


@partial(jax.vmap, in_axes=(None, 0, 0, 0))
def _inverted(shape: Structure, parameters: Parameters, outcome: Outcome, given: GivenQuantities) -> Parameters:
    services = outcome.buying.mean[shape.position("services")]
    accelerators = given.tastes(shape, parameters, outcome.delivered.leaf / (legs(shape).user @ services))
    preferences = parameters.preferences
    bundle, _ = goods_bundle(shape, preferences, outcome.buying.mean)
    spending = outcome.compute_price * outcome.absorption.compute
    goods = outcome.state.absorption - spending
    taste = spending / goods * (bundle / outcome.compute_price) ** (1 - preferences.compute_elasticity)
    rivalry = given.sigma_coverage / (outcome.buying.mean / services)
    preferences = eqx.tree_at(lambda p: (p.compute_taste, p.rivalry), preferences, (taste, rivalry))
    return eqx.tree_at(lambda p: (p.accelerators, p.preferences), parameters, (accelerators, preferences))


def _with_tastes(shape: Structure, parameters: Parameters, outcome: Outcome, lane: Lane) -> Parameters:
    """Invert the tastes that make users choose the reference quantities at the solved prices."""
    given = parameters, outcome, lane.demand
    return program(_inverted, (shape,), *given)(*given)

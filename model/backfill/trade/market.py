"""One market: from its unknowns to their new values and everything that follows (sections 3 to 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Parameters, Structure
from backfill.trade.barriers import Barriers
from backfill.trade.builders import Builders
from backfill.trade.buyers import Buyers, buyers
from backfill.trade.delivery import Delivered, Handling, deliver, handle, legs
from backfill.trade.demand import Absorption, ComputeDemand, Flows, absorb_goods, goods_bundle
from backfill.trade.factors import Factors, duty_paid, limited, tariffs
from backfill.trade.income import Income, closed, owner_matrix
from backfill.trade.limits import Counted, Use, rent_step, use_of_limits
from backfill.trade.logs import log
from backfill.trade.prices import Buying, stack_prices
from backfill.trade.ranges import Range, Traded
from backfill.trade.sites import Outlays, tools_abroad
from backfill.trade.state import State, pack, unpack

WAGE_STEP = 0.5
RESPONSE = 30.0
SWEEPS, NO_SWEEPS = 3, 0


class Plan(eqx.Module):
    """What suppliers decide and the markets take as given (section 7, price form).

    Attributes:
        rent: rent per unit of output of each planned capacity.
        purchases: tool composites bought for investment by each class of buyers.
        stock: other goods bought for stock, less those that stocks take the place of.
        compute_stock: the same of compute, thousand H100e.
        outlays: on additions to capacity beside tools; None where nothing is built.
    """

    rent: Float[Array, "*lane node"]
    purchases: Float[Array, "*lane product class region"]
    stock: Float[Array, "*lane product region"]
    compute_stock: Float[Array, "*lane region"]
    outlays: Outlays | None = None


class Outcome(NamedTuple):
    """Everything a market implies at given unknowns."""

    buying: Buying
    delivered: Delivered
    handling: Handling
    flows: Flows
    absorption: Absorption
    income: Income
    leaf: Float[Array, " leaf"]
    output: Float[Array, "product region"]
    maker_output: Float[Array, " maker"]
    compute_price: Float[Array, " region"]
    compute_value: Float[Array, " region"]
    used: Float[Array, "product region"]
    limit_use: Float[Array, " limit"]
    limit_room: Float[Array, " limit"]
    labour_use: Float[Array, " region"]
    state: State


def node_matrix(structure: Structure) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Array positions (product, region) of the planned capacities."""
    return (
        tuple(structure.position(p) for p, _ in structure.nodes),
        tuple(structure.region(r) for _, r in structure.nodes),
    )


def market(
    structure: Structure,
    parameters: Parameters,
    barriers: Barriers,
    plan: Plan,
    demand: ComputeDemand,
    vector: Float[Array, " unknown"],
    walls: Factors | None = None,
    groups: tuple[Buyers, ...] | None = None,
    builders: Builders | None = None,
    sweeps: int = SWEEPS,
) -> tuple[Float[Array, " unknown"], Outcome]:
    """Evaluate a market at ``vector``; see `market_at`."""
    given = (parameters, barriers, plan, demand, unpack(structure, vector), walls, groups, builders)
    return market_at(structure, sweeps, *given)


@partial(jax.jit, static_argnums=(0, 1), inline=True)
def market_at(
    structure: Structure,
    sweeps: int,
    parameters: Parameters,
    barriers: Barriers,
    plan: Plan,
    demand: ComputeDemand,
    state: State,
    walls: Factors | None = None,
    groups: tuple[Buyers, ...] | None = None,
    builders: Builders | None = None,
) -> tuple[Float[Array, " unknown"], Outcome]:
    """Evaluate a market at a state: the fixed-point map and what follows from it.

    Prices run from suppliers to users, quantities back from users to suppliers; incomes close the circle. At the solution
    the returned vector equals that of the given state.

    Args:
        sweeps: how often core goods' sales and the inputs bought for them are brought in line within an evaluation. Solutions
            do not depend on it.
        walls: wedges computed beforehand, see `backfill.trade.factors.factors`.
        groups: buyers computed beforehand, see `backfill.trade.buyers.buyers`.
        builders: those who buy tools at what they cost here, besides what is planned.
    """
    production, preferences, accelerators = parameters.production, parameters.preferences, parameters.accelerators
    productivity = production.productivity * barriers.productivity
    production = eqx.tree_at(lambda p: p.productivity, production, productivity)
    n, core, regions = len(structure.products), structure.core, len(structure.regions)
    rows, columns = node_matrix(structure)
    rent = jnp.zeros((n, regions)).at[rows, columns].set(plan.rent) if rows else jnp.zeros((n, regions))
    groups = groups or buyers(structure, barriers, plan.purchases)
    if walls is None:
        walls = Factors(jnp.zeros(()), jnp.zeros(()), (None,) * len(structure.ranges))
    counted = walls.limited
    if state.limit_rent.shape[0] or counted:
        who = [group.columns for group in groups]
        walls = limited(structure, parameters, barriers, walls, who, state.limit_rent)
    tables = [table for table in walls.goods if table is not None]
    buying, input_weight = stack_prices(
        structure, production, tables, groups, preferences.sigma, preferences.rivalry, state.wage, state.core_mill, rent
    )
    if builders is not None:
        added = builders.additions(structure, buying.by_class)
        groups = builders.purchases(structure, added, groups)
        plan = eqx.tree_at(lambda p: p.outlays, plan, builders.outlays(structure, added), is_leaf=lambda x: x is None)
    ranges = [
        Range(buying.mill[rows], *parts)
        for rows, *parts in zip(structure.ranges, buying.composites, tables, groups, strict=True)
    ]
    composite = buying.mean
    services = composite[structure.position("services")] if structure.makers else jnp.ones(regions)
    delivered = deliver(
        structure,
        accelerators,
        parameters.diversion,
        composite,
        buying.mill,
        state.wage,
        walls.makers,
        state.congestion,
        barriers.enforcement,
        barriers.detection,
    )

    leg = legs(structure)
    bundle, unit = goods_bundle(structure, preferences, composite)
    if structure.makers:
        unit_value, by_leaf = demand.acquire(structure, accelerators, delivered.leaf / (leg.user @ services), barriers)
        compute_price = unit_value * services + (preferences.compute_inputs[:, None] * composite).sum(0)
        absorption = demand.absorb(preferences, state.absorption, bundle, unit, compute_price)
        leaf = by_leaf(absorption.compute + plan.compute_stock)
    else:
        unit_value = compute_price = jnp.zeros(regions)
        absorption, leaf = absorb_goods(state.absorption, bundle, unit), jnp.zeros(0)
    handling = handle(structure, parameters.diversion, delivered, leaf)
    maker_output = handling.deliveries.sum(1)
    maker_fob = delivered.mill[:, None] * (1 + walls.makers_exporter) * handling.deliveries
    maker_real = barriers.maker_real_cost * maker_fob
    acquired = absorption.compute + plan.compute_stock
    adapting = unit_value * services * acquired - leg.user.T @ (leaf * delivered.leaf)
    outlay = barriers.outlay * services
    spent_on_services = adapting + handling.services + leg.origin.T @ maker_real.sum(1) + outlay
    built = jnp.zeros(regions)
    if plan.outlays is not None:
        spent_on_services = spent_on_services + plan.outlays.bought
        built = plan.outlays.paid + tools_abroad(structure, plan.outlays.abroad, buying.by_class)

    relative = buying.cost[:core]
    elasticity = production.elasticity[:, None]
    core_scale = jnp.exp(elasticity * log(relative)) * production.cost[:core] / production.productivity[:core]
    bought = absorption.goods + preferences.compute_inputs[:, None] * absorption.compute
    bought = bought + (accelerators.bill * maker_output) @ leg.origin

    def core_inputs(output: Array) -> Array:
        return jnp.einsum("ksr,kr->sr", input_weight, core_scale * output) / composite

    bought = bought + core_inputs(state.core_output)
    at_home = (accelerators.home_bill * maker_output) @ leg.origin
    parts: list[Traded] = []
    outputs: list[Array] = []
    used: list[Array] = []
    for level, mine in zip(reversed(structure.ranges[1:]), reversed(ranges[1:]), strict=True):
        used.append(bought[level])
        part = mine.traded(bought[level] + plan.stock[level])
        output = part.output + at_home[level]
        scale = output * production.cost[level] / production.productivity[level]
        before = slice(level.start)
        bought = jnp.asarray(bought).at[before].add(jnp.einsum("skr,kr->sr", production.inputs[before, level], scale))
        spent_on_services = spent_on_services + part.services
        parts.append(part)
        outputs.append(output)
    spent_on_services = spent_on_services + state.freight * state.absorption
    loop = structure.ranges[0]
    bought = bought[loop] + _services_bundle(structure, composite, unit, bundle)[loop] * spent_on_services
    total = bought
    for _ in range(sweeps):
        sold = ranges[0].output(ranges[0].weight(total)) + at_home[loop]
        total = bought + core_inputs(sold - state.core_output)[loop]
    part = ranges[0].traded(total)
    parts.append(part)
    outputs.append(part.output + at_home[loop])
    used.append(total)
    freight = part.services
    output = jnp.concatenate(outputs[::-1])

    labour_bill = (
        (core_scale * outputs[-1] * production.labour[:core] * jnp.exp((1 - elasticity) * log(state.wage))).sum(0)
        + (output[core:] * (production.cost * production.labour / production.productivity)[core:]).sum(0) * state.wage
        + (maker_output * accelerators.labour) @ leg.origin * state.wage
    )
    weights = [part.weight for part in parts[::-1]]
    domestic = at_home[:, :, None] * jnp.eye(regions)

    def quantity(places: Sequence[int]) -> Array:
        sold = [ranges[n].by_region(tables[n].quantity, weights[n]) / ranges[n].mill[:, :, None] for n in places]
        return jnp.concatenate(sold) + domestic[_rows(structure, places)]

    spent = [mine.by_region(mine.table.value, weight) for mine, weight in zip(ranges, weights, strict=True)]
    flows = Flows(jnp.concatenate(spent) + domestic * buying.mill[:, :, None], quantity(range(len(ranges))))
    maker_cif = maker_fob * (1 + barriers.maker_levy + barriers.maker_real_cost)
    _, maker_tariff = tariffs(parameters, barriers)
    limits = Use(state.limit_rent, state.limit_rent, jnp.zeros(regions))
    if state.limit_rent.shape[0]:
        limits = use_of_limits(
            barriers,
            state.limit_rent,
            _counted(structure, counted, quantity, buying.mill) if counted else None,
            handling.deliveries,
            delivered.mill,
            duty_paid(parameters, barriers),
        )
    world_labour = parameters.endowment.labour.sum()
    invested = [mine.at_home(mine.buyers.purchases * mine.prices.by_column).sum(0) for mine in ranges]
    income = Income(
        labour=state.wage * parameters.endowment.labour,
        profits=(production.margin * output).sum(0) * state.wage
        + (maker_output * accelerators.margin) @ leg.origin * state.wage,
        capacity_rents=(plan.rent * output[rows, columns]) @ owner_matrix(structure) if rows else jnp.zeros(regions),
        limit_rents=limits.rents,
        tariff_revenue=sum(p.tariff_revenue for p in parts) + (maker_tariff * maker_cif).sum(0),
        levy_revenue=sum(p.levy_revenue for p in parts) + leg.origin.T @ (barriers.maker_levy * maker_fob).sum(1),
        fines=handling.fines,
        hub_rents=handling.hub_rents,
        deficit=jnp.zeros(regions),
        outlay=outlay,
        investment=sum(invested)
        + (plan.stock * composite).sum(0)
        + plan.compute_stock * unit_value * services
        + built,
    )
    income = closed(income, parameters.endowment)

    wage = state.wage * jnp.exp(WAGE_STEP * log(labour_bill / income.labour))
    wage = wage * world_labour / (wage * parameters.endowment.labour).sum()
    core_mill = (
        production.cost[:core] * relative / production.productivity[:core]
        + production.margin[:core] * state.wage
        + rent[:core]
    )
    stiffness = 1 + RESPONSE * parameters.diversion.slope * parameters.diversion.convexity * state.congestion
    congestion = state.congestion + (handling.congestion - state.congestion) / stiffness
    limit_rent = rent_step(barriers, state.limit_rent, limits) if state.limit_rent.shape[0] else state.limit_rent
    follow = wage / state.wage
    new = State(
        wage,
        core_mill * follow,
        outputs[-1],
        income.absorption() * follow,
        freight / state.absorption,
        congestion,
        limit_rent,
    )
    outcome = Outcome(
        buying,
        delivered,
        handling,
        flows,
        absorption,
        income,
        leaf,
        output,
        maker_output,
        compute_price,
        unit_value * services,
        jnp.concatenate(used[::-1]),
        limits.need,
        limits.room,
        labour_bill / state.wage,
        state,
    )
    return pack(new), outcome


def _rows(structure: Structure, places: Sequence[int]) -> np.ndarray:
    """Products of some ranges."""
    return np.concatenate([np.arange(len(structure.products))[structure.ranges[n]] for n in places])


def _counted(
    structure: Structure, places: Sequence[int], quantity: Callable[[Sequence[int]], Array], mill: Array
) -> Counted:
    """Flows of the products of some ranges."""
    rows = _rows(structure, places)
    return Counted(rows, quantity(places), mill[rows])


def _services_bundle(structure: Structure, composite: Array, unit: Array, bundle: Array) -> Array:
    """Composites bought per unit of value spent on services; the final bundle in economies without services."""
    if "services" not in structure.products:
        return unit / bundle
    at = structure.position("services")
    return jnp.zeros_like(composite).at[at].set(1 / composite[at])

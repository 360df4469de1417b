"""One market: from its unknowns to their new values and everything that follows (sections 3 to 5)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Parameters, Structure
from backfill.trade.barriers import Barriers
from backfill.trade.delivery import Delivered, Handling, deliver, handle, legs
from backfill.trade.demand import Absorption, ComputeDemand, Flows, flows, goods_bundle
from backfill.trade.prices import Buying, core_cost, route_multiple, stack_prices
from backfill.trade.state import State, pack, unpack

WAGE_STEP = 0.5
RENT_STEP = 0.15


class Plan(eqx.Module):
    """What suppliers decide and the markets take as given (section 7, price form).

    Attributes:
        rent: rent per unit of output of each planned capacity.
        purchases: tool composites bought for investment by each class of buyers.
    """

    rent: Float[Array, "*lane node"]
    purchases: Float[Array, "*lane product class region"]


class Wedge(NamedTuple):
    """Buyer price over mill price with the rents of limits, those rents as shares of the mill price, and what follows.

    Attributes:
        goods, makers: buyer price over mill price.
        goods_exporter, makers_exporter: exporters' rents as shares of the mill price.
        weight: Armington weights at these wedges, open routes only.
    """

    goods: Array
    makers: Array
    goods_exporter: Array
    makers_exporter: Array
    weight: Float[Array, "product class origin destination"]


class Income(NamedTuple):
    """Incomes and outlays of each region, million USD."""

    labour: Float[Array, " region"]
    profits: Float[Array, " region"]
    capacity_rents: Float[Array, " region"]
    limit_rents: Float[Array, " region"]
    tariff_revenue: Float[Array, " region"]
    levy_revenue: Float[Array, " region"]
    fines: Float[Array, " region"]
    hub_rents: Float[Array, " region"]
    deficit: Float[Array, " region"]
    investment: Float[Array, " region"]

    def absorption(self) -> Float[Array, " region"]:
        """What is left for final absorption: all incomes and the deficit, less investment."""
        return sum(self[:-1], start=-self.investment)


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
    limit_use: Float[Array, " limit"]
    labour_use: Float[Array, " region"]
    state: State


def wedge(parameters: Parameters, barriers: Barriers, rent: Float[Array, " limit"]) -> Wedge:
    """Wedges at given rents of limits. Without limits they do not change while a market is solved."""
    goods_tariff, maker_tariff = _tariffs(parameters, barriers)
    goods_out = makers_out = goods_in = makers_in = jnp.zeros(())
    if rent.shape[0]:
        out, into = rent * barriers.limit_exporter, rent * (1 - barriers.limit_exporter)
        goods_out, makers_out = jnp.tensordot(out, barriers.limit_flow, 1), jnp.tensordot(out, barriers.limit_maker, 1)
        goods_in, makers_in = jnp.tensordot(into, barriers.limit_flow, 1), jnp.tensordot(into, barriers.limit_maker, 1)
    goods = route_multiple(goods_tariff, barriers.levy, barriers.real_cost, goods_out, goods_in)
    makers = route_multiple(maker_tariff, barriers.maker_levy, barriers.maker_real_cost, makers_out, makers_in)
    sigma = parameters.preferences.sigma[:, None, None]
    weight = parameters.preferences.weight * jnp.exp((1 - sigma) * jnp.log(goods))
    return Wedge(goods, makers, goods_out, makers_out, weight[:, None] * barriers.open)


def _tariffs(parameters: Parameters, barriers: Barriers) -> tuple[Array, Array]:
    """Tariffs in force on goods and accelerators: the policy's on top of the base year's."""
    return (
        (1 + parameters.preferences.tariff) * (1 + barriers.tariff) - 1,
        (1 + parameters.accelerators.tariff) * (1 + barriers.maker_tariff) - 1,
    )


def node_matrix(structure: Structure) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Array positions (product, region) of the planned capacities."""
    return (
        tuple(structure.position(p) for p, _ in structure.nodes),
        tuple(structure.region(r) for _, r in structure.nodes),
    )


@partial(jax.jit, static_argnums=0, inline=True)
def market(
    structure: Structure,
    parameters: Parameters,
    barriers: Barriers,
    plan: Plan,
    demand: ComputeDemand,
    vector: Float[Array, " unknown"],
    fixed: Wedge | None = None,
) -> tuple[Float[Array, " unknown"], Outcome]:
    """Evaluate a market at ``vector`` (see `State`): the fixed-point map and what follows from it.

    Prices run from suppliers to users, quantities back from users to suppliers; incomes close the circle. At the solution
    the returned vector equals the given one.

    Args:
        fixed: wedges computed beforehand, for economies without quantity limits.
    """
    state = unpack(structure, vector)
    production, preferences, accelerators = parameters.production, parameters.preferences, parameters.accelerators
    services = structure.position("services")
    n, core = len(structure.products), structure.core
    rows, columns = node_matrix(structure)
    rent = jnp.zeros((n, len(structure.regions))).at[rows, columns].set(plan.rent)

    walls = wedge(parameters, barriers, state.limit_rent) if fixed is None else fixed
    weight = walls.weight
    buying = stack_prices(
        structure, production, barriers, weight, preferences.sigma, preferences.rivalry, state.wage, state.core_mill, rent
    )
    composite = buying.mean
    delivered = deliver(
        structure, accelerators, parameters.diversion, composite, buying.mill, state.wage, walls.makers, state.congestion,
        barriers.enforcement,
    )

    leg = legs(structure)
    unit_value, by_leaf = demand.acquire(
        structure, accelerators, delivered.leaf / (leg.user @ composite[services]), barriers
    )
    compute_price = unit_value * composite[services] + (preferences.compute_inputs[:, None] * composite).sum(0)
    bundle, unit = goods_bundle(preferences, composite)
    absorption = demand.absorb(preferences, state.absorption, bundle, unit, compute_price)
    leaf = by_leaf(absorption.compute)
    handling = handle(structure, parameters.diversion, delivered, leaf)
    maker_output = handling.deliveries.sum(1)

    maker_fob = delivered.mill[:, None] * (1 + walls.makers_exporter) * handling.deliveries
    maker_real = barriers.maker_real_cost * maker_fob
    adapting = unit_value * composite[services] * absorption.compute - leg.user.T @ (leaf * delivered.leaf)
    services_bought = (adapting + handling.services + leg.origin.T @ maker_real.sum(1)) / composite[services]

    bought = absorption.goods + preferences.compute_inputs[:, None] * absorption.compute
    bought = bought + (accelerators.bill * maker_output) @ leg.origin
    relative, power = core_cost(production, state.wage, composite, core)
    elasticity = production.elasticity[:, None]
    core_need = (relative**elasticity * production.cost[:core] / production.productivity[:core])[:, None] * (
        jnp.swapaxes(production.inputs[:, :core], 0, 1) * power / composite
    )
    bought = bought + (core_need * state.core_output[:, None]).sum(0)
    bought = bought.at[services].add(services_bought)

    at_home = (accelerators.home_bill * maker_output) @ leg.origin
    values, quantities, outputs = [], [], []
    stack_freight = freight = jnp.zeros(len(structure.regions))
    ranges = [*reversed(structure.levels), (0, core)]
    for first, last in ranges:
        rows_ = slice(first, last)
        if first == 0:
            bought = bought.at[services].add((stack_freight + state.freight * state.absorption) / composite[services])
        relative_price = buying.by_class[rows_] / composite[rows_][:, None, :]
        chosen = barriers.share[rows_] * jnp.exp(-preferences.rivalry * jnp.log(relative_price))
        by_class = chosen * bought[rows_][:, None, :] + plan.purchases[rows_]
        part = flows(buying, weight, preferences.sigma, walls.goods, by_class, rows_)
        if first == 0:
            sourcing = part.quantity / bought[:core, None, :]
            total = _settle(sourcing, bought[:core], core_need[:, :core], state.core_output)
            part = Flows(part.value * (total / bought[:core])[:, None, :], sourcing * total[:, None, :])
            freight = (_real_cost(barriers, walls, buying, rows_) * part.quantity).sum((0, 2))
        output = part.quantity.sum(2) + at_home[rows_]
        if first:
            stack_freight = stack_freight + (_real_cost(barriers, walls, buying, rows_) * part.quantity).sum((0, 2))
            scale = output * production.cost[rows_] / production.productivity[rows_]
            bought = bought.at[:first].add((production.inputs[:first, rows_] * scale[None]).sum(1))
        values.append(part.value)
        quantities.append(part.quantity)
        outputs.append(output)
    domestic = at_home[:, :, None] * jnp.eye(len(structure.regions))
    trade = Flows(
        jnp.concatenate(values[::-1]) + domestic * buying.mill[:, :, None],
        jnp.concatenate(quantities[::-1]) + domestic,
    )
    output = jnp.concatenate(outputs[::-1])

    core_scale = output[:core] * production.cost[:core] / production.productivity[:core] * relative**elasticity
    labour_bill = (
        (core_scale * production.labour[:core] * jnp.exp((1 - elasticity) * jnp.log(state.wage))).sum(0)
        + (output[core:] * (production.cost * production.labour / production.productivity)[core:]).sum(0) * state.wage
        + (maker_output * accelerators.labour) @ leg.origin * state.wage
    )
    fob = trade.quantity * buying.mill[:, :, None] * (1 + walls.goods_exporter)
    cif = fob * (1 + barriers.levy + barriers.real_cost)
    maker_cif = maker_fob * (1 + barriers.maker_levy + barriers.maker_real_cost)
    goods_tariff, maker_tariff = _tariffs(parameters, barriers)
    limit_use, limit_rents = _limits(barriers, state.limit_rent, trade, buying, handling, delivered)
    owners = _owner_matrix(structure)
    world_labour = parameters.endowment.labour.sum()
    income = Income(
        labour=state.wage * parameters.endowment.labour,
        profits=(production.margin * output).sum(0) * state.wage
        + (maker_output * accelerators.margin) @ leg.origin * state.wage,
        capacity_rents=(plan.rent * output[rows, columns]) @ owners,
        limit_rents=limit_rents,
        tariff_revenue=(goods_tariff * cif).sum((0, 1)) + (maker_tariff * maker_cif).sum(0),
        levy_revenue=(barriers.levy * fob).sum((0, 2)) + leg.origin.T @ (barriers.maker_levy * maker_fob).sum(1),
        fines=handling.fines,
        hub_rents=handling.hub_rents,
        deficit=parameters.endowment.deficit * world_labour,
        investment=(buying.by_class * plan.purchases).sum((0, 1)),
    )

    wage = state.wage * jnp.exp(WAGE_STEP * jnp.log(labour_bill / income.labour))
    wage = wage * world_labour / (wage * parameters.endowment.labour).sum()
    core_mill = (
        production.cost[:core] * relative / production.productivity[:core]
        + production.margin[:core] * state.wage
        + rent[:core]
    )
    stiffness = 1 + RESPONSE * parameters.diversion.slope * parameters.diversion.convexity * state.congestion
    congestion = state.congestion + (handling.congestion - state.congestion) / stiffness
    slack = jnp.isinf(barriers.limit_quantity)
    pressure = jnp.log(jnp.maximum(limit_use, 1e-300) / jnp.where(slack, 1.0, barriers.limit_quantity))
    pressure = jnp.where(slack, -1.0, jnp.clip(pressure, -6.0, 6.0))
    limit_rent = jnp.maximum(0.0, (1 + state.limit_rent) * jnp.exp(RENT_STEP * pressure) - 1)
    follow = wage / state.wage
    new = State(
        wage, core_mill * follow, output[:core], income.absorption() * follow, freight / state.absorption, congestion,
        limit_rent,
    )
    outcome = Outcome(
        buying, delivered, handling, trade, absorption, income, leaf, output, maker_output, compute_price,
        unit_value * composite[services], limit_use, labour_bill / state.wage, state,
    )
    return pack(new), outcome


RESPONSE = 30.0
SWEEPS = 3


def _settle(sourcing: Array, bought: Array, need: Array, output: Array) -> Array:
    """Core composites bought after a few sweeps of the input-output loop, ``B <- B0 + A (S B - Y0)``.

    Args:
        sourcing: ``S``, units from each origin per composite.
        bought: ``B0``, composites bought at outputs ``Y0``.
        need: ``A``, composites per unit of output.
        output: ``Y0``.
    """
    total = bought
    for _ in range(SWEEPS):
        total = bought + (need * ((sourcing * total[:, None, :]).sum(2) - output)[:, None]).sum(0)
    return total


def _real_cost(barriers: Barriers, walls: Wedge, buying: Buying, rows: slice) -> Array:
    """Real trade cost of a unit shipped, a share of its FOB value."""
    return barriers.real_cost[rows] * (1 + _part(walls.goods_exporter, rows)) * buying.mill[rows, :, None]


def _part(values: Array, rows: slice) -> Array:
    return values if values.ndim == 0 else values[rows]


def _owner_matrix(structure: Structure) -> Array:
    owner = jnp.array([structure.region(code) for code in structure.owners], int)
    return jnp.eye(len(structure.regions))[owner]


def _limits(
    barriers: Barriers, rent: Array, trade: Flows, buying: Buying, handling: Handling, delivered: Delivered
) -> tuple[Array, Array]:
    if rent.shape[0] == 0:
        return rent, jnp.zeros(buying.mean.shape[1])
    use = (barriers.limit_flow * trade.quantity).sum((1, 2, 3)) + (barriers.limit_maker * handling.deliveries).sum((1, 2))
    value = (barriers.limit_flow * trade.quantity * buying.mill[:, :, None]).sum((1, 2, 3))
    value = value + (barriers.limit_maker * handling.deliveries * delivered.mill[:, None]).sum((1, 2))
    return use, (rent * value) @ barriers.limit_owner

"""What policy and tastes fix before a market is solved: wedges and weights, factored out of the iterations (section 6).

Buyers of a product are columns: first every region's class with all sources, then one column for each class of a region to
which some source is closed (section 4, "Coverage").
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from backfill.arrays import Array
from backfill.economy.economy import Parameters, Structure
from backfill.trade.barriers import Barriers
from backfill.trade.limits import priced
from backfill.trade.logs import log

ROWS = (0, 1, 2, 4, 8)
"""Numbers of products with limits for which programs are compiled, beside all of them."""

CHEAPEST = -0.9
"""Most that a flow making room for others is made cheaper, as a share of its mill price."""


class Buyers(NamedTuple):
    """Columns of buyers.

    Attributes:
        share: share of the region's buyers in each column.
        home: one-hot region of each further column, ``[product, further, region]``.
        purchases: composites bought for investment in each column.
        slot: one-hot class and region of each further column, ``[product, further, class, region]``.
    """

    share: Float[Array, "product column"]
    home: Float[Array, "product further region"]
    purchases: Float[Array, "product column"]
    slot: Float[Array, "product further class region"]


class Tables(NamedTuple):
    """Weights that turn prices into values, quantities and public revenue.

    A buyer's spending on origin ``i`` is ``W_i p_i^(1-sigma) F`` with ``W = a mu^(1-sigma)`` on open routes and ``mu`` the buyer
    price over the mill price; quantities and revenue are fixed shares of it.

    Attributes:
        value: ``W``.
        quantity: ``W / mu``.
        tariff: ``W`` times the tariff's share of the buyer price.
        levy, real_cost: the same for export levies and real trade costs; None where there are none at all.
    """

    value: Float[Array, "product origin column"]
    quantity: Float[Array, "product origin column"]
    tariff: Float[Array, "product origin column"]
    levy: Float[Array, "product origin column"] | None
    real_cost: Float[Array, "product origin column"] | None

    def at(self, rows: slice) -> Tables:
        """Those of some products."""
        return jax.tree.map(lambda table: table[rows], self)


class Factors(NamedTuple):
    """Wedges at given rents of limits.

    Attributes:
        makers: buyer price over mill price of accelerator lines, rents of limits included.
        makers_exporter: exporters' rents there as shares of the mill price.
        goods: weights of goods.
        rows: products whose weights move with rents (see `limited`); None where none do.
        parts: weights by range of products, see `ranges`, cut beforehand by those who evaluate a market many times.
    """

    makers: Float[Array, "maker destination"]
    makers_exporter: Array
    goods: Tables
    rows: Int[Array, " row"] | None = None
    parts: tuple[Tables, ...] | None = None


class Used(NamedTuple):
    """What occurs at all in a batch; the rest costs nothing.

    Attributes:
        levy, real_cost: wedges on goods.
        limited_goods: most products, in round numbers, that limits of a lane are on, accelerators aside.
    """

    levy: bool = True
    real_cost: bool = True
    limited_goods: int = 0


def used_in(barriers: Barriers) -> Used:
    """What occurs in a batch of lanes."""
    flow = np.asarray(barriers.limit_flow)
    most = int(np.any(flow != 0, axis=(-4, -2, -1)).sum(axis=-1).max(initial=0))
    rows = next((size for size in ROWS if size >= most), flow.shape[-3])
    return Used(bool(np.any(barriers.levy)), bool(np.any(barriers.real_cost)), min(rows, flow.shape[-3]))


def route_multiple(
    tariff: Array, levy: Array, real_cost: Array, exporter_rent: Array | float = 0.0, importer_rent: Array | float = 0.0
) -> Array:
    """Buyer price over mill price: ``((1+x) + delta)(1+rho_e)(1+t) + rho_m``.

    Levy ``x`` and real cost ``delta`` are shares of the FOB value, the tariff ``t`` of the CIF value; rents of limits are
    given as shares of the mill price, on the exporter's (``rho_e``) or the importer's side (``rho_m``).
    """
    return (1 + levy + real_cost) * (1 + exporter_rent) * (1 + tariff) + importer_rent


def tariffs(parameters: Parameters, barriers: Barriers) -> tuple[Array, Array]:
    """Tariffs in force on goods and accelerators: the policy's on top of the base year's."""
    return (
        (1 + parameters.preferences.tariff) * (1 + barriers.tariff) - 1,
        (1 + parameters.accelerators.tariff) * (1 + barriers.maker_tariff) - 1,
    )


def duty_paid(parameters: Parameters, barriers: Barriers) -> tuple[Array, Array]:
    """Duty-paid over mill price of goods and accelerators where no limit binds, ``(1 + x + delta)(1 + t)``."""
    goods, makers = tariffs(parameters, barriers)
    return (
        (1 + barriers.levy + barriers.real_cost) * (1 + goods),
        (1 + barriers.maker_levy + barriers.maker_real_cost) * (1 + makers),
    )


def buyers(barriers: Barriers, purchases: Float[Array, "product class region"]) -> Buyers:
    """Columns of buyers; classes to which every source is open are one with their region's first column."""
    slot = barriers.slot
    return Buyers(in_columns(slot, barriers.share), slot.sum(2), in_columns(slot, purchases), slot)


def in_columns(
    slot: Float[Array, "product further class region"], by_class: Float[Array, "product class region"]
) -> Float[Array, "product column"]:
    """Amounts by class of buyers, by column."""
    first = 1 - slot.sum(1)
    return jnp.concatenate([(by_class * first).sum(1), (slot * by_class[:, None]).sum((2, 3))], axis=1)


def by_columns(
    slot: Float[Array, "product further class region"], sites: Array
) -> Float[Array, "site class product column"]:
    """`in_columns` of one unit that a class of buyers at one of the ``sites`` buys of each product."""
    theirs = jnp.moveaxis(slot[..., sites], (3, 2), (0, 1))
    first = (1 - theirs.sum(3))[..., None] * jnp.eye(slot.shape[-1])[sites][:, None, None]
    return jnp.concatenate([first, theirs], axis=3)


EVERYTHING = Used()


def fixed(parameters: Parameters, barriers: Barriers, used: Used) -> Factors:
    """Factors without rents of limits, for `limited` to renew what these move; nothing else changes while a market is solved."""
    walls = factors(parameters, barriers, None, used)
    if not used.limited_goods:
        return walls
    free = jnp.all(barriers.limit_flow == 0, axis=(0, 2, 3))
    return walls._replace(rows=jnp.argsort(free, stable=True)[: used.limited_goods])


def cut(structure: Structure, walls: Factors) -> Factors:
    """The same with weights by range of products, where rents do not move them."""
    return walls if walls.rows is not None else walls._replace(parts=ranges(structure, walls))


def ranges(structure: Structure, walls: Factors) -> tuple[Tables, ...]:
    """Weights of core products and of each level of the stack."""
    return walls.parts or tuple(walls.goods.at(slice(*ends)) for ends in ((0, structure.core), *structure.levels))


def limited(parameters: Parameters, barriers: Barriers, walls: Factors, rent: Float[Array, " limit"]) -> Factors:
    """Factors at other rents of limits."""
    makers, exporter = _makers(parameters, barriers, rent)
    walls = walls._replace(makers=makers, makers_exporter=exporter)
    if walls.rows is None:
        return walls
    used = Used(walls.goods.levy is not None, walls.goods.real_cost is not None)
    renewed = _goods(parameters, barriers, rent, used, walls.rows)
    goods = jax.tree.map(lambda old, new: jnp.asarray(old).at[walls.rows].set(new), walls.goods, renewed)
    return walls._replace(goods=goods)


def _makers(parameters: Parameters, barriers: Barriers, rent: Array | None) -> tuple[Array, Array]:
    """Buyer over mill price of accelerator lines, and exporters' rents over it."""
    out = into = jnp.zeros(())
    if rent is not None and rent.shape[0]:
        out, into = _rents(barriers, rent, barriers.limit_maker, duty_paid(parameters, barriers)[1])
    _, tariff = tariffs(parameters, barriers)
    return route_multiple(tariff, barriers.maker_levy, barriers.maker_real_cost, out, into), out


def _rents(barriers: Barriers, rent: Array, coefficient: Array, paid: Array) -> tuple[Array, Array]:
    """What rents add to prices over mill prices, on the exporter's and on the importer's side."""
    carried = priced(barriers, coefficient, paid)
    out, into = rent * barriers.limit_exporter, rent * (1 - barriers.limit_exporter)
    return jnp.maximum(jnp.tensordot(out, carried, 1), CHEAPEST), jnp.maximum(jnp.tensordot(into, carried, 1), CHEAPEST)


def factors(
    parameters: Parameters, barriers: Barriers, rent: Float[Array, " limit"] | None, used: Used = EVERYTHING
) -> Factors:
    """Wedges and weights at given rents of limits; without any if None."""
    return Factors(*_makers(parameters, barriers, rent), _goods(parameters, barriers, rent, used, slice(None)))


def _goods(parameters: Parameters, barriers: Barriers, rent: Array | None, used: Used, rows: slice | Array) -> Tables:
    """Weights of the products in ``rows``."""
    preferences, levy, real_cost = parameters.preferences, barriers.levy[rows], barriers.real_cost[rows]
    tariff = (1 + preferences.tariff[rows]) * (1 + barriers.tariff[rows]) - 1
    out = into = jnp.zeros(())
    if rent is not None and rent.shape[0]:
        paid = (1 + levy + real_cost) * (1 + tariff)
        out, into = _rents(barriers, rent, barriers.limit_flow[:, rows], paid)
    goods = route_multiple(tariff, levy, real_cost, out, into)
    sigma = preferences.sigma[rows][:, None, None]
    weight = preferences.weight[rows] * jnp.exp((1 - sigma) * log(goods))
    fob = (1 + out) / goods

    slot = barriers.slot[rows]
    home = slot.sum(2)
    closed = jnp.einsum("kscj,kcij->kis", slot, 1 - barriers.open[rows])

    def columns(table: Array) -> Array:
        if slot.shape[1] == 0:
            return table
        return jnp.concatenate([table, jnp.einsum("kij,ksj->kis", table, home) * (1 - closed)], axis=2)

    return Tables(
        value=columns(weight),
        quantity=columns(weight / goods),
        tariff=columns(weight * tariff * (1 + levy + real_cost) * fob),
        levy=columns(weight * levy * fob) if used.levy else None,
        real_cost=columns(weight * real_cost * fob) if used.real_cost else None,
    )

"""What policy and tastes fix before a market is solved: wedges and weights, factored out of the iterations (section 6).

Buyers of a product are columns: first every region's class with all sources, then one column for each class of a region to
which some source is closed (section 4, "Coverage").
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Parameters
from backfill.trade.barriers import Barriers
from backfill.trade.limits import priced

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


class Factors(NamedTuple):
    """Wedges at given rents of limits, and weights that turn prices into values, quantities and public revenue.

    A buyer's spending on origin ``i`` is ``W_i p_i^(1-sigma) F`` with ``W = a mu^(1-sigma)`` on open routes; quantities and
    revenue are fixed shares of it.

    Attributes:
        goods, makers: buyer price over mill price ``mu``, rents of limits included.
        goods_exporter, makers_exporter: exporters' rents as shares of the mill price.
        value: ``W``.
        quantity: ``W / mu``.
        tariff: ``W`` times the tariff's share of the buyer price.
        levy, real_cost: the same for export levies and real trade costs; None where there are none at all.
    """

    goods: Float[Array, "product origin destination"]
    makers: Float[Array, "maker destination"]
    goods_exporter: Array
    makers_exporter: Array
    value: Float[Array, "product origin column"]
    quantity: Float[Array, "product origin column"]
    tariff: Float[Array, "product origin column"]
    levy: Float[Array, "product origin column"] | None
    real_cost: Float[Array, "product origin column"] | None


class Used(NamedTuple):
    """What occurs at all in a batch; the rest costs nothing.

    Attributes:
        levy, real_cost: wedges on goods.
        limited_goods: limits on goods, not on accelerators alone.
    """

    levy: bool = True
    real_cost: bool = True
    limited_goods: bool = True


def used_in(barriers: Barriers) -> Used:
    """What occurs in a batch of lanes."""
    return Used(
        bool(np.any(barriers.levy)), bool(np.any(barriers.real_cost)), bool(np.any(barriers.limit_flow))
    )


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


def limited(parameters: Parameters, barriers: Barriers, walls: Factors, rent: Float[Array, " limit"]) -> Factors:
    """Factors at other rents of limits, none of which is on goods."""
    makers, exporter = _makers(parameters, barriers, rent)
    return walls._replace(makers=makers, makers_exporter=exporter)


def _makers(parameters: Parameters, barriers: Barriers, rent: Array) -> tuple[Array, Array]:
    """Buyer over mill price of accelerator lines, and exporters' rents over it."""
    out = into = jnp.zeros(())
    if rent.shape[0]:
        out, into = _rents(barriers, rent, barriers.limit_maker, duty_paid(parameters, barriers)[1])
    _, tariff = tariffs(parameters, barriers)
    return route_multiple(tariff, barriers.maker_levy, barriers.maker_real_cost, out, into), out


def _rents(barriers: Barriers, rent: Array, coefficient: Array, paid: Array) -> tuple[Array, Array]:
    """What rents add to prices over mill prices, on the exporter's and on the importer's side."""
    carried = priced(barriers, coefficient, paid)
    out, into = rent * barriers.limit_exporter, rent * (1 - barriers.limit_exporter)
    return jnp.maximum(jnp.tensordot(out, carried, 1), CHEAPEST), jnp.maximum(jnp.tensordot(into, carried, 1), CHEAPEST)


def factors(
    parameters: Parameters, barriers: Barriers, rent: Float[Array, " limit"], used: Used = EVERYTHING
) -> Factors:
    """Wedges and weights at given rents of limits; those of goods do not change while a market without limits on goods is
    solved (see `limited`).
    """
    goods_tariff, _ = tariffs(parameters, barriers)
    goods_out = goods_in = jnp.zeros(())
    if rent.shape[0] and used.limited_goods:
        goods_out, goods_in = _rents(barriers, rent, barriers.limit_flow, duty_paid(parameters, barriers)[0])
    goods = route_multiple(goods_tariff, barriers.levy, barriers.real_cost, goods_out, goods_in)
    makers, makers_out = _makers(parameters, barriers, rent)
    sigma = parameters.preferences.sigma[:, None, None]
    weight = parameters.preferences.weight * jnp.exp((1 - sigma) * jnp.log(goods))
    fob = (1 + goods_out) / goods

    slot = barriers.slot
    home = slot.sum(2)
    closed = jnp.einsum("kscj,kcij->kis", slot, 1 - barriers.open)

    def columns(table: Array) -> Array:
        if slot.shape[1] == 0:
            return table
        return jnp.concatenate([table, jnp.einsum("kij,ksj->kis", table, home) * (1 - closed)], axis=2)

    return Factors(
        goods=goods,
        makers=makers,
        goods_exporter=goods_out,
        makers_exporter=makers_out,
        value=columns(weight),
        quantity=columns(weight / goods),
        tariff=columns(weight * goods_tariff * (1 + barriers.levy + barriers.real_cost) * fob),
        levy=columns(weight * barriers.levy * fob) if used.levy else None,
        real_cost=columns(weight * barriers.real_cost * fob) if used.real_cost else None,
    )

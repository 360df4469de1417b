"""What policy and tastes fix before a market is solved: wedges and weights, factored out of the iterations (section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Parameters, Structure
from backfill.trade.barriers import Barriers
from backfill.trade.buyers import Columns, columns_of
from backfill.trade.limits import priced
from backfill.trade.logs import log

CHEAPEST = -0.9
"""Most that a flow making room for others is made cheaper, as a share of its mill price."""


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


class Factors(NamedTuple):
    """Wedges at given rents of limits.

    Attributes:
        makers: buyer price over mill price of accelerator lines, rents of limits included.
        makers_exporter: exporters' rents there as shares of the mill price.
        goods: weights of goods by range of products; None where they move with rents and are left to `limited`.
    """

    makers: Float[Array, "maker destination"]
    makers_exporter: Array
    goods: tuple[Tables | None, ...]

    @property
    def limited(self) -> tuple[int, ...]:
        """Ranges of products whose weights move with rents."""
        return tuple(n for n, table in enumerate(self.goods) if table is None)


class Used(NamedTuple):
    """What occurs at all in a batch; the rest costs nothing.

    Attributes:
        levy, real_cost: wedges on goods.
        limited: ranges of products that limits are on, accelerators aside.
    """

    levy: bool = True
    real_cost: bool = True
    limited: tuple[int, ...] = ()


def used_in(structure: Structure, barriers: Barriers) -> Used:
    """What occurs in a batch of lanes."""
    flow = np.asarray(barriers.limit_flow)
    limited = tuple(n for n, rows in enumerate(structure.ranges) if np.any(flow[..., rows, :, :]))
    return Used(bool(np.any(barriers.levy)), bool(np.any(barriers.real_cost)), limited)


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


EVERYTHING = Used()


def factors(
    structure: Structure,
    parameters: Parameters,
    barriers: Barriers,
    used: Used = EVERYTHING,
    rent: Float[Array, " limit"] | None = None,
) -> Factors:
    """Wedges and weights at given rents of limits, without any if None; what rents move is left to `limited`.

    Args:
        used: what occurs in the batch, see `used_in`.
    """
    goods = [
        None if n in used.limited else _goods(structure, parameters, barriers, rent, used, n, its)
        for n, its in enumerate(columns_of(structure, barriers))
    ]
    return Factors(*_makers(parameters, barriers, rent), tuple(goods))


def limited(
    structure: Structure,
    parameters: Parameters,
    barriers: Barriers,
    walls: Factors,
    columns: Sequence[Columns],
    rent: Float[Array, " limit"],
) -> Factors:
    """Factors at other rents of limits."""
    known = [table for table in walls.goods if table is not None]
    used = Used(all(t.levy is not None for t in known), all(t.real_cost is not None for t in known))
    goods = [
        _goods(structure, parameters, barriers, rent, used, n, columns[n]) if table is None else table
        for n, table in enumerate(walls.goods)
    ]
    return Factors(*_makers(parameters, barriers, rent), tuple(goods))


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


def _goods(
    structure: Structure,
    parameters: Parameters,
    barriers: Barriers,
    rent: Array | None,
    used: Used,
    place: int,
    columns: Columns,
) -> Tables:
    """Weights of a range of products."""
    rows, access = structure.ranges[place], barriers.access[place]
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
    opened = jnp.swapaxes(jnp.asarray(access), 1, 2)

    def by_column(table: Array) -> Array:
        return jnp.concatenate([table, columns.of_home(table) * opened], axis=2) if opened.shape[2] else table

    return Tables(
        value=by_column(weight),
        quantity=by_column(weight / goods),
        tariff=by_column(weight * tariff * (1 + levy + real_cost) * fob),
        levy=by_column(weight * levy * fob) if used.levy else None,
        real_cost=by_column(weight * real_cost * fob) if used.real_cost else None,
    )

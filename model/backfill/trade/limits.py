"""Quantity limits: use, rents, and the projected step towards complementarity (section 5)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from backfill.arrays import Array
from backfill.trade.barriers import Barriers
from backfill.trade.logs import log
from backfill.trade.state import NOTHING

RENT_STEP = 0.3
"""Weight of a limit's excess, a logarithm, beside the markets' other residuals, whose squares the solver adds up."""


class Counted(NamedTuple):
    """Flows of goods that limits may count.

    Attributes:
        rows: which products.
        quantity: units.
        mill: mill prices.
    """

    rows: Int[np.ndarray, " row"]
    quantity: Float[Array, "row origin destination"]
    mill: Float[Array, "row origin"]


class Use(NamedTuple):
    """What limits are used for.

    Attributes:
        need: use by the flows that need room, ``sum over a > 0 of a q``.
        room: what may be used, ``K + sum over a < 0 of -a q``; infinite where not in force.
        rents: by the region that owns them.
    """

    need: Float[Array, " limit"]
    room: Float[Array, " limit"]
    rents: Float[Array, " region"]


def use_of_limits(
    barriers: Barriers,
    rent: Float[Array, " limit"],
    traded: Counted | None,
    deliveries: Float[Array, "maker destination"],
    maker_mill: Float[Array, " maker"],
    duty_paid: tuple[Array, Array],
) -> Use:
    """Use and room of each limit, in units or by value, and rents ``rho sum a p q`` by the region that owns it.

    Args:
        traded: the goods that limits are on; None where they are on accelerators alone.
        duty_paid: duty-paid over mill price of goods and accelerators: importers' rents are shares of what they pay.
    """
    need, made = jnp.zeros(rent.shape), jnp.zeros(rent.shape)
    goods, makers = duty_paid
    counting = [(barriers.limit_maker, deliveries, maker_mill[:, None], makers)]
    if traded is not None:
        coefficient = barriers.limit_flow[:, traded.rows]
        counting.append((coefficient, traded.quantity, traded.mill[:, :, None], goods[traded.rows]))
    value = jnp.zeros(rent.shape)
    for coefficient, flow, price, paid in counting:
        value = value + (priced(barriers, coefficient, paid) * (flow * price)).sum(tuple(range(1, coefficient.ndim)))
        valued = barriers.limit_by_value.reshape(-1, *(1,) * flow.ndim)
        counted = coefficient * flow * (1 + valued * (price - 1))
        axes = tuple(range(1, counted.ndim))
        need = need + jnp.maximum(counted, 0.0).sum(axes)
        made = made - jnp.minimum(counted, 0.0).sum(axes)
    return Use(need, barriers.limit_quantity + made, (rent * value) @ barriers.limit_owner)


def priced(barriers: Barriers, coefficient: Float[Array, "limit ..."], duty_paid: Array) -> Float[Array, "limit ..."]:
    """What a rent of one adds to the price of a flow, over its mill price.

    All flows carry it where it is internalised, else those that need room; on the importer's side it is a share of the
    duty-paid price.
    """
    ones = (1,) * (coefficient.ndim - 1)
    shared = barriers.limit_internalised.reshape(-1, *ones)
    exporter = barriers.limit_exporter.reshape(-1, *ones)
    carried = jnp.where(coefficient < 0, coefficient * shared, coefficient)
    return carried * (exporter + (1 - exporter) * duty_paid)


def rent_step(barriers: Barriers, rent: Float[Array, " limit"], use: Use) -> Float[Array, " limit"]:
    """``min(ceiling, max(0, (1 + rho)(need/room)^s - 1))``: rents rise while need exceeds room and fall towards zero below.

    The pressure ``log(need/room)`` has no bounds: where it were flat, steps far off the answer would teach the solver nothing.
    """
    slack = jnp.isinf(use.room)
    room = jnp.where(slack, 1.0, jnp.maximum(use.room, NOTHING))
    pressure = jnp.where(slack, -1.0, log(jnp.maximum(use.need, NOTHING) / room))
    return jnp.clip((1 + rent) * jnp.exp(RENT_STEP * pressure) - 1, 0.0, barriers.limit_ceiling)

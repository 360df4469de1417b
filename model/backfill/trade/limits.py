"""Quantity limits: use, rents, and the projected step towards complementarity (section 5)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.trade.barriers import Barriers

RENT_STEP = 0.15
PRESSURE = 6.0


def use_of_limits(
    barriers: Barriers,
    rent: Float[Array, " limit"],
    quantity: Float[Array, "product origin destination"],
    mill: Float[Array, "product origin"],
    deliveries: Float[Array, "maker destination"],
    maker_mill: Float[Array, " maker"],
) -> tuple[Float[Array, " limit"], Float[Array, " region"]]:
    """Use ``sum a q`` of each limit, and its rents by the region that owns it."""
    use = (barriers.limit_flow * quantity).sum((1, 2, 3)) + (barriers.limit_maker * deliveries).sum((1, 2))
    value = (barriers.limit_flow * (quantity * mill[:, :, None])).sum((1, 2, 3))
    value = value + (barriers.limit_maker * (deliveries * maker_mill[:, None])).sum((1, 2))
    return use, (rent * value) @ barriers.limit_owner


def rent_step(barriers: Barriers, rent: Float[Array, " limit"], use: Float[Array, " limit"]) -> Float[Array, " limit"]:
    """``max(0, (1 + rho)(use/K)^s - 1)``: rents rise while use exceeds the limit and fall towards zero below it."""
    slack = jnp.isinf(barriers.limit_quantity)
    pressure = jnp.log(jnp.maximum(use, 1e-300) / jnp.where(slack, 1.0, barriers.limit_quantity))
    pressure = jnp.where(slack, -1.0, jnp.clip(pressure, -PRESSURE, PRESSURE))
    return jnp.maximum(0.0, (1 + rent) * jnp.exp(RENT_STEP * pressure) - 1)

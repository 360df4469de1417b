"""The unknowns of one market: wages, core prices and outputs, absorption, hub congestion, rents of limits."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from backfill.economy.economy import Structure


class State(NamedTuple):
    """Unknowns of a market; logs but for the last two, which may be zero."""

    wage: Float[Array, " region"]
    core_mill: Float[Array, "core region"]
    core_output: Float[Array, "core region"]
    absorption: Float[Array, " region"]
    congestion: Float[Array, " hub"]
    limit_rent: Float[Array, " limit"]


def pack(state: State) -> Array:
    """One vector: logs of the positive unknowns, then congestion and rents."""
    logs = [jnp.log(x).ravel() for x in state[:4]]
    return jnp.concatenate([*logs, state.congestion, state.limit_rent])


def unpack(structure: Structure, vector: Array) -> State:
    """The inverse of `pack`."""
    r, c, h = len(structure.regions), structure.core, len(structure.hubs)
    cuts = [r, r + c * r, r + 2 * c * r, 2 * r + 2 * c * r]
    return State(
        jnp.exp(vector[: cuts[0]]),
        jnp.exp(vector[cuts[0] : cuts[1]]).reshape(c, r),
        jnp.exp(vector[cuts[1] : cuts[2]]).reshape(c, r),
        jnp.exp(vector[cuts[2] : cuts[3]]),
        vector[cuts[3] : cuts[3] + h],
        vector[cuts[3] + h :],
    )

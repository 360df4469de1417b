"""The unknowns of one market: wages, core prices and outputs, absorption, real costs of core goods, congestion, rents."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Structure

NOTHING = 1e-300
"""Stands for zero where a logarithm is taken: output of a good that a region does not make, use and room of a closed limit."""


class State(NamedTuple):
    """Unknowns of a market; logs but for the last three, which may be zero.

    ``freight`` is what real trade costs of core goods buy in services, as a share of the region's absorption.
    """

    wage: Float[Array, " region"]
    core_mill: Float[Array, "core region"]
    core_output: Float[Array, "core region"]
    absorption: Float[Array, " region"]
    freight: Float[Array, " region"]
    congestion: Float[Array, " hub"]
    limit_rent: Float[Array, " limit"]


def pack(state: State) -> Array:
    """One vector: logs of wages, of core prices and absorption relative to wages, of outputs; then freight, congestion, and logs
    of one and the rents.

    Prices and spending follow wages at once, which makes the fixed-point map far less oscillatory.
    """
    output = jnp.maximum(state.core_output, NOTHING)
    logs = [jnp.log(x).ravel() for x in (state.wage, state.core_mill / state.wage, output)]
    logs.append(jnp.log(state.absorption / state.wage))
    return jnp.concatenate([*logs, state.freight, state.congestion, jnp.log1p(state.limit_rent)])


def unpack(structure: Structure, vector: Array) -> State:
    """The inverse of `pack`."""
    r, c, h = len(structure.regions), structure.core, len(structure.hubs)
    cuts = [r, r + c * r, r + 2 * c * r, 2 * r + 2 * c * r]
    wage = jnp.exp(vector[:r])
    return State(
        wage,
        wage * jnp.exp(vector[r : cuts[1]]).reshape(c, r),
        jnp.exp(vector[cuts[1] : cuts[2]]).reshape(c, r),
        wage * jnp.exp(vector[cuts[2] : cuts[3]]),
        vector[cuts[3] : cuts[3] + r],
        vector[cuts[3] + r : cuts[3] + r + h],
        jnp.expm1(vector[cuts[3] + r + h :]),
    )

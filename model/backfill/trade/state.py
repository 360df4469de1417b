"""The unknowns of one market: wages, core prices and outputs, absorption, real costs of core goods, congestion, rents."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Structure
from backfill.trade.logs import log

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
    logs = [log(x).ravel() for x in (state.wage, state.core_mill / state.wage, output)]
    logs.append(log(state.absorption / state.wage))
    return jnp.concatenate([*logs, state.freight, state.congestion, jnp.log1p(state.limit_rent)])


class Pieces(NamedTuple):
    """A vector of unknowns cut into those of `State`, in logs relative to wages as `pack` says."""

    wage: Float[Array, " region"]
    core_mill: Float[Array, " core_region"]
    core_output: Float[Array, " core_region"]
    absorption: Float[Array, " region"]
    freight: Float[Array, " region"]
    congestion: Float[Array, " hub"]
    limit_rent: Float[Array, " limit"]


PRICES = ("wage", "core_mill", "congestion", "limit_rent")
"""Unknowns that prices depend on; the others move only quantities."""


def pieces(structure: Structure, vector: Float[Array, " unknown"]) -> Pieces:
    """The vector's pieces."""
    r, c, h = len(structure.regions), structure.core, len(structure.hubs)
    cuts = np.cumsum([0, r, c * r, c * r, r, r, h]).tolist()
    return Pieces(*(vector[first:last] for first, last in zip(cuts, [*cuts[1:], None], strict=True)))


def state_of(structure: Structure, cut: Pieces) -> State:
    """The state that pieces of a vector stand for."""
    shape, wage = (structure.core, len(structure.regions)), jnp.exp(cut.wage)
    return State(
        wage,
        wage * jnp.exp(cut.core_mill).reshape(shape),
        jnp.exp(cut.core_output).reshape(shape),
        wage * jnp.exp(cut.absorption),
        cut.freight,
        cut.congestion,
        jnp.expm1(cut.limit_rent),
    )


def unpack(structure: Structure, vector: Array) -> State:
    """The inverse of `pack`."""
    return state_of(structure, pieces(structure, vector))

"""Derivatives of solved markets by the implicit function theorem, never through the iterations (section 6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from backfill.economy.economy import Structure
from backfill.trade.equilibrium import Lane
from backfill.trade.market import Outcome, market, node_matrix


def _evaluate(structure: Structure, lane: Lane, vector: Array) -> tuple[Array, Outcome]:
    return market(structure, lane.parameters, lane.barriers, lane.plan, lane.demand, vector)


@partial(jax.jit, static_argnums=0)
def _use_jacobian(structure: Structure, lanes: Lane, vectors: Array) -> Array:
    rows, columns = node_matrix(structure)

    def one(lane: Lane, vector: Array) -> Array:
        unknowns = vector.shape[0]

        def both(point: Array) -> Array:
            moved = Lane(
                lane.parameters, lane.barriers, type(lane.plan)(point[unknowns:], lane.plan.purchases), lane.demand
            )
            new, outcome = _evaluate(structure, moved, point[:unknowns])
            return jnp.concatenate([new, outcome.output[rows, columns]])

        slopes = jax.jacfwd(both)(jnp.concatenate([vector, lane.plan.rent]))
        inner, outer = slopes[:unknowns, :unknowns], slopes[:unknowns, unknowns:]
        response = jnp.linalg.solve(jnp.eye(unknowns) - inner, outer)
        return slopes[unknowns:, unknowns:] + slopes[unknowns:, :unknowns] @ response

    return jax.lax.map(lambda pair: one(*pair), (lanes, vectors))


def use_jacobian(
    structure: Structure, lanes: Lane, vectors: Float[np.ndarray, "lane unknown"]
) -> Float[np.ndarray, "lane node node"]:
    """Exact response of the use of each capacity to each rent: ``du/dlambda = u_l + u_x (I - F_x)^-1 F_l``.

    Rows are uses, columns rents; other decisions of the plan are held.
    """
    with jax.enable_x64(True):
        return np.asarray(_use_jacobian(structure, lanes, vectors))


def gradient(
    structure: Structure,
    lane: Lane,
    vector: Float[np.ndarray, " unknown"],
    objective: Callable[[Outcome], Array],
) -> Lane:
    """Gradient of ``objective(outcome)`` at the solution with respect to everything the market takes as given.

    One adjoint system ``(I - F_x)' a = objective_x`` serves every parameter, wedge and limit at once.

    Returns:
        A `Lane` whose leaves hold the derivatives.
    """
    with jax.enable_x64(True):
        lane, vector = jax.tree.map(jnp.asarray, (lane, vector))
        inner = jax.jacfwd(lambda x: _evaluate(structure, lane, x)[0])(vector)
        direct, slope = jax.grad(lambda lane, x: objective(_evaluate(structure, lane, x)[1]), (0, 1))(lane, vector)
        adjoint = jnp.linalg.solve((jnp.eye(len(vector)) - inner).T, slope)
        _, pull = jax.vjp(lambda lane: _evaluate(structure, lane, vector)[0], lane)
        return jax.tree.map(jnp.add, direct, pull(adjoint)[0])

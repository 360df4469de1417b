"""Solving the markets: many lanes (world x period) at once, each with its verdict (section 6)."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Parameters, Structure
from backfill.trade.anderson import Anderson
from backfill.trade.barriers import Barriers
from backfill.trade.buyers import Buyers, buyers
from backfill.trade.demand import ComputeDemand
from backfill.trade.factors import Factors, Used, factors, used_in
from backfill.trade.market import NO_SWEEPS, SWEEPS, Outcome, Plan, market, market_at
from backfill.trade.pieces import in_pieces
from backfill.trade.state import State, pack, unpack

TOLERANCE = 1e-10
CHUNK = 16
PATIENCE = 25
"""Evaluations without a smaller residual after which a lane starts afresh from its best point with half the pace."""


class Equilibrium(NamedTuple):
    """Solved markets, one row a lane.

    Attributes:
        vector: the unknowns (see `State`).
        residual: largest change that another evaluation of the market makes.
        steps: evaluations used.
        converged: whether the residual is within tolerance.
        output: units made.
        mill: mill prices.
        by_class: buying prices by class of buyers.
        mean: price of a unit of use.
        used: units used.
        compute_price: price of compute acquired.
        compute: units of compute used.
        value, quantity: spending and units by origin and destination.
        delivered: accelerators by line and where they stand.
    """

    vector: Float[np.ndarray, "lane unknown"]
    residual: Float[np.ndarray, " lane"]
    steps: np.ndarray
    converged: np.ndarray
    output: Float[np.ndarray, "lane product region"]
    mill: Float[np.ndarray, "lane product region"]
    by_class: Float[np.ndarray, "lane product class region"]
    mean: Float[np.ndarray, "lane product region"]
    used: Float[np.ndarray, "lane product region"]
    compute_price: Float[np.ndarray, "lane region"]
    compute: Float[np.ndarray, "lane region"]
    value: Float[np.ndarray, "lane product origin destination"]
    quantity: Float[np.ndarray, "lane product origin destination"]
    delivered: Float[np.ndarray, "lane maker destination"]


class Lane(eqx.Module):
    """Everything one market takes as given.

    Attributes:
        walls: wedges computed beforehand (see `walls_of`), for those who solve the same market at many plans.
    """

    parameters: Parameters
    barriers: Barriers
    plan: Plan
    demand: ComputeDemand
    walls: Factors | None = None


def first_guess(structure: Structure, parameters: Parameters, barriers: Barriers) -> Float[Array, "lane unknown"]:
    """Benchmark prices, outputs scaled by labour; a starting point when no better one is known."""
    regions = len(structure.regions)

    def one(lane: Parameters) -> Array:
        labour = lane.endowment.labour
        return pack(
            State(
                jnp.ones(regions),
                jnp.ones((structure.core, regions)),
                jnp.tile(labour, (structure.core, 1)),
                labour,
                jnp.zeros(regions),
                jnp.zeros(len(structure.hubs)),
                jnp.zeros(barriers.limit_quantity.shape[-1]),
            )
        )

    return jax.vmap(one)(parameters)


def floor(structure: Structure, unknowns: int, limits: int) -> Float[Array, " unknown"]:
    """Least values of the unknowns: freight, congestion and rents are never negative, the rest are logarithms."""
    rents = limits + len(structure.hubs) + len(structure.regions)
    return jnp.concatenate([jnp.full(unknowns - rents, -jnp.inf), jnp.zeros(rents)])


def _solve(
    structure: Structure, used: Used, lanes: Lane, inverse: Array | None, start: Array, tolerance: Array
) -> Equilibrium:
    limits = lanes.barriers.limit_quantity.shape[-1]

    def prepare(lane: Lane) -> tuple[Factors, tuple[Buyers, ...]]:
        walls = factors(structure, lane.parameters, lane.barriers, used) if lane.walls is None else lane.walls
        return walls, buyers(structure, lane.barriers, lane.plan.purchases)

    def one(lane: Lane, point: Array, walls: Factors, groups: tuple[Buyers, ...]) -> tuple[Array, Outcome]:
        state = unpack(structure, point)
        given = (lane.parameters, lane.barriers, lane.plan, lane.demand, state, walls, groups)
        return market_at(structure, SWEEPS if inverse is None else NO_SWEEPS, *given)

    walls, groups = jax.vmap(prepare)(lanes)

    steep = None if inverse is None else inverse.astype(start.dtype)
    search = Anderson(
        floor=floor(structure, start.shape[1], limits),
        tolerance=tolerance,
        patience=PATIENCE,
        precondition=None if steep is None else lambda change: jnp.einsum("luv,lv->lu", steep, change),
    )
    found = search.solve(lambda points: jax.vmap(one)(lanes, points, walls, groups)[0], start)
    outcome = jax.vmap(one)(lanes, found.point, walls, groups)[1]
    buying = outcome.buying
    return Equilibrium(
        *found,
        outcome.output,
        buying.mill,
        buying.by_class,
        buying.mean,
        outcome.used,
        outcome.compute_value,
        outcome.absorption.compute,
        outcome.flows.value,
        outcome.flows.quantity,
        outcome.handling.deliveries,
    )


def _walls(structure: Structure, used: Used, parameters: Parameters, barriers: Barriers) -> Factors:
    return jax.vmap(lambda mine, its: factors(structure, mine, its, used))(parameters, barriers)


def walls_of(structure: Structure, parameters: Parameters, barriers: Barriers) -> Factors:
    """The wedges of every lane, which no plan moves."""
    return in_pieces(_walls, (structure, used_in(structure, barriers)), CHUNK, (parameters, barriers))


def _outcomes(structure: Structure, lanes: Lane, points: Array) -> Outcome:
    return jax.vmap(lambda lane, x: market(structure, lane.parameters, lane.barriers, lane.plan, lane.demand, x)[1])(
        lanes, points
    )


def solve(
    structure: Structure,
    lanes: Lane,
    start: Float[np.ndarray, "lane unknown"],
    *,
    inverse: Float[np.ndarray, "lane unknown unknown"] | None = None,
    tolerance: float = TOLERANCE,
) -> Equilibrium:
    """Solve every lane from ``start``, in chunks sized for the cache, on all cores.

    A lane that fails to converge is reported in ``converged``; it never stops the others.

    Args:
        inverse: ``(I - F_x)^-1`` at a solution not far away (see `sensitivity.plan_slopes`), with which few evaluations do.
    """
    given = (lanes, inverse, start)
    return in_pieces(_solve, (structure, used_in(structure, lanes.barriers)), CHUNK, given, (np.float64(tolerance),))


def outcomes(structure: Structure, lanes: Lane, points: Float[np.ndarray, "lane unknown"]) -> Outcome:
    """Everything the markets imply at given unknowns, stacked over lanes."""
    return in_pieces(_outcomes, (structure,), CHUNK, (lanes, points))

"""Anderson acceleration of a batch of fixed points, each lane with its own history and its own verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from backfill.arrays import Array


class FixedPoint(NamedTuple):
    """The result of a batch of iterations.

    Attributes:
        point: last accepted point.
        residual: largest absolute change that another evaluation makes.
        steps: evaluations until each lane stopped.
        converged: whether the residual is within tolerance.
    """

    point: Float[Array, "lane unknown"]
    residual: Float[Array, " lane"]
    steps: Int[Array, " lane"]
    converged: Bool[Array, " lane"]


def _mix(point: Array, change: Array, points: Array, changes: Array, damping: Array) -> Array:
    """Anderson step from histories of differences ``[lane, memory, unknown]`` (type II, regularised)."""
    gram = jnp.einsum("lmu,lnu->lmn", changes, changes)
    trace = jnp.trace(gram, axis1=1, axis2=2)
    ridge = (1e-13 * trace + 1e-300)[:, None, None] * jnp.eye(gram.shape[1])
    right = jnp.einsum("lmu,lu->lm", changes, change)
    weights = jnp.linalg.solve(gram + ridge, right[..., None])[..., 0]
    pace = damping[:, None]
    step = point + pace * change - jnp.einsum("lm,lmu->lu", weights, points + pace[..., None] * changes)
    return jnp.where(jnp.isfinite(step), step, point + pace * change)


def solve(
    evaluate: Callable[[Float[Array, "lane unknown"]], Float[Array, "lane unknown"]],
    start: Float[Array, "lane unknown"],
    *,
    floor: Float[Array, " unknown"],
    tolerance: float | Array,
    memory: int = 8,
    max_steps: int | Array = 400,
    trust: float = 1.0,
    restarts: int = 6,
    patience: int = 400,
    precondition: Callable[[Float[Array, "lane unknown"]], Float[Array, "lane unknown"]] | None = None,
) -> FixedPoint:
    """Find ``x = evaluate(x)`` in every lane.

    Points are projected on ``x >= floor``. A step longer than ``trust`` is shortened; a lane whose residual grows far
    beyond its best, is not a number, or has not fallen below its best for ``patience`` evaluations, starts its history
    afresh from the best point with half the pace, and is given up after a few such restarts. Lanes that have converged
    stand still.

    Args:
        precondition: what a change of the map is taken to ask of the unknowns, about ``(I - F_x)^-1`` times it; the change
            itself if None. Residuals are those of the map in either case.
    """
    lanes, unknowns = start.shape
    histories = jnp.zeros((lanes, memory, unknowns))

    def measured(point: Array) -> tuple[Array, Array]:
        change = evaluate(point) - point
        return change if precondition is None else precondition(change), jnp.abs(change).max(1)

    change, size = measured(start)

    def hopeful(best_size: Array, damping: Array) -> Array:
        return jnp.isfinite(best_size) & (damping > 0.5**restarts)

    def unfinished(carry: tuple) -> Array:
        _, _, size, _, best_size, _, _, damping, _, _, step = carry
        return jnp.any(~(size <= tolerance) & hopeful(best_size, damping)) & (step < max_steps)

    def advance(carry: tuple) -> tuple:
        point, change, size, best, best_size, points, changes, damping, stale, steps, step = carry
        lost = ~jnp.isfinite(size) | (size > 30 * best_size) | (stale >= patience)
        moves = ~(size <= tolerance) & hopeful(best_size, damping)
        proposal = _mix(point, change, points, changes, damping)
        length = jnp.abs(proposal - point).max(1, keepdims=True)
        proposal = point + (proposal - point) * (trust / jnp.maximum(length, trust))
        proposal = jnp.maximum(jnp.where(lost[:, None], best, proposal), floor)
        new_point = jnp.where(moves[:, None], proposal, point)
        new_change, new_size = measured(new_point)
        new_change = jnp.where(moves[:, None], new_change, change)
        new_size = jnp.where(moves, new_size, size)
        keep, lane = (moves & ~lost)[:, None], lost[:, None, None]
        slot = step % memory
        points = jnp.where(lane, 0.0, points.at[:, slot].set(jnp.where(keep, new_point - point, 0.0)))
        changes = jnp.where(lane, 0.0, changes.at[:, slot].set(jnp.where(keep, new_change - change, 0.0)))
        better = new_size < best_size
        best = jnp.where(better[:, None], new_point, best)
        best_size = jnp.where(better, new_size, best_size)
        stale = jnp.where(better | lost, 0, stale + 1)
        damping = jnp.where(lost & moves, 0.5 * damping, damping)
        steps = steps + moves
        return new_point, new_change, new_size, best, best_size, points, changes, damping, stale, steps, step + 1

    ones, none = jnp.ones(lanes), jnp.zeros(lanes, jnp.int32)
    carry = (start, change, size, start, size, histories, histories, ones, none, none, 0)
    point, _, size, best, best_size, *_, steps, _ = jax.lax.while_loop(unfinished, advance, carry)
    finished = size <= tolerance
    return FixedPoint(jnp.where(finished[:, None], point, best), jnp.where(finished, size, best_size), steps, finished)

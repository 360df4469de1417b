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


class _Past(NamedTuple):
    """What lanes did lately, a ring of differences; what is forgotten stays in place without weight.

    Attributes:
        points, changes: differences of points and of the map's changes there.
        gram: inner products of differences of changes.
        known: 1 where a place of the ring is remembered.
    """

    points: Float[Array, "lane memory unknown"]
    changes: Float[Array, "lane memory unknown"]
    gram: Float[Array, "lane memory memory"]
    known: Float[Array, "lane memory"]

    def step(self, change: Array, damping: Array) -> Array:
        """Anderson step (type II, regularised)."""
        trace = jnp.trace(self.gram, axis1=1, axis2=2)
        ridge = (1e-13 * trace + 1e-300)[:, None, None] * jnp.eye(self.gram.shape[1])
        right = self.known * jnp.einsum("lmu,lu->lm", self.changes, change)
        weights = _solved(self.gram + ridge, right)
        pace, plain = damping[:, None], damping[:, None] * change
        mixed = jnp.einsum("lm,lmu->lu", weights, self.points) + pace * jnp.einsum("lm,lmu->lu", weights, self.changes)
        step = plain - mixed
        return jnp.where(jnp.isfinite(step), step, plain)

    def with_next(self, slot: Array, point: Array, change: Array, keep: Array, forget: Array) -> _Past:
        """One difference more, in the place of the oldest, where it is kept; nothing where all is forgotten."""
        points = self.points.at[:, slot].set(jnp.where(keep[:, None], point, 0.0))
        change = jnp.where(keep[:, None], change, 0.0)
        changes = self.changes.at[:, slot].set(change)
        known = jnp.where(forget[:, None], 0.0, self.known).at[:, slot].set(keep.astype(float))
        row = known * jnp.einsum("lmu,lu->lm", changes, change)
        gram = jnp.where(forget[:, None, None], 0.0, self.gram).at[:, slot].set(row).at[:, :, slot].set(row)
        return _Past(points, changes, gram, known)


def _solved(matrix: Float[Array, "lane n n"], right: Float[Array, "lane n"]) -> Float[Array, "lane n"]:
    """Solutions of small definite systems by elimination, all lanes at once: LAPACK one by one takes longer than markets."""
    table = jnp.concatenate([matrix, right[..., None]], axis=2)
    for n in range(right.shape[1]):
        row = table[:, n] / table[:, n, n, None]
        table = table - table[:, :, n].at[:, n].add(-1.0)[:, :, None] * row[:, None]
    return table[..., -1]


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
    histories, numbers = jnp.zeros((lanes, memory, unknowns)), jnp.zeros((lanes, memory))

    def measured(point: Array) -> tuple[Array, Array]:
        change = evaluate(point) - point
        return change if precondition is None else precondition(change), jnp.abs(change).max(1)

    change, size = measured(start)

    def hopeful(best_size: Array, damping: Array) -> Array:
        return jnp.isfinite(best_size) & (damping > 0.5**restarts)

    def unfinished(carry: tuple) -> Array:
        _, _, size, _, best_size, _, damping, _, _, step = carry
        return jnp.any(~(size <= tolerance) & hopeful(best_size, damping)) & (step < max_steps)

    def advance(carry: tuple) -> tuple:
        point, change, size, best, best_size, past, damping, stale, steps, step = carry
        lost = ~jnp.isfinite(size) | (size > 30 * best_size) | (stale >= patience)
        moves = ~(size <= tolerance) & hopeful(best_size, damping)
        move = past.step(change, damping)
        length = jnp.abs(move).max(1, keepdims=True)
        proposal = point + move * (trust / jnp.maximum(length, trust))
        proposal = jnp.maximum(jnp.where(lost[:, None], best, proposal), floor)
        new_point = jnp.where(moves[:, None], proposal, point)
        new_change, new_size = measured(new_point)
        new_change = jnp.where(moves[:, None], new_change, change)
        new_size = jnp.where(moves, new_size, size)
        keep = moves & ~lost & jnp.isfinite(new_size)
        past = past.with_next(step % memory, new_point - point, new_change - change, keep, lost)
        better = new_size < best_size
        best = jnp.where(better[:, None], new_point, best)
        best_size = jnp.where(better, new_size, best_size)
        stale = jnp.where(better | lost, 0, stale + 1)
        damping = jnp.where(lost & moves, 0.5 * damping, damping)
        steps = steps + moves
        return new_point, new_change, new_size, best, best_size, past, damping, stale, steps, step + 1

    ones, none = jnp.ones(lanes), jnp.zeros(lanes, jnp.int32)
    past = _Past(histories, histories, jnp.zeros((lanes, memory, memory)), numbers)
    carry = (start, change, size, start, size, past, ones, none, none, 0)
    point, _, size, best, best_size, *_, steps, _ = jax.lax.while_loop(unfinished, advance, carry)
    finished = size <= tolerance
    return FixedPoint(jnp.where(finished[:, None], point, best), jnp.where(finished, size, best_size), steps, finished)

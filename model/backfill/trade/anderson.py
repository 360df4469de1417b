"""Anderson acceleration of a batch of fixed points, each lane with its own history and its own verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from backfill.arrays import Array

TRUSTED = 0.1
"""See `Anderson.solve_on_trust`."""


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


class _Search(NamedTuple):
    """Where every lane stands.

    Attributes:
        proposal: the point evaluated next, in lanes that move.
        moves: lanes that have not finished and are not given up.
        lost: of them those whose history starts afresh.
        near: lanes that have finished.
        point, change, size: the last point evaluated, what it asks for and its residual.
        best, best_size: the point with the smallest residual so far.
        past: what it did lately.
        damping: pace.
        stale: evaluations since the best point.
        steps: evaluations after the first.
        step: evaluations of the batch.
    """

    proposal: Array
    moves: Array
    lost: Array
    near: Array
    point: Array
    change: Array
    size: Array
    best: Array
    best_size: Array
    past: _Past
    damping: Array
    stale: Array
    steps: Array
    step: Array | int


@dataclass(frozen=True)
class Anderson:
    """How fixed points ``x = F(x)`` of a batch of lanes are looked for.

    Points are projected on ``x >= floor``. A step longer than ``trust`` is shortened; a lane whose residual grows far
    beyond its best, is not a number, or has not fallen below its best for ``patience`` evaluations, starts its history
    afresh from the best point with half the pace, and is given up after a few such restarts. Lanes that have converged
    stand still.

    Attributes:
        floor: least value of each unknown.
        tolerance: largest residual of a solution.
        memory: differences that are remembered.
        max_steps: evaluations after which lanes are given up.
        trust, restarts, patience: see above.
        precondition: what a change of the map is taken to ask of the unknowns, about ``(I - F_x)^-1`` times it; the change
            itself if None. Residuals are those of the map in either case.
    """

    floor: Float[Array, " unknown"]
    tolerance: float | Array
    memory: int = 8
    max_steps: int | Array = 400
    trust: float = 1.0
    restarts: int = 6
    patience: int = 400
    precondition: Callable[[Float[Array, "lane unknown"]], Float[Array, "lane unknown"]] | None = None

    def solve(
        self,
        evaluate: Callable[[Float[Array, "lane unknown"]], Float[Array, "lane unknown"]],
        start: Float[Array, "lane unknown"],
    ) -> FixedPoint:
        """Find ``x = evaluate(x)`` in every lane."""
        found = self._search(evaluate, start)
        return FixedPoint(
            jnp.where(found.near[:, None], found.point, found.best),
            jnp.where(found.near, found.size, found.best_size),
            found.steps,
            found.near,
        )

    def solve_on_trust(
        self,
        evaluate: Callable[[Float[Array, "lane unknown"]], tuple[Float[Array, "lane unknown"], Any]],
        start: Float[Array, "lane unknown"],
        trusted: float | Array = TRUSTED,
    ) -> tuple[FixedPoint, Any]:
        """Find ``x = evaluate(x)[0]`` in every lane, and ``evaluate(x)[1]`` there, with one evaluation less.

        Where residuals fall so that that of the next point is expected well within tolerance, it is evaluated for both at once:
        what is told is its residual, and that it is not converged where it is larger after all. Who asks goes on from there.

        Args:
            trusted: residual expected of a point, in tolerances, at which it is taken to be the last one; at 0 none is, and
                a point within tolerance is told instead of the next one.
        """
        found = self._search(lambda points: evaluate(points)[0], start, trusted)
        measured = (found.size <= self.tolerance) & (jnp.asarray(trusted) == 0)
        point = jnp.where(measured[:, None], found.point, found.proposal)
        point = jnp.where(found.near[:, None], point, found.best)
        values, besides = evaluate(point)
        size = jnp.abs(values - point).max(1)
        return FixedPoint(point, size, found.steps + 1, size <= self.tolerance), besides

    def _search(
        self, evaluate: Callable[[Array], Array], start: Array, trusted: float | Array | None = None
    ) -> _Search:
        """Go on until every lane is within tolerance, or is expected to be well within it one step further."""

        def measured(point: Array) -> tuple[Array, Array]:
            change = evaluate(point) - point
            return change if self.precondition is None else self.precondition(change), jnp.abs(change).max(1)

        def unfinished(search: _Search) -> Array:
            return jnp.any(search.moves) & (search.step <= self.max_steps)

        def advance(search: _Search) -> _Search:
            """Evaluate what was proposed, the start at first, and propose what comes next."""
            moved, lost, slot = search.moves, search.lost, search.step % self.memory
            point = jnp.where(moved[:, None], search.proposal, search.point)
            change, size = measured(point)
            change = jnp.where(moved[:, None], change, search.change)
            size = jnp.where(moved, size, search.size)
            keep = moved & ~lost & jnp.isfinite(size)
            past = search.past.with_next(slot, point - search.point, change - search.change, keep, lost)
            better = size < search.best_size
            best = jnp.where(better[:, None], point, search.best)
            best_size = jnp.where(better, size, search.best_size)
            stale = jnp.where(better | lost, 0, search.stale + 1)
            damping = jnp.where(lost & moved & (search.step > 0), 0.5 * search.damping, search.damping)

            lost = ~jnp.isfinite(size) | (size > 30 * best_size) | (stale >= self.patience)
            hopeful = jnp.isfinite(best_size) & (damping > 0.5**self.restarts)
            move = past.step(change, damping)
            length = jnp.abs(move).max(1, keepdims=True)
            proposal = point + move * (self.trust / jnp.maximum(length, self.trust))
            proposal = jnp.maximum(jnp.where(lost[:, None], best, proposal), self.floor)
            proposal = jnp.where(moved[:, None], proposal, search.proposal)
            near = size <= self.tolerance
            if trusted is not None:
                falls = jnp.minimum(size / search.size, 1.0)
                near |= jnp.isfinite(search.size) & (size * falls <= trusted * self.tolerance)
            near = search.near | (moved & near)
            steps, moves = search.steps + moved, moved & ~near & hopeful
            return _Search(
                proposal, moves, lost, near, point, change, size, best, best_size, past, damping, stale, steps,
                search.step + 1,
            )  # fmt: skip

        lanes, unknowns = start.shape
        ring, places = jnp.zeros((lanes, self.memory, unknowns)), jnp.zeros((lanes, self.memory))
        past = _Past(ring, ring, jnp.zeros((lanes, self.memory, self.memory)), places)
        ones, no = jnp.ones(lanes), jnp.zeros(lanes, bool)
        far, none = jnp.full(lanes, jnp.inf), jnp.zeros(lanes, jnp.int32)
        nothing = jnp.zeros_like(start)
        search = _Search(start, ~no, ~no, no, start, nothing, far, start, far, past, ones, none, none - 1, 0)
        return jax.lax.while_loop(unfinished, advance, search)

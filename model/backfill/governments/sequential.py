"""A best package by sequential quadratic programming in a trust region, accepted on true worlds (section 10).

Objective ``f`` and limits ``c <= 0`` of the true worlds are joined in ``phi = f + penalty sum max(0, c)``, exact for a penalty
above every multiplier (Fletcher). A step of the model (`backfill.governments.step`) is taken if ``phi`` of its true world falls
by a tenth of what the model promised; the box then grows, else it shrinks. Curvature is that of the Lagrangian, by damped updates
(Powell). Switches are decided by a mixed-integer step on what switching each over does to true worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

import numpy as np

from backfill.governments.package import Package
from backfill.governments.step import Local, Step, multipliers, step

STEPS = 30
RADIUS, SHORTEST = 0.3, 1e-5
ENOUGH, GOOD = 0.1, 0.7
SETTLED = 1e-6
"""Promised fall of the scaled objective below which there is nothing left to gain."""
NEARLY = 1e-4
"""Shares and scaled limits this near to a bound hold with equality."""
CERTIFIED = 1e-2
"""Largest residual of the optimality conditions, as a share of the objective's gradient, that counts as an optimum."""
PENALTY, DEAREST = 4.0, 1e4


class Verdict(Enum):
    """How a search ended, each a sentence that says what to make of it."""

    OPTIMAL = "The optimality conditions hold: no small change is better."
    KINKED = (
        "No step is better on true worlds though the conditions do not hold: it lies where limits of the model change."
    )
    INFEASIBLE = "No package nearby keeps every limit; this one passes them by least in all."
    UNFINISHED = "The search ran out of steps; start it elsewhere or widen a range."
    LOST = "The first package has no world."


class Problem(Protocol):
    """What is searched; small is good, limits hold at or below zero, all scaled."""

    def values(self, points: Sequence[Package]) -> list[np.ndarray | None]:
        """Objective and limits of each point; None where there is no world."""
        ...

    def slopes(self, point: Package) -> np.ndarray | None:
        """Their derivatives ``[value, lever]``; None where there are none."""
        ...

    @property
    def switches(self) -> np.ndarray:
        """Boolean ``[lever]``: measures that may be left out."""
        ...


@dataclass
class Search:
    """Where a search ended.

    Attributes:
        point: the best package.
        values: its objective and limits.
        multipliers: of the limits.
        residual: of the optimality conditions.
        verdict: how it ended.
        steps, worlds: steps tried and worlds they took.
        trail: penalised objective of each point accepted.
        curvature: of the Lagrangian at the end, ``[lever, lever]``.
    """

    point: Package
    values: np.ndarray
    multipliers: np.ndarray
    residual: float = np.inf
    verdict: Verdict = Verdict.UNFINISHED
    steps: int = 0
    worlds: int = 0
    trail: list[float] = field(default_factory=list)
    curvature: np.ndarray | None = None

    @property
    def feasible(self) -> bool:
        """Whether limits hold to `NEARLY`."""
        return bool((self.values[1:] <= NEARLY).all())


def merit(values: np.ndarray, penalty: float) -> float:
    """``f + penalty sum max(0, c)``."""
    return float(values[0] + penalty * np.maximum(values[1:], 0.0).sum())


def search(problem: Problem, start: Package, *, curvature: np.ndarray | None = None) -> Search:
    """The best package that can be reached from ``start``.

    Args:
        problem: what is searched.
        start: the first package.
        curvature: of the Lagrangian, from a search nearby; none if there was none.
    """
    first = problem.values([start])[0]
    levers = len(start.share)
    if first is None:
        return Search(start, np.array([np.inf]), np.zeros(0), verdict=Verdict.LOST, worlds=1)
    state = Search(start, first, np.zeros(len(first) - 1), worlds=1)
    known = np.zeros((levers, levers)) if curvature is None else curvature
    found = _Descent(problem, state, PENALTY, RADIUS, known)
    found.run()
    while problem.switches.any() and found.switched():
        found.run()
    found.state.curvature = found.curvature
    return found.state


@dataclass
class _Descent:
    problem: Problem
    state: Search
    penalty: float
    radius: float
    curvature: np.ndarray

    def run(self) -> None:
        """Steps of levers, measures staying as they are."""
        state, radius = self.state, self.radius
        slopes = self.problem.slopes(state.point)
        state.trail.append(merit(state.values, self.penalty))
        while state.steps < STEPS and slopes is not None:
            local = self._local(slopes)
            share = np.asarray(state.point.share)
            move = self._step(local, share, radius)
            if move.promised <= SETTLED or radius < SHORTEST:
                break
            state.steps, state.worlds = state.steps + 1, state.worlds + 1
            trial = state.point.moved(np.clip(share + move.move, 0.0, 1.0))
            values = self.problem.values([trial])[0]
            fall = -np.inf if values is None else merit(state.values, self.penalty) - merit(values, self.penalty)
            length = float(np.abs(move.move).max())
            if values is not None and fall >= ENOUGH * move.promised:
                new = self.problem.slopes(trial)
                if new is None:
                    radius = 0.25 * length
                    continue
                self._learn(slopes, new, move)
                state.point, state.values, slopes = trial, values, new
                state.trail.append(merit(values, self.penalty))
                if fall >= GOOD * move.promised and length > 0.9 * radius:
                    radius = min(2 * radius, 1.0)
            else:
                radius = 0.3 * length
        if slopes is not None:
            self._judge(self._local(slopes))

    def switched(self) -> bool:
        """Switch one measure over where the model and then its true world say that is better."""
        state = self.state
        can = np.flatnonzero(self.problem.switches)
        points = [state.point.flipped(n) for n in can]
        values = self.problem.values(points)
        state.worlds += len(points)
        slopes = self.problem.slopes(state.point)
        if slopes is None:
            return False
        gain = np.full((len(state.values), len(state.point.on)), np.nan)
        for n, one in zip(can, values, strict=True):
            if one is not None:
                gain[:, n] = one - state.values
        local = replace(self._local(slopes), flips=gain[0], limits_by_flip=np.nan_to_num(gain[1:]))
        move = step(local, np.asarray(state.point.share), self.radius, self.penalty, switches=True)
        if not move.flip.any():
            return False
        n = int(np.flatnonzero(move.flip)[0])
        share = np.clip(np.asarray(state.point.share) + move.move, 0.0, 1.0)
        alone = state.point.flipped(n)
        for point in (alone.moved(share), alone):
            found = self.problem.values([point])[0]
            state.worlds += 1
            if found is not None and merit(found, self.penalty) < merit(state.values, self.penalty) - SETTLED:
                state.point, state.values = point, found
                self.curvature = np.zeros_like(self.curvature)
                return True
        return False

    def _local(self, slopes: np.ndarray) -> Local:
        values, levers = self.state.values, slopes.shape[1]
        nothing = np.full(levers, np.nan)
        return Local(
            values[0], slopes[0], values[1:], slopes[1:], self.curvature, nothing, np.zeros((len(values) - 1, levers))
        )

    def _step(self, local: Local, share: np.ndarray, radius: float) -> Step:
        """A step, with a penalty that passes limits by no more than the box must (Byrd, Nocedal and Waltz)."""
        move = step(local, share, radius, self.penalty)
        if _passed(local, move) > NEARLY:
            least = _passed(local, step(local, share, radius, DEAREST))
            while self.penalty < DEAREST and _passed(local, move) > least + NEARLY:
                self.penalty *= 4
                move = step(local, share, radius, self.penalty)
        self.state.multipliers = move.multipliers
        return move

    def _learn(self, old: np.ndarray, new: np.ndarray, move: Step) -> None:
        """Powell's damped update of the Lagrangian's curvature."""
        d, weights = move.move, np.concatenate([[1.0], move.multipliers])
        y = weights @ (new - old)
        b = self.curvature
        if not b.any():
            b = np.eye(len(d)) * max(float(d @ y) / max(float(d @ d), 1e-300), 1e-3)
        bd = b @ d
        size = float(d @ bd)
        if size <= 1e-16:
            return
        share = 1.0 if d @ y >= 0.2 * size else 0.8 * size / (size - float(d @ y))
        r = share * y + (1 - share) * bd
        if float(d @ r) > 1e-12 * size:
            self.curvature = b - np.outer(bd, bd) / size + np.outer(r, r) / float(d @ r)

    def _judge(self, local: Local) -> None:
        state = self.state
        state.multipliers, state.residual = multipliers(local, np.asarray(state.point.share), 10 * NEARLY)
        if not state.feasible:
            state.verdict = Verdict.INFEASIBLE if state.steps < STEPS else Verdict.UNFINISHED
        elif state.residual <= CERTIFIED * max(1.0, float(np.abs(local.by_lever).max())):
            state.verdict = Verdict.OPTIMAL
        else:
            state.verdict = Verdict.KINKED if state.steps < STEPS else Verdict.UNFINISHED


def frontier(
    problem_at: Callable[[float], Problem], bounds: Sequence[float], start: Package, loosest_last: bool
) -> list[Search]:
    """Searches for a limit moved step by step, each from where the one before ended.

    A package that keeps a tight limit keeps a looser one too: where a search ends worse than its tighter neighbour it is
    started again from there.

    Args:
        problem_at: the problem at a value of the limit.
        bounds: values in order.
        start: where the first search starts.
        loosest_last: whether the limit gets looser along ``bounds``.
    """
    found: list[Search] = []
    for bound in bounds:
        before = found[-1] if found else None
        first = before.point if before else start
        found.append(search(problem_at(bound), first, curvature=before.curvature if before else None))
    order = range(1, len(bounds)) if loosest_last else range(len(bounds) - 2, -1, -1)
    for n in order:
        tighter = found[n - 1 if loosest_last else n + 1]
        if tighter.feasible and (not found[n].feasible or tighter.values[0] < found[n].values[0] - NEARLY):
            again = search(problem_at(bounds[n]), tighter.point, curvature=tighter.curvature)
            again.worlds += found[n].worlds
            found[n] = again
    return found


def _passed(local: Local, move: Step) -> float:
    """By how much limits are passed after a step, in the model."""
    return float(np.maximum(local.limits + local.limits_by_lever @ move.move, 0.0).sum())

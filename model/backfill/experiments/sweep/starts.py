"""Where scenarios of one period start: at what is expected from typical choices of the levers, which are solved first."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator

from backfill.experiments.sweep.plan import Plan

MOST_TYPICAL, SERVED = 16, 32
"""Scenarios from which others start, and how many others each must serve: their slopes cost as much as solving ten."""


def served(plan: Plan, draw: int) -> int:
    """How many scenarios of a draw are worth having as starts for the others."""
    return min(MOST_TYPICAL, int((plan.draw == draw).sum()) // SERVED)


def typical(levers: Float[np.ndarray, "scenario lever"], count: int) -> Float[np.ndarray, "choice lever"]:
    """Ends of the levers, and so many choices from the first to the last; each but once."""
    if not levers.size:
        return np.zeros((0, levers.shape[1]))
    spread = levers[np.linspace(0, len(levers) - 1, count).astype(int)]
    every = np.concatenate([np.unique([levers.min(0), levers.max(0)], axis=0), spread])
    _, first = np.unique(every, axis=0, return_index=True)
    return every[np.sort(first)]


class Starts:
    """Expects the unknowns of scenarios from those of typical choices.

    Unknowns are interpolated over the levers, whose ranges count alike, by radial basis functions: cubic ones beside a plane
    where there are choices enough to lay it, linear ones otherwise. What is expected need only be near.

    Args:
        choices: typical choices of the levers, all different.
        unknowns: what was found there.
        places: of the choices among the anchors of a `backfill.static.StaticPeriod`.
        span: range of each lever; one where it stands still.
    """

    def __init__(
        self,
        choices: Float[np.ndarray, "choice lever"],
        unknowns: Float[np.ndarray, "choice unknown"],
        places: np.ndarray,
        span: Float[np.ndarray, " lever"],
    ) -> None:
        self.span, self.choices, self.places = span, choices / span, places
        plane = np.column_stack([np.ones(len(choices)), self.choices])
        laid = len(plane) > plane.shape[1] and np.linalg.matrix_rank(plane) == plane.shape[1]
        kernel, degree = ("cubic", 1) if laid else ("linear", 0)
        self._expected = RBFInterpolator(self.choices, unknowns, kernel=kernel, degree=degree)

    def nearest(self, levers: Float[np.ndarray, "scenario lever"]) -> tuple[np.ndarray, np.ndarray]:
        """Place of the nearest choice among the anchors, and how far it is."""
        way = (((levers / self.span)[:, None] - self.choices) ** 2).sum(axis=2)
        return self.places[way.argmin(axis=1)], way.min(axis=1)

    def expected(self, levers: Float[np.ndarray, "scenario lever"]) -> Float[np.ndarray, "scenario unknown"]:
        """Unknowns expected of scenarios."""
        return self._expected(levers / self.span)

"""How logarithms of moments move with parameters: a quadratic through three solved worlds along each of them.

Parameters are taken as standard normal scores of their priors, ``z = N^-1(F(x))``; with ``d`` the distance from central scores

    m(d) = m_0 + sum_k (a_k d_k + b_k d_k^2) + c,      a_k = (m_k+ - m_k-) / 2,      b_k = (m_k+ + m_k-) / 2 - m_0

where ``m_k+`` and ``m_k-`` are solved with parameter k one standard deviation up and down. ``c`` corrects the level where a
world has been solved at another point. Second derivatives across parameters are left out; what that costs is measured by solving
worlds at the points that matter (`backfill.experiments.hindcast.run`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

STILL = 0.005
"""A parameter one end of which moves no moment by more than this has its other end mirrored instead of solved."""

FARTHEST = 2.0
"""Scores beyond this distance count as this far: no quadratic holds there."""

Array = np.ndarray
Solve = Callable[[dict[str, float]], Array | None]
"""Logarithms of moments at distances of named parameters from their central scores; None where the world cannot be solved."""


@dataclass(frozen=True)
class Surface:
    """Logarithms of moments as a function of parameters.

    Attributes:
        names: parameters.
        level: moments at the central values, ``[moment]``.
        slope, bend: ``a`` and ``b``, ``[parameter, moment]``.
        correction: ``c``, ``[moment]``.
        solved: worlds solved.
        unsolved: ends of parameters that could not be solved, as ``"NAME low"``.
    """

    names: tuple[str, ...]
    level: Array
    slope: Array
    bend: Array
    correction: Array
    solved: int
    unsolved: tuple[str, ...]

    def at(self, distance: Array) -> Array:
        """Moments at distances ``[..., parameter]``."""
        d = np.clip(distance, -FARTHEST, FARTHEST)
        return self.level + d @ self.slope + d**2 @ self.bend + self.correction

    def jacobian(self, distance: Array) -> Array:
        """``[moment, parameter]`` at one point."""
        d = np.clip(distance, -FARTHEST, FARTHEST)
        return (self.slope + 2 * d[:, None] * self.bend).T

    def solvable(self) -> Surface:
        """The surface without the parameters an end of which could not be solved: they stay at their central values."""
        left_out = {end.rsplit(" ", 1)[0] for end in self.unsolved}
        rows = [k for k, name in enumerate(self.names) if name not in left_out]
        names = tuple(self.names[k] for k in rows)
        return replace(self, names=names, slope=self.slope[rows], bend=self.bend[rows])

    def through(self, distance: Array, moments: Array) -> Surface:
        """The surface shifted to pass through a world solved at a point."""
        bare = replace(self, correction=np.zeros_like(self.level))
        return replace(self, correction=moments - bare.at(distance))

    def of(self, chosen: Sequence[int] | Array) -> Surface:
        """The surface of some of the moments."""
        rows = [int(k) for k in chosen]
        cut = (self.slope[:, rows], self.bend[:, rows], self.correction[rows])
        return replace(self, level=self.level[rows], slope=cut[0], bend=cut[1], correction=cut[2])


def surface(names: Sequence[str], solve: Solve, progress: Callable[[float], None] | None = None) -> Surface:
    """Solve the central world and both ends of every parameter.

    Where one end cannot be solved the other gives the slope; a parameter that can be solved at neither end does not move.

    Raises:
        ValueError: the central world cannot be solved.
    """
    centre = solve({})
    if centre is None:
        raise ValueError("the world at central values cannot be solved")
    slopes, bends, unsolved, solved = [], [], [], 1
    for n, name in enumerate(names):
        up = solve({name: 1.0})
        still = up is not None and np.abs(up - centre).max() <= STILL
        down = 2 * centre - up if still and up is not None else solve({name: -1.0})
        solved += 1 if still else 2
        unsolved += [f"{name} {end}" for end, found in (("high", up), ("low", down)) if found is None]
        if up is None or down is None:
            up, down = _mirrored(centre, up, down)
        slopes.append((up - down) / 2)
        bends.append((up + down) / 2 - centre)
        if progress:
            progress((n + 1) / len(names))
    shape = (len(names), len(centre))
    return Surface(
        tuple(names),
        centre,
        np.reshape(slopes, shape),
        np.reshape(bends, shape),
        np.zeros_like(centre),
        solved,
        tuple(unsolved),
    )


def _mirrored(centre: Array, up: Array | None, down: Array | None) -> tuple[Array, Array]:
    if up is not None:
        return up, 2 * centre - up
    return (centre, centre) if down is None else (2 * centre - down, down)

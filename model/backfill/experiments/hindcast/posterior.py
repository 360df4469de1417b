"""Least squares with priors: what observed figures say of parameters, and how well they are then known.

With scores ``z = z_0 + d`` standard normal before anything is seen, moments ``m(d)`` and observed logarithms ``y`` with standard
errors ``s``, the fit minimises

    |d + z_0|^2 + sum_i ((m_i(d) - y_i) / s_i)^2

and by Laplace's method the posterior is normal around the minimum with covariance ``(I + J' S^-2 J)^-1``, J the Jacobian there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backfill.experiments.hindcast.surface import FARTHEST, Surface

Array = np.ndarray


@dataclass(frozen=True)
class Posterior:
    """Parameters after the fit, as distances from their central scores.

    Attributes:
        mode: ``[parameter]``.
        covariance: ``[parameter, parameter]``.
        information: of the figures alone, ``J' S^-2 J``.
        misfit: sum of squares of figures at the mode.
        penalty: sum of squares of scores at the mode.
    """

    mode: Array
    covariance: Array
    information: Array
    misfit: float
    penalty: float

    @property
    def spread(self) -> Array:
        """Standard deviation of each parameter's score; that of the prior is 1."""
        return np.sqrt(np.diag(self.covariance))

    def draws(self, count: int, seed: int) -> Array:
        """``[draw, parameter]``."""
        return np.random.default_rng(seed).multivariate_normal(self.mode, self.covariance, count, method="cholesky")


def fit(surface: Surface, y: Array, s: Array, centre: Array, held: dict[int, float] | None = None) -> Posterior:
    """The posterior given observed figures.

    Args:
        surface: moments that were observed, in the order of ``y``.
        y, s: logarithms and their standard errors.
        centre: scores of the central values, ``z_0``.
        held: parameters (by place) that stay at a distance, as in a profile.
    """
    from scipy.optimize import least_squares

    held = held or {}
    free = np.array([k for k in range(len(centre)) if k not in held], int)
    whole = np.zeros(len(centre))
    for k, value in held.items():
        whole[k] = value

    def full(x: Array) -> Array:
        d = whole.copy()
        d[free] = x
        return d

    def residual(x: Array) -> Array:
        d = full(x)
        return np.concatenate([d + centre, (surface.at(d) - y) / s])

    def slope(x: Array) -> Array:
        return np.concatenate([np.eye(len(centre)), surface.jacobian(full(x)) / s[:, None]])[:, free]

    found = least_squares(
        residual,
        np.zeros(len(free)),
        slope,  # pyright: ignore[reportArgumentType]
        bounds=(-FARTHEST, FARTHEST),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    mode = full(found.x)
    jacobian = surface.jacobian(mode) / s[:, None]
    information = jacobian.T @ jacobian
    covariance = np.linalg.inv(np.eye(len(mode)) + information)
    misfit = float(np.sum(((surface.at(mode) - y) / s) ** 2))
    return Posterior(mode, covariance, information, misfit, float(np.sum((mode + centre) ** 2)))


@dataclass(frozen=True)
class Refined:
    """A fit whose mode was solved.

    Attributes:
        posterior: at the mode.
        surface: through the world solved there.
        moments: of that world.
        moved: how far the last correction moved the mode, in standard deviations of priors.
        worlds: solved on the way.
    """

    posterior: Posterior
    surface: Surface
    moments: Array
    moved: float
    worlds: int


def refine(
    surface: Surface, chosen: Array, y: Array, s: Array, centre: Array, solve: Callable[[Array], Array | None],
    *, rounds: int = 6, close: float = 0.02,
) -> Refined:  # fmt: skip
    """Fit, solve the world at the mode, shift the surface through it and fit again, until the mode stays.

    Where a world cannot be solved, half the way is tried.

    Args:
        surface: all moments.
        chosen: places of those observed for the fit.
        solve: all moments at distances of parameters; None where the world cannot be solved.
        rounds, close: most rounds, and the largest move of a score at which to stop.

    Raises:
        ValueError: no world on the way can be solved.
    """
    at, moments, moved, worlds = np.zeros(len(centre)), None, np.inf, 0
    posterior = fit(surface.of(chosen), y, s, centre)
    for _ in range(rounds):
        target, found = posterior.mode, None
        for _ in range(4):
            found, worlds = solve(target), worlds + 1
            if found is not None:
                break
            target = (target + at) / 2
        if found is None:
            break
        at, moments = target, found
        surface = surface.through(at, moments)
        posterior = fit(surface.of(chosen), y, s, centre)
        moved = float(np.abs(posterior.mode - at).max(initial=0.0))
        if moved <= close:
            break
    if moments is None:
        raise ValueError("no world can be solved at the parameters that fit")
    return Refined(posterior, surface, moments, moved, worlds)

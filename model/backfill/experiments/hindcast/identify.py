"""Which parameters the observed moments pin down, and which only their priors do.

With parameters scaled by their priors (scores, standard deviation 1), J the Jacobian of logarithms of moments and S their
errors, the information of the figures is ``H = J' S^-2 J``, that of the priors I. Along an eigenvector of H with eigenvalue h
the posterior's spread is ``1 / sqrt(1 + h)`` of the prior's: directions with h above 1 are told by the figures, others by the
priors. A profile holds one parameter and fits the others: the rise of the sum of squares above its least is a likelihood ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from backfill.experiments.hindcast.posterior import fit
from backfill.experiments.hindcast.surface import Surface

PINNED = 0.5
"""Spread after over spread before, below which a parameter counts as pinned down: the figures know more of it than the prior."""

PINNED_DOWN, INFORMED, PRIOR_ONLY = "pinned down", "informed", "prior only"
LEARNED = 0.9
"""Below this the figures say something of it."""

POINTS = np.linspace(-2.0, 2.0, 9)
NAMED = 0.3
"""Weights of parameters in a direction that are named."""

Array = np.ndarray


@dataclass(frozen=True)
class Identified:
    """What the figures say of parameters.

    Attributes:
        parameters: name, spread by figures and prior over the prior's, ratio of information, verdict.
        directions: eigenvalue by direction, its spread, and the parameters that make it up.
        weights: eigenvectors, long.
        profiles: sum of squares above the least, by parameter and score; of figures and priors, and of figures alone.
    """

    parameters: pl.DataFrame
    directions: pl.DataFrame
    weights: pl.DataFrame
    profiles: pl.DataFrame


def identify(surface: Surface, y: Array, s: Array, centre: Array, at: Array, profiled: int = 6) -> Identified:
    """Local information at a point, and profiles of the parameters that are best known.

    Args:
        surface: moments that were observed.
        y, s: logarithms and their standard errors.
        centre: scores of central values.
        at: where the information is taken.
        profiled: how many parameters get a profile.
    """
    jacobian = surface.jacobian(at) / s[:, None]
    information = jacobian.T @ jacobian
    spread = np.sqrt(np.diag(np.linalg.inv(np.eye(len(at)) + information)))
    values, vectors = np.linalg.eigh(information)
    order = np.argsort(values)[::-1][: min(len(y), len(at))]
    parameters = pl.DataFrame(
        {
            "parameter": list(surface.names),
            "spread": spread,
            "alone": 1 / np.sqrt(1 + np.diag(information)),
            "verdict": [verdict(x) for x in spread],
        }
    ).sort("spread")
    directions = pl.DataFrame(
        [
            (
                n + 1,
                float(max(values[k], 0.0)),
                float(1 / np.sqrt(1 + max(values[k], 0.0))),
                _named(surface.names, vectors[:, k]),
            )
            for n, k in enumerate(order)
        ],
        schema={"direction": pl.Int64, "information": pl.Float64, "spread": pl.Float64, "made_of": pl.String},
        orient="row",
    )
    weights = pl.DataFrame(
        [(n + 1, name, float(vectors[j, k])) for n, k in enumerate(order) for j, name in enumerate(surface.names)],
        schema={"direction": pl.Int64, "parameter": pl.String, "weight": pl.Float64},
        orient="row",
    )
    chosen = list(parameters["parameter"][:profiled])
    return Identified(parameters, directions, weights, profiles(surface, y, s, centre, chosen))


def verdict(spread: float) -> str:
    """What a spread relative to the prior's means."""
    return PINNED_DOWN if spread <= PINNED else (INFORMED if spread <= LEARNED else PRIOR_ONLY)


def profiles(surface: Surface, y: Array, s: Array, centre: Array, names: Sequence[str]) -> pl.DataFrame:
    """Profile likelihoods: one parameter held at each of `POINTS`, all others fitted."""
    best = fit(surface, y, s, centre)
    least = best.misfit + best.penalty
    rows = []
    for name in names:
        k = surface.names.index(name)
        for point in POINTS:
            found = fit(surface, y, s, centre, {k: float(point)})
            own = (float(point) + centre[k]) ** 2
            rows.append((name, float(point), found.misfit + found.penalty - least, found.misfit + found.penalty - own))
    table = pl.DataFrame(
        rows,
        schema={"parameter": pl.String, "score": pl.Float64, "rise": pl.Float64, "rise_figures": pl.Float64},
        orient="row",
    )
    return table.with_columns(pl.col("rise_figures") - pl.col("rise_figures").min().over("parameter"))


def _named(names: Sequence[str], vector: Array) -> str:
    large = sorted((k for k in range(len(names)) if abs(vector[k]) >= NAMED), key=lambda k: -abs(vector[k]))
    sign = 1.0 if not large or vector[large[0]] > 0 else -1.0
    return ", ".join(f"{sign * vector[k]:+.2f} {names[k]}" for k in large)

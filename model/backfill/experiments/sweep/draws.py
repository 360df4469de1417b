"""Points of a design: all combinations, value by value, or drawn in the unit cube and carried to the axes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from backfill.experiments.sweep.file import Axis, Choice

Array = NDArray[np.float64]
Quantile = Callable[[Array], Array]
"""From shares in (0, 1) to values of an axis."""


def generator(seed: str | int) -> np.random.Generator:
    """A generator of random numbers for the name of a draw."""
    digest = hashlib.sha256(f"{type(seed).__name__}:{seed}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def cube(by: str, samples: int, dimensions: int, seed: str | int) -> Array:
    """Points in the unit cube, ``[point, dimension]``.

    Args:
        by: ``"random"``; ``"latin_hypercube"``; ``"sobol"``, scrambled (Owen 1998); or ``"saltelli"``: for each base
            point of two halves A and B of one Sobol sequence A, then A with one coordinate after the other taken from B, then B
            (Saltelli et al. 2010), which gives first and total indices.
        samples: how many; of saltelli the base, ``dimensions + 2`` points each.
        dimensions: how many coordinates.
        seed: name of the draw.
    """
    from scipy.stats import qmc

    draw = generator(seed)
    if by == "random":
        return draw.random((samples, dimensions))
    if by == "latin_hypercube":
        return qmc.LatinHypercube(dimensions, rng=draw).random(samples)
    if by == "sobol":
        return qmc.Sobol(dimensions, rng=draw).random(samples)
    base = qmc.Sobol(2 * dimensions, rng=draw).random(samples)
    a, b = base[:, :dimensions], base[:, dimensions:]
    blocks = np.repeat(a[:, None], dimensions + 2, axis=1)
    for n in range(dimensions):
        blocks[:, n + 1, n] = b[:, n]
    blocks[:, -1] = b
    return blocks.reshape(-1, dimensions)


def points(axes: Sequence[Axis], quantiles: Sequence[Quantile | None], choice: Choice, by: str) -> Array:
    """Values of all axes, ``[point, axis]``; the last axis moves fastest in a grid.

    Args:
        axes: what moves.
        quantiles: how a share becomes a value, for axes that have a prior.
        choice: samples and seed.
        by: how points are put together.
    """
    if not axes:
        return np.zeros((1, 0))
    if by in ("grid", "listed"):
        values = [_values(axis, quantile) for axis, quantile in zip(axes, quantiles, strict=True)]
        return np.array(list(zip(*values, strict=True) if by == "listed" else itertools.product(*values)), float)
    shares = cube(by, choice.samples or 1, len(axes), choice.seed)
    drawn = [_at(axis, quantile, shares[:, n]) for n, (axis, quantile) in enumerate(zip(axes, quantiles, strict=True))]
    return np.stack(drawn, axis=1)


def _values(axis: Axis, quantile: Quantile | None) -> Array:
    if axis.values is not None:
        return np.array(axis.values, float)
    if axis.low is not None and axis.high is not None:
        return _rounded(np.linspace(axis.low, axis.high, axis.points or 2))
    assert quantile is not None
    low, high = quantile(np.array([0.0, 1.0]))
    return _rounded(np.linspace(low, high, axis.points or 2))


def _at(axis: Axis, quantile: Quantile | None, shares: Array) -> Array:
    if axis.values is not None:
        return np.array(axis.values, float)[np.minimum((shares * len(axis.values)).astype(int), len(axis.values) - 1)]
    if axis.low is not None and axis.high is not None:
        return _rounded(axis.low + shares * (axis.high - axis.low))
    assert quantile is not None
    return _rounded(quantile(shares))


def _rounded(values: Array) -> Array:
    """Twelve digits, so that a value read from a file is the value solved."""
    return np.array([float(f"{value:.12g}") for value in values])

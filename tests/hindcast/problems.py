"""Least-squares problems whose posterior is known."""

from __future__ import annotations

import numpy as np

from backfill.experiments.hindcast.surface import Surface, surface

NAMES = ("alpha", "beta", "gamma")


def linear(matrix: np.ndarray, level: np.ndarray) -> Surface:
    """The surface of ``level + matrix d``, found by solving it as if it were a world."""

    def solve(moved: dict[str, float]) -> np.ndarray:
        return level + matrix @ np.array([moved.get(name, 0.0) for name in NAMES])

    return surface(NAMES, solve)

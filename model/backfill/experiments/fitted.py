"""Where one world stands, in the shapes of another: with its classes of builders and its quantity limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backfill.trade.sensitivity import PlanSlopes

_CLASSES = {"use_by_addition": 3, "cost_by_rent": 2}
"""Axis of the builders' classes in the slopes."""


def with_classes(array: np.ndarray, axis: int, count: int) -> np.ndarray:
    """The array with ``count`` classes of builders: more with nobody in them, or without the last ones."""
    held = array.shape[axis]
    wider = np.pad(array, [(0, max(count - held, 0) if n == axis else 0) for n in range(array.ndim)])
    return np.take(wider, range(count), axis)


def with_limits(vector: np.ndarray, before: Sequence[str], after: Sequence[str]) -> np.ndarray:
    """The markets' unknowns ``[period, unknown]``, rents of limits last, with other limits; new ones have no rent."""
    states = vector.shape[1] - len(before)
    found = np.zeros((len(vector), states + len(after)))
    mine, its = _places(states, before, after)
    found[:, its] = vector[:, mine]
    return found


def slopes_with(slopes: PlanSlopes, classes: int, before: Sequence[str], after: Sequence[str]) -> PlanSlopes:
    """The markets' slopes with other classes and limits; what is not known moves by itself alone."""
    parts = {name: with_classes(getattr(slopes, name), axis, classes) for name, axis in _CLASSES.items()}
    if tuple(before) != tuple(after):
        states = slopes.inverse.shape[1] - len(before)
        mine, its = _places(states, before, after)
        inverse = np.tile(np.eye(states + len(after), dtype=slopes.inverse.dtype), (len(slopes.inverse), 1, 1))
        inverse[:, its[:, None], its] = slopes.inverse[:, mine[:, None], mine]
        parts["inverse"] = inverse
    return slopes._replace(**parts)


def _places(states: int, before: Sequence[str], after: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Places of what both have."""
    shared = [name for name in after if name in before]
    mine, its = ([states + list(names).index(name) for name in shared] for names in (before, after))
    return np.array([*range(states), *mine]), np.array([*range(states), *its])

"""Averages by period of what measures have written: the wedges of a policy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backfill.policy.board import Board
from backfill.policy.wedges import Wedges

MADE_OF: Mapping[str, tuple[str, ...]] = {
    "coverage": ("coverage", "parts", "refused"),
    "tariff": ("tariff",),
    "levy": ("levy",),
    "real_cost": ("real_cost",),
    "enforcement": ("enforcement",),
    "advanced": ("advanced", "coverage", "parts", "refused"),
    "detection": ("missed",),
    "remote": ("remote",),
    "outlay": ("outlay",),
    "wear": ("wear",),
    "subsidy": ("subsidy",),
    "knowledge": ("knowledge",),
    "lock_in": ("lock_in",),
}
"""Arrays of `Wedges`, to those of the board that they are made of."""

_MOST = {"wear": 0.9, "subsidy": 0.95}

_DIGITS = 12
"""Decimals kept: what averaging over stretches leaves in the last bits would make equal coverages differ."""


def gathered(board: Board) -> Wedges:
    """Averages by period of what has been written."""
    found: dict[str, np.ndarray] = {}
    for name in MADE_OF:
        found[name] = average(board, name, found)
    return Wedges(**found, limits=tuple(board.limits))


def average(board: Board, name: str, found: Mapping[str, np.ndarray]) -> np.ndarray:
    """Averages by period of one of the arrays of `Wedges`.

    Args:
        board: written to.
        name: which one, a key of `MADE_OF`.
        found: those before it in `MADE_OF`.
    """
    time = board.timeline
    if name in ("coverage", "advanced"):
        open_ = 1 - board.closed(advanced_only=name == "advanced")
        open_ *= 1 - board.refused
        closed = _abroad(board, np.subtract(1, open_, out=open_))
        np.minimum(closed, 1.0, out=closed)
        return closed if name == "coverage" else np.where(closed > found["coverage"], closed, 0.0)
    if name in ("tariff", "levy", "real_cost", "remote", "lock_in"):
        return _abroad(board, getattr(board, name))
    if name == "detection":
        return _exact(time.average(1 - board.missed))
    if name == "outlay":
        return _exact(time.average(board.outlay) * np.array([period.years for period in time.periods])[:, None])
    if name in _MOST:
        return _exact(np.minimum(time.average(getattr(board, name)), _MOST[name]))
    return _exact(time.average(getattr(board, name)))


def _abroad(board: Board, values: np.ndarray) -> np.ndarray:
    """Averages by period of what holds between different regions."""
    found = board.timeline.average(values) * board.foreign
    return np.round(found, _DIGITS, out=found)


def _exact(values: np.ndarray) -> np.ndarray:
    return np.round(values, _DIGITS)

"""Duties, levies and subsidies that together would leave no price."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backfill.policy.board import Board
from backfill.policy.contradictions import Contradiction
from backfill.policy.policy import Placed

PARTS = {
    "duties": ("tariff",),
    "levies and costs on the exporter's price": ("levy", "real_cost"),
}
"""Factors of a route's price, ``1 + sum``, to what the board adds up in each; base-year duties are a factor of their own."""


def without_price(
    placed: Sequence[Placed], write: Callable[[Sequence[Placed]], Board], exists: np.ndarray | None
) -> list[Contradiction]:
    """Measures whose sum takes off the whole price or more, of a flow on a day: each set of them once.

    Args:
        placed: the measures.
        write: the board once measures have acted.
        exists: ``[product, origin, destination]``, where the benchmark has a flow; None takes every flow as possible.
    """
    board, found = write(placed), []
    for name, wedges in PARTS.items():
        total = _sum(board, wedges)
        low = (total <= -1) & (True if exists is None else exists) & ~np.eye(total.shape[-1], dtype=bool)
        if not low.any():
            continue
        parts = [total - _sum(write([other for other in placed if other is not one]), wedges) for one in placed]
        lowering = np.array([part[low] < 0 for part in parts])
        for places in np.unique(lowering, axis=1).T:
            *others, last = (one for one, lowers in zip(placed, places, strict=True) if lowers)
            least = total[low][(lowering == places[:, None]).all(axis=0)].min()
            if others:
                why = f"with which it lowers {name} by {-least:.0%} of the price, so that none is left"
                found.append(Contradiction(last, tuple(others), why))
    return found


def _sum(board: Board, wedges: Sequence[str]) -> np.ndarray:
    return np.sum([getattr(board, wedge) for wedge in wedges], axis=0)

"""Controls of parts of a product that together would be more than the product."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backfill.policy.board import Board
from backfill.policy.contradictions import Contradiction
from backfill.policy.policy import Placed

_ROUNDING = 1e-9


def more_than_whole(
    placed: Sequence[Placed], write: Callable[[Sequence[Placed]], Board], exists: np.ndarray | None
) -> list[Contradiction]:
    """Measures whose parts of a product add up to more than the product, of a flow on a day, with the last of them.

    Args:
        placed: the measures.
        write: the board once measures have acted.
        exists: ``[product, origin, destination]``, where the benchmark has a flow; None takes every flow as possible.
    """
    total = _sum(write(placed))
    high = (total > 1 + _ROUNDING) & (True if exists is None else exists) & ~np.eye(total.shape[-1], dtype=bool)
    if not high.any():
        return []
    *others, last = (
        one for one in placed if (_sum(write([other for other in placed if other is not one])) < total)[high].any()
    )
    why = f"with which it closes parts of a product that make up {total[high].max():.0%} of it"
    return [Contradiction(last, tuple(others), why)]


def _sum(board: Board) -> np.ndarray:
    return np.sum([np.zeros_like(board.coverage), *board.parts.values()], axis=0)

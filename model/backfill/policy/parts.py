"""Controls of parts of a product: what they add up to, and where that is more than the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backfill.policy.board import Board
from backfill.policy.contradictions import Contradiction
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.policy import Placed

_ROUNDING = 1e-9


def more_than_whole(
    placed: Sequence[Placed], write: Callable[[Sequence[Placed]], Board], exists: np.ndarray | None
) -> list[Contradiction]:
    """Measures whose parts of a product add up to more than the product, on the first day on which some do; the last is told.

    Args:
        placed: the measures.
        write: the board once measures have acted.
        exists: ``[product, origin, destination]``, where the benchmark has a flow; None takes every flow as possible.
    """
    board = write(placed)
    total = board.parts.total()
    high = (total > 1 + _ROUNDING) & (True if exists is None else exists) & ~np.eye(total.shape[-1], dtype=bool)
    if not high.any():
        return []
    first = int(high.any(axis=(1, 2, 3)).argmax())
    total, high = total[first], high[first]
    *others, last = (
        one for one in placed if (write([other for other in placed if other is not one]).parts.total()[first] < total)[high].any()
    )
    day = board.timeline.begins[first].isoformat()
    why = f"with which it closes parts of a product that make up {total[high].max():.0%} of it from {day} on"
    return [Contradiction(last, tuple(others), why)]


def adding_up(placed: Sequence[Placed], board: Board) -> Iterator[tuple[Placed, str]]:
    """Measures of the policy's own file that control a part of flows of which others control other parts, with what that does.

    Args:
        placed: the measures, as far as they are in force.
        board: an empty board over the model's periods.
    """
    controls = [(one, one.measure) for one in placed if isinstance(one.measure, ExportControl) and one.measure.part]
    for one, mine in controls:
        if mine.included_from:
            continue
        others = [
            f'"{other.part}" of {placed_there.called}'
            for placed_there, other in controls
            if str(other.part).casefold() != str(mine.part).casefold() and _meet(mine, other, board)
        ]
        if others:
            told = " and ".join(others)
            yield one, f"adds up with {told} on the same flows; write the same part if one holds the other"


def _meet(one: ExportControl, other: ExportControl, board: Board) -> bool:
    """Whether two controls are of the same flows on a day."""
    if not (one.when(board) & other.when(board)).any():
        return False
    first, second = (board.flows(board.products(x.products), board.regions(x.by), x.where_to(board)) for x in (one, other))
    return bool((first & second).any())

"""Measures of one policy that cannot both be meant."""

from __future__ import annotations

from itertools import combinations

from backfill.errors import ContradictionError
from backfill.policy.board import Board
from backfill.policy.measures.alignment import Alignment
from backfill.policy.policy import Placed, Policy


def contradictions(policy: Policy, board: Board) -> list[ContradictionError]:
    """Sales promised, capped or levied where another measure closes all of them; an ally that adopts a control at two levels.

    Args:
        policy: the measures.
        board: an empty board over the model's periods.
    """
    found = []
    for one, other in combinations(policy.placed, 2):
        if not (one.measure.when(board) & other.measure.when(board)).any():
            continue
        for closing, open_ in ((one, other), (other, one)):
            shut, wanted = closing.measure.shut(board), open_.measure.counted_on(board)
            if shut is not None and wanted is not None and wanted.any() and not (wanted & ~shut).any():
                found.append(_error(open_, closing, "closes to everybody all that this one counts on"))
        if (
            isinstance(one.measure, Alignment)
            and isinstance(other.measure, Alignment)
            and _two_levels(one, other, board)
        ):
            found.append(_error(other, one, "adopts the same controls at another level at the same time"))
    return found


def _two_levels(one: Placed, other: Placed, board: Board) -> bool:
    first, second = one.measure, other.measure
    if not isinstance(first, Alignment) or not isinstance(second, Alignment) or first.level == second.level:
        return False
    if not (first.level and second.level):
        return False
    return all(
        set(names(a)) & set(names(b))
        for names, a, b in (
            (board.regions, first.region, second.region),
            (board.regions, first.others, second.others),
            (board.products, first.products, second.products),
        )
    )


def _error(placed: Placed, by: Placed, why: str) -> ContradictionError:
    remedy = f"contradicts {by.label}, which {why}; change the dates, the flows or one of the two"
    return ContradictionError(placed.file, placed.key, placed.measure.name or placed.measure.kind, remedy)

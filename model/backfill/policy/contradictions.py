"""Measures of one policy that cannot both be meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from backfill.errors import ContradictionError, show
from backfill.policy.board import Board
from backfill.policy.measures.alignment import Alignment
from backfill.policy.policy import Placed, Policy


@dataclass(frozen=True)
class Contradiction:
    """Measures that cannot all be meant.

    Attributes:
        placed: the measure that is told.
        others: those that it contradicts.
        why: what they do to it, or it to them.
    """

    placed: Placed
    others: tuple[Placed, ...]
    why: str

    @property
    def keys(self) -> set[tuple[str, str]]:
        """File and place of each of the measures."""
        return {(one.file, one.key) for one in (self.placed, *self.others)}

    def error(self) -> ContradictionError:
        """As a mistake of the person who typed it."""
        told, ending, measure = " and ".join(other.called for other in self.others), "", self.placed.measure
        if all(other.measure.included_from and other.measure.name for other in self.others):
            ended = dict.fromkeys((*measure.supersedes, *(other.measure.name for other in self.others)))
            names = ", ".join(show(name) for name in ended)
            ending = f"supersedes = [{names}] in this one ends {'it' if len(self.others) == 1 else 'them'}; or "
        remedy = f"contradicts {told}, {self.why}; {ending}change the dates, the flows or one of the measures"
        return ContradictionError(self.placed.file, self.placed.key, measure.name or measure.kind, remedy)


def contradictions(policy: Policy, board: Board) -> list[Contradiction]:
    """Sales promised, capped or levied where another measure closes all of them; an ally that adopts a control at two levels.

    A measure of the policy's own file that closes what included ones count on is told all of them at once, for it may
    supersede them.

    Args:
        policy: the measures.
        board: an empty board over the model's periods.
    """
    found: list[Contradiction] = []
    included: dict[str, tuple[Placed, list[Placed]]] = {}
    for closing, open_ in _closed(policy, board):
        if open_.measure.included_from and not closing.measure.included_from:
            included.setdefault(closing.key, (closing, []))[1].append(open_)
        else:
            found.append(Contradiction(open_, (closing,), "which closes to everybody all that this one counts on"))
    for closing, others in included.values():
        found.append(Contradiction(closing, tuple(others), "which this one closes to everybody"))
    for one, other in combinations(policy.placed, 2):
        if _together(one, other, board) and _two_levels(one, other, board):
            found.append(Contradiction(other, (one,), "which adopts the same controls at another level at the same time"))
    return found


def _closed(policy: Policy, board: Board) -> Iterator[tuple[Placed, Placed]]:
    """Measures that close to everybody all that another counts on, with that other."""
    for one, other in combinations(policy.placed, 2):
        yield from (pair for pair in ((one, other), (other, one)) if closes(*pair, board))


def closes(closing: Placed, open_: Placed, board: Board) -> bool:
    """Whether a measure closes to everybody all that another counts on, on some day."""
    wanted, closed = open_.measure.counted_on(board), closed_of(closing, open_, board)
    return wanted is not None and closed is not None and np.array_equal(wanted, closed)


def closed_of(closing: Placed, open_: Placed, board: Board) -> np.ndarray | None:
    """Boolean ``[product, origin, destination]`` of what a measure closes to everybody of what another counts on, on some day."""
    shut, wanted = closing.measure.shut(board), open_.measure.counted_on(board)
    if shut is None or wanted is None or not (wanted & shut).any() or not _together(closing, open_, board):
        return None
    return wanted & shut


def _together(one: Placed, other: Placed, board: Board) -> bool:
    """Whether two measures are in force on a day."""
    return bool((one.measure.when(board) & other.measure.when(board)).any())


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

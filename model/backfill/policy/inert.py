"""Measures that change nothing, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.errors import InertMeasureError
from backfill.policy.alike import alike
from backfill.policy.averages import gathered
from backfill.policy.board import Board, FlowExists
from backfill.policy.contradictions import closed_of
from backfill.policy.facts import Facts
from backfill.policy.faults import path
from backfill.policy.parts import adding_up
from backfill.policy.policy import Placed, Policy
from backfill.policy.superseding import believed, in_force, superseded
from backfill.policy.writing import board_of, empty_board, existing_flows, named, stretches


@dataclass(frozen=True)
class Inert:
    """A measure that changes nothing, and why.

    Attributes:
        placed: the measure and its place.
        key: what explains it, a key of the measure or empty.
        value: what is written there.
        remedy: what to write instead.
    """

    placed: Placed
    key: str
    value: object
    remedy: str

    def error(self) -> InertMeasureError:
        """As a mistake of the person who typed it."""
        key = path(self.placed.key, *self.key.split(".")) if self.key else self.placed.key
        return InertMeasureError(self.placed.file, key, self.value, self.remedy)


def inert_measures(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
    among: Sequence[Placed] | None = None,
) -> tuple[Inert, ...]:
    """Measures without which the wedges would be the same.

    Args:
        policy, vocabulary, periods, flow_exists, facts: see `backfill.policy.compile.compile_policy`.
        among: which measures are asked about; all, included ones too, if None.
    """
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    time = stretches(policy, periods)

    def board(placed: Sequence[Placed]) -> Board:
        return board_of(placed, vocabulary, time, exists, facts)

    def needless(one: Placed, others: Sequence[Placed], beside: Board) -> bool:
        return alike(gathered(beside), gathered(board(others)), vocabulary, exists)

    written, ends = board(policy.placed), superseded(policy.placed)
    left = {one.measure.name: one for one in in_force(policy.placed)}
    found = []
    for one in policy.placed if among is None else among:
        if one.measure.answers_behaviour and _for_itself(one, written) is None:
            continue
        doing = _without(policy.placed, one)
        if not needless(one, doing, written):
            continue
        by = ends.get(one.measure.name)
        if by is not None and believed(one, by, periods):
            then = _without(policy.placed, by)
            if not needless(one, _without(then, one), board(then)):
                continue
        why = _explained(one, written)
        if why is None and by is not None:
            why = _ended(one, by, left.get(one.measure.name), written)
        if why is None:
            for other in doing:
                fewer = _without(doing, other)
                beside = board([*fewer, one])
                if needless(one, fewer, beside) and _explained(one, beside) is None:
                    doing = fewer
            why = _beside(one, doing)
        found.append(why)
    return tuple(found)


def idle_measures(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> tuple[Inert, ...]:
    """Measures typed in the policy's own file that change nothing whatever the others do."""
    board = empty_board(policy, vocabulary, periods, flow_exists, facts)
    typed = (one for one in policy.placed if not one.measure.included_from)
    return tuple(found for one in typed if (found := _for_itself(one, board)) is not None)


def idle_names(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> tuple[Inert, ...]:
    """What a measure of the policy's own file does not reach, names and flows that others close, and with which parts it adds up.

    The measure acts for the rest, so that this is no fault: a rule may name whom it does not reach.
    """
    board = empty_board(policy, vocabulary, periods, flow_exists, facts)
    left = in_force(policy.placed)
    found = []
    for placed in left:
        if placed.measure.included_from or _for_itself(placed, board) is not None:
            continue
        for field, name in placed.measure.names_among_several():
            alone = replace(placed, measure=placed.measure.model_copy(update={field: (name,)}))
            why = _for_itself(alone, board)
            if why is not None:
                key = type(placed.measure).model_fields[field].alias or field
                found.append(Inert(placed, key, name, f"changes nothing: {why.remedy}"))
        closed = [
            f"{_flows_named(flows, placed, board)} by {one.called}"
            for one in _without(left, placed)
            if (flows := closed_of(one, placed, board)) is not None
        ]
        if closed:
            told = f"is in part closed to everybody: {'; '.join(closed)}"
            found.append(Inert(placed, "", placed.measure.name or placed.measure.kind, told))
    found += [Inert(placed, "part", getattr(placed.measure, "part", ""), told) for placed, told in adding_up(left, board)]
    return tuple(found)


def _flows_named(flows: np.ndarray, placed: Placed, board: Board) -> str:
    """Some of the flows that a measure counts on, products by destination, and by origin where it counts on several."""
    counted = placed.measure.counted_on(board)
    several = counted is not None and counted.any(axis=(0, 2)).sum() > 1
    products, regions = board.vocabulary.products, board.vocabulary.regions
    to: dict[tuple[str, str], list[str]] = {}
    for i in np.flatnonzero(flows.any(axis=(0, 2))):
        for j in np.flatnonzero(flows[:, i].any(axis=0)):
            sold = ", ".join(products[p] for p in np.flatnonzero(flows[:, i, j]))
            to.setdefault((sold, f" from {regions[i]}" if several else ""), []).append(regions[j])
    return ", ".join(f"{sold}{origin} to {', '.join(places)}" for (sold, origin), places in to.items())


def cut_short(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> tuple[Inert, ...]:
    """Included measures that one of the policy's own file ends so soon that they act in no period, as caps in less than half."""
    board, ends = empty_board(policy, vocabulary, periods, flow_exists, facts), superseded(policy.placed)
    left = {one.measure.name: one for one in in_force(policy.placed)}
    found = []
    for one in policy.placed:
        by = ends.get(one.measure.name)
        if not one.measure.included_from or by is None or by.measure.included_from or one.measure.name not in left:
            continue
        why = None if _for_itself(one, board) else _ended(one, by, left[one.measure.name], board)
        if why is not None:
            key = path("supersedes", by.measure.supersedes.index(one.measure.name))
            found.append(replace(why, placed=by, key=key))
    return tuple(found)


def _without(placed: Sequence[Placed], one: Placed) -> list[Placed]:
    return [other for other in placed if other is not one]


def _ended(placed: Placed, by: Placed, left: Placed | None, board: Board) -> Inert | None:
    """Why a measure that another supersedes can change nothing, None if it can for as long as it lasts.

    Args:
        left: the measure as far as it comes into force; None if it does not.
    """
    name = placed.measure.name
    if left is None:
        return Inert(placed, "", name, f"changes nothing: {by.called} supersedes it before it can act; remove it")
    why = _for_itself(left, board)
    if why is None or left.measure.until is None:
        return None
    told = f"acts in no period: {by.called} ends it on {left.measure.until.isoformat()}: {why.remedy}"
    return Inert(placed, "", name, told)


def _beside(placed: Placed, others: Sequence[Placed]) -> Inert:
    """A measure that changes nothing beside others that do as much."""
    told = " and ".join(other.called for other in others) or "other measures"
    verb = "do" if len(others) != 1 else "does"
    remedy = f"changes nothing: {told} already {verb} as much; remove it or make it go further"
    return Inert(placed, "", placed.measure.name or placed.measure.kind, remedy)


def _explained(placed: Placed, board: Board) -> Inert | None:
    """Why a measure changes nothing, from itself or from what it answers to; None if others do as much."""
    found = _for_itself(placed, board)
    if found is not None:
        return found
    why = placed.measure.why_inert(board)
    return None if why is None else Inert(placed, *why)


def _for_itself(placed: Placed, board: Board) -> Inert | None:
    """Why a measure changes nothing whatever the others do, None if it can."""
    measure, time = placed.measure, board.timeline
    if not measure.when(board).any():
        first, last = time.periods[0].start.isoformat(), time.periods[-1].end.isoformat()
        early = measure.until is not None and measure.until <= time.periods[0].start
        key, value = ("until", measure.until) if early else ("from", measure.begin)
        return Inert(placed, key, value, f"outside the horizon {first} to {last}; change the dates or the horizon")
    with named(placed):
        why = measure.idle(board)
    return None if why is None else Inert(placed, *why)

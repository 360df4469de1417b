"""From a policy to the wedges and limits the markets see, and which of its measures change nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.errors import Faults, InertMeasureError, UnknownProductError, UnknownRegionError, UserError
from backfill.policy.alike import alike
from backfill.policy.averages import gathered
from backfill.policy.board import Board, FlowExists
from backfill.policy.contradictions import closed_of, contradictions
from backfill.policy.facts import Facts
from backfill.policy.faults import path
from backfill.policy.parts import adding_up, more_than_whole
from backfill.policy.policy import Placed, Policy
from backfill.policy.prices import without_price
from backfill.policy.superseding import acting, believed, in_force, superseded
from backfill.policy.timeline import Timeline, timeline
from backfill.policy.wedges import Wedges


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


def compile_policy(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
    inert_allowed: bool = False,
) -> Wedges:
    """Wedges and limits of a policy by period.

    Time is cut at every date the policy names; each stretch has the measures in force in it, and a period is the average of
    its stretches by days: a control with coverage ``phi`` in force for the fraction ``f`` closes ``phi f``, a tariff is
    ``rate f``. Controls in force together count as the widest, tariffs and levies add, detection budgets multiply. A cap is
    whole in periods of which at least half the days are in force and absent in others.

    Args:
        policy: the measures.
        vocabulary: regions and products, in array order.
        periods: periods of the model.
        flow_exists: whether the benchmark has a flow (product, origin, destination); None takes all as possible.
        facts: what measures ask of the benchmark, e.g. whose technology a product contains; None where there is none.
        inert_allowed: let measures change nothing, as where a sweep or a game sets their level (see `inert_measures`).

    Raises:
        Faults: measures typed in the policy's own file that change nothing, and measures that contradict one another.
    """
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    if not inert_allowed:
        _check(policy, vocabulary, periods, exists, facts)
    return gathered(_board(policy.placed, vocabulary, _timeline(policy, periods), exists, facts))


def compile_policies(
    policies: Sequence[Policy],
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> list[Wedges]:
    """What `compile_policy` makes of each with ``inert_allowed``; measures that all act first on are written once.

    Policies cut by the same dates share the longest beginning that they have in common, in the order in which measures act.
    """
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    cut: dict[tuple[dt.date, ...], list[int]] = {}
    times = [_timeline(policy, periods) for policy in policies]
    for n, time in enumerate(times):
        cut.setdefault(time.begins, []).append(n)
    found: dict[int, Wedges] = {}
    for places in cut.values():
        writing = {n: acting(policies[n].placed) for n in places}
        shared = _beginning(list(writing.values()))
        board = _written(Board(vocabulary, times[places[0]], exists, facts), shared)
        for n, placed in writing.items():
            found[n] = gathered(_written(board.copy(), placed[len(shared) :]))
    return [found[n] for n in range(len(policies))]


def check_policy(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> None:
    """What `compile_policy` refuses, without its wedges.

    Raises:
        Faults: measures typed in the policy's own file that change nothing, and measures that contradict one another.
    """
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    _check(policy, vocabulary, periods, exists, facts)


def inert_measures(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> tuple[Inert, ...]:
    """Every measure, included ones too, without which the wedges would be the same."""
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    return tuple(_inert(policy, vocabulary, periods, exists, facts, policy.placed))


def idle_measures(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> tuple[Inert, ...]:
    """Measures typed in the policy's own file that change nothing whatever the others do."""
    board = _empty(policy, vocabulary, periods, flow_exists, facts)
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
    board = _empty(policy, vocabulary, periods, flow_exists, facts)
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
    board, ends = _empty(policy, vocabulary, periods, flow_exists, facts), superseded(policy.placed)
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


def existing_flows(vocabulary: Vocabulary, flow_exists: FlowExists) -> np.ndarray:
    """Boolean ``[product, origin, destination]`` of flows in the benchmark; not to be written to."""
    return _existing(vocabulary.products, vocabulary.regions, flow_exists)


@lru_cache(maxsize=8)
def _existing(products: tuple[str, ...], regions: tuple[str, ...], flow_exists: FlowExists) -> np.ndarray:
    found = np.array([[[flow_exists(p, i, j) for j in regions] for i in regions] for p in products], bool)
    found.flags.writeable = False
    return found


def _check(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    exists: np.ndarray | None,
    facts: Facts | None,
) -> None:
    typed = [one for one in policy.placed if not one.measure.included_from]
    left = Policy(tuple(in_force(policy.placed)))
    time = _timeline(policy, periods)
    clashes = contradictions(left, Board(vocabulary, time, exists, facts))

    def write(placed: Sequence[Placed]) -> Board:
        return _board(placed, vocabulary, time, exists, facts)

    clashes += without_price(left.placed, write, exists) + more_than_whole(left.placed, write, exists)
    told = {key for clash in clashes for key in clash.keys}
    idle = [one for one in typed if (one.file, one.key) not in told]
    faults: list[UserError] = [inert.error() for inert in _inert(policy, vocabulary, periods, exists, facts, idle)]
    faults += [clash.error() for clash in clashes]
    if faults:
        raise Faults(faults)


def _empty(
    policy: Policy, vocabulary: Vocabulary, periods: tuple[Period, ...], flow_exists: FlowExists | None, facts: Facts | None
) -> Board:
    """A board over the policy's own stretches of time on which nothing is written."""
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    return Board(vocabulary, _timeline(policy, periods), exists, facts)


def _timeline(policy: Policy, periods: tuple[Period, ...]) -> Timeline:
    return timeline(periods, [day for measure in policy.measures for day in measure.dates()])


def _board(
    placed: Sequence[Placed],
    vocabulary: Vocabulary,
    time: Timeline,
    exists: np.ndarray | None,
    facts: Facts | None,
) -> Board:
    return _written(Board(vocabulary, time, exists, facts), acting(placed))


def _written(board: Board, placed: Sequence[Placed]) -> Board:
    """The board once measures have acted on it."""
    for one in placed:
        with _named(one):
            one.measure.act(board)
    return board


def _beginning(lists: Sequence[Sequence[Placed]]) -> Sequence[Placed]:
    """The longest beginning that all lists have in common."""
    together = zip(*lists, strict=False)
    return [every[0] for every in takewhile(lambda every: all(one is every[0] or one == every[0] for one in every), together)]


@contextmanager
def _named(placed: Placed) -> Iterator[None]:
    """Give names that stand for nothing here, defaults of a kind among them, the place of their measure."""
    try:
        yield
    except (UnknownRegionError, UnknownProductError) as error:
        raise type(error)(placed.file, placed.key, error.value, error.remedy) from None


def _inert(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    exists: np.ndarray | None,
    facts: Facts | None,
    suspects: Sequence[Placed],
) -> list[Inert]:
    time = _timeline(policy, periods)

    def board(placed: Sequence[Placed]) -> Board:
        return _board(placed, vocabulary, time, exists, facts)

    def needless(one: Placed, others: Sequence[Placed], beside: Board) -> bool:
        return alike(gathered(beside), gathered(board(others)), vocabulary, exists)

    written, ends = board(policy.placed), superseded(policy.placed)
    left = {one.measure.name: one for one in in_force(policy.placed)}
    found = []
    for one in suspects:
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
    return found


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
    with _named(placed):
        why = measure.idle(board)
    return None if why is None else Inert(placed, *why)

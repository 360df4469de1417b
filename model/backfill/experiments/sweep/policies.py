"""Policies at many values of their levers, as wedges: what no lever reaches is compiled once.

Measures act one after the other on a board (`backfill.policy.board`). Up to the first that a lever moves the board is the same
for all scenarios; after that it depends on the levers met so far, and is kept by their values. A board that goes on from another
shares its arrays until something is written to them, and the averages of those that stay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.experiments.levers import with_field
from backfill.experiments.sweep.file import SweepLever
from backfill.policy.averages import MADE_OF, average
from backfill.policy.board import PARTS, Board
from backfill.policy.facts import Facts
from backfill.policy.measure import Measure, Stage
from backfill.policy.measures.redesign import Redesign
from backfill.policy.policy import Placed, Policy
from backfill.policy.superseding import acting
from backfill.policy.timeline import Timeline, timeline
from backfill.policy.wedges import Wedges

KEPT = 4096
"""Boards kept, times the stretches of time in each."""
MET = 100_000
"""Values of levers that are remembered as having been met."""

Key = tuple[int, tuple[float, ...]]
"""How many moved measures have acted, and the values of the levers that reach them."""

_CONTROLS = ("coverage", "advanced", "controls", "advanced_controls", "drawn", "undrawn")
_WRITERS: dict[str, tuple[str, ...]] = {
    "close": _CONTROLS,
    "close_part": PARTS,
    "refuse": ("refused",),
    "scale_enforcement": ("enforcement",),
    "detect": ("missed",),
    "close_remote": ("remote",),
    "spend": ("outlay",),
    "wear_out": ("wear",),
    "subsidise": ("subsidy",),
    "cut_knowledge": ("knowledge",),
    "lock_in_owners": ("lock_in",),
}
"""Arrays that each way of writing on a board touches, besides limits."""
ARRAYS = tuple(name for name in dict.fromkeys([*sum(_WRITERS.values(), ()), "tariff", "levy", "real_cost"]) if name not in PARTS)


class Branch(Board):
    """A board that goes on from another, whose arrays it shares until it writes to them.

    Args:
        stem: the board it goes on from; it must not be written to any more.
        averages: the arrays of its wedges, where they are known.
    """

    def __init__(self, stem: Board, averages: dict[str, np.ndarray] | None = None) -> None:
        self.__dict__.update(stem.__dict__)
        self._stem = stem
        self._own: set[str] = set()
        self._found = averages
        self.limits = list(stem.limits)
        for name in ARRAYS:
            getattr(self, name).flags.writeable = False

    def own(self, *names: str) -> None:
        """Arrays of its own in the place of shared ones."""
        for name in names:
            if name not in self._own:
                setattr(self, name, getattr(self, name).copy())
                self._own.add(name)

    def add(self, wedge: str, *args, **kwargs) -> None:
        self.own(wedge)
        super().add(wedge, *args, **kwargs)

    def within(self, when: np.ndarray) -> Board:
        self.own(*PARTS, *ARRAYS)
        return super().within(when)

    def averages(self) -> dict[str, np.ndarray]:
        """Arrays of wedges; those that are made of what it shares with its stem are the stem's own."""
        if self._found is None:
            before = self._stem.averages() if isinstance(self._stem, Branch) else {}
            self._found = {}
            for name, sources in MADE_OF.items():
                shared = name in before and not self._own & set(sources)
                self._found[name] = before[name] if shared else average(self, name, self._found)
        return self._found

    def wedges(self) -> Wedges:
        """Averages by period of what has been written, see `backfill.policy.averages`."""
        return Wedges(**self.averages(), limits=tuple(self.limits))


def _owning(name: str, written: tuple[str, ...]) -> Callable:
    whole = getattr(Board, name)

    @wraps(whole)
    def write(self: Branch, *args, **kwargs) -> None:
        self.own(*written)
        whole(self, *args, **kwargs)

    return write


for _name, _written in _WRITERS.items():
    setattr(Branch, _name, _owning(_name, _written))


def as_written(policy: Policy) -> Policy:
    """The policy as it is."""
    return policy


class Compiled:
    """Wedges of one policy at any values of its levers.

    Args:
        policy: the policy as written.
        levers: what moves.
        vocabulary, periods, exists, facts: what measures are compiled over (see `compile_policy`).
        alone: the wedges of the last period only. Measures that no lever moves then act before the others of their stage, up to
            designing around, which alone looks back.
        understood: a policy with the shares in its measures as parameters say, measure by measure.
    """

    def __init__(
        self,
        policy: Policy,
        levers: Sequence[SweepLever],
        vocabulary: Vocabulary,
        periods: Sequence[Period],
        exists: np.ndarray | None,
        facts: Facts | None,
        *,
        alone: bool = False,
        understood: Callable[[Policy], Policy] = as_written,
    ) -> None:
        self.levers, self.understood = tuple(levers), understood
        order = acting(policy.placed)
        moved = [tuple(n for n, lever in enumerate(levers) if one.measure.name in lever.measure) for one in order]
        first = next((n for n, own in enumerate(moved) if own), len(moved))
        before = [
            not own and (n < first or alone and order[n].measure.stage <= Stage.REDESIGN) for n, own in enumerate(moved)
        ]
        self.steps = [pair for pair, fixed in zip(zip(order, moved, strict=True), before, strict=True) if not fixed]
        self.reached: list[tuple[int, ...]] = []
        seen: set[int] = set()
        for _, own in self.steps:
            seen |= set(own)
            self.reached.append(tuple(sorted(seen)))
        time = timeline(tuple(periods), [day for measure in policy.measures for day in measure.dates()])
        board = Board(vocabulary, time, exists, facts)
        for one, fixed in zip(order, before, strict=True):
            if fixed:
                for measure in understood(Policy((one,))).measures:
                    measure.act(board)
        self.stem = Branch(_last_period(board) if alone else board)
        self.most = max(KEPT // len(self.stem.timeline.begins), 8)
        self._boards: OrderedDict[Key, Branch] = OrderedDict()
        self._met: set[Key] = set()

    def wedges(self, values: Sequence[float]) -> Wedges:
        """Wedges at values of all levers."""
        numbers = tuple(map(float, values))
        keys = [(n, tuple(numbers[lever] for lever in reached)) for n, reached in enumerate(self.reached)]
        done = next((n for n in reversed(range(len(keys))) if keys[n] in self._boards), -1)
        again = next((n for n in reversed(range(done + 1, len(keys))) if keys[n] in self._met), None)
        board = self.stem if done < 0 else self._kept(keys[done])
        board = Branch(board) if done + 1 < len(keys) else board
        for n in range(done + 1, len(keys)):
            self._act(n, numbers, board)
            if n == again:
                self._keep(keys[n], board)
                board = Branch(board) if n + 1 < len(keys) else board
        self._met.update(keys)
        if len(self._met) > MET:
            self._met.clear()
        return board.wedges()

    def written(self, values: Sequence[float | np.ndarray], board: Branch) -> Branch:
        """A board that goes on from the stem, once all moved measures have acted on it.

        Args:
            values: of all levers, numbers or arrays ``[stretch]``.
            board: written to.
        """
        for n in range(len(self.steps)):
            self._act(n, values, board)
        return board

    def _act(self, step: int, values: Sequence[float | np.ndarray], board: Branch) -> None:
        placed, own = self.steps[step]
        moved = replace(placed, measure=self._at(placed.measure, own, values))
        for measure in self.understood(Policy((moved,))).measures:
            if isinstance(measure, Redesign):
                board.own(*ARRAYS)
            measure.act(board)

    def _kept(self, key: Key) -> Branch:
        self._boards.move_to_end(key)
        return self._boards[key]

    def _keep(self, key: Key, board: Branch) -> None:
        """Keep a board that was met before, and will be again; the one used least recently makes room."""
        self._boards[key] = board
        if len(self._boards) > self.most:
            self._boards.popitem(last=False)

    def _at(self, measure: Measure, own: Sequence[int], values: Sequence[float | np.ndarray]) -> Measure:
        for n in own:
            measure = with_field(measure, self.levers[n].field, values[n])
        return measure


def policy_at(policy: Policy, levers: Sequence[SweepLever], values: Sequence[float]) -> Policy:
    """The policy with every lever at its value."""
    placed: list[Placed] = []
    for one in policy.placed:
        measure = one.measure
        for lever, value in zip(levers, values, strict=True):
            if measure.name in lever.measure:
                measure = with_field(measure, lever.field, float(value))
        placed.append(replace(one, measure=measure))
    return Policy(tuple(placed))


def last(wedges: Wedges) -> Wedges:
    """Wedges of the last period alone."""
    limits = tuple(replace(limit, quantity=limit.quantity[-1:]) for limit in wedges.limits)
    arrays = {name: getattr(wedges, name)[-1:] for name in (*MADE_OF, "foreseen")}
    return replace(wedges, **arrays, limits=limits)


def _last_period(board: Board) -> Board:
    """The stretches of a board that lie in its last period."""
    time = board.timeline
    there = time.period == len(time.periods) - 1
    chosen = np.flatnonzero(there)
    short = Timeline(
        time.periods[-1:], tuple(time.begins[n] for n in chosen), tuple(time.ends[n] for n in chosen),
        np.zeros(len(chosen), int), time.weight[there],
    )  # fmt: skip
    alone = Board(board.vocabulary, short, board.exists, board.facts)
    for name in ARRAYS:
        setattr(alone, name, getattr(board, name)[chosen])
    for name in PARTS:
        setattr(alone, name, getattr(board, name).at(chosen))
    alone.limits = [replace(limit, quantity=limit.quantity[-1:]) for limit in board.limits]
    return alone

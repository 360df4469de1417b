"""Wedges of one period at many values of levers, written at once: each choice of values is a period of one board.

Levers are then arrays over stretches of time (see `backfill.policy.board.Board.during`). Where a measure cannot take one as such,
choices are compiled one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import lru_cache

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.experiments.sweep.file import SweepLever
from backfill.experiments.sweep.policies import ARRAYS, Branch, Compiled, as_written, last, policy_at
from backfill.policy.board import PARTS, Board, FlowExists
from backfill.policy.compile import compile_policy
from backfill.policy.facts import Facts
from backfill.policy.policy import Policy
from backfill.policy.timeline import Timeline
from backfill.policy.wedges import Wedges, joined, stacked
from backfill.policy.writing import existing_flows

AT_ONCE = 64
"""Choices on one board: arrays that levers reach take some 50 kB for each choice, the others none."""


@dataclass(frozen=True)
class OnePeriod:
    """Wedges of one period by the values of levers.

    Attributes:
        one: the wedges at one choice of values.
        at_once: the wedges, stacked, at up to `AT_ONCE` choices ``[choice, lever]``; None where a measure takes no arrays.
    """

    one: Callable[[Sequence[float]], Wedges]
    at_once: Callable[[np.ndarray], Wedges] | None = None

    def many(self, values: np.ndarray) -> Wedges:
        """The wedges, stacked, at choices ``[choice, lever]``."""
        if self.at_once is None:
            return stacked([self.one(choice) for choice in values.tolist()])
        return joined([self.at_once(part) for part in np.split(values, range(AT_ONCE, len(values), AT_ONCE))])


def one_period(
    policy: Policy,
    levers: Sequence[SweepLever],
    vocabulary: Vocabulary,
    periods: Sequence[Period],
    at: int,
    flow_exists: FlowExists | None,
    facts: Facts | None,
    tried: Sequence[Sequence[float]],
    understood: Callable[[Policy], Policy] = as_written,
) -> OnePeriod:
    """Wedges of one period by the values of levers.

    A measure that designs around a control looks at earlier periods. Where the controls that levers move are others than those
    that it designs around, as is seen where levers stand at their ends, moved measures act in that period alone.

    Args:
        policy, levers, vocabulary, flow_exists, facts: see `Compiled`.
        periods: periods of the model.
        at: place of the period.
        tried: choices of values at which ways to compile are compared.
        understood: see `Compiled`.
    """
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    whole = tuple(periods[: at + 1])
    alone = Compiled(policy, levers, vocabulary, whole, exists, facts, alone=True, understood=understood)

    def over_all(values: Sequence[float]) -> Wedges:
        moved = understood(policy_at(policy, levers, values))
        return last(compile_policy(moved, vocabulary, whole, flow_exists=flow_exists, facts=facts, inert_allowed=True))

    if all(_same(alone.wedges(values), over_all(values)) for values in tried):
        return OnePeriod(alone.wedges, _at_once(alone, np.array(tried, float)))
    compiled = Compiled(policy, levers, vocabulary, whole, exists, facts, understood=understood)
    return OnePeriod(lambda values: last(compiled.wedges(values)))


def _at_once(compiled: Compiled, tried: np.ndarray) -> Callable[[np.ndarray], Wedges] | None:
    """What writes choices at once; None where that is not what they are one by one."""
    stretches = len(compiled.stem.timeline.begins)

    @lru_cache(maxsize=2)
    def stem(count: int) -> Branch:
        return _repeated(compiled.stem, count)

    def at_once(values: np.ndarray) -> Wedges:
        return compiled.written(np.repeat(values, stretches, axis=0).T, Branch(stem(len(values)))).wedges()

    way = OnePeriod(compiled.wedges, at_once)
    try:
        alike = len(tried) > 0 and _same(
            way.many(tried), stacked([compiled.wedges(choice) for choice in tried.tolist()])
        )
    except (TypeError, ValueError, IndexError):
        return None
    return at_once if alike else None


def _repeated(board: Branch, times: int) -> Branch:
    """The board of one period with that period so many times; what is the same in all is kept once where that can be."""
    time = board.timeline
    many = Timeline(
        time.periods * times, time.begins * times, time.ends * times,
        np.repeat(np.arange(times), len(time.begins)), np.tile(time.weight, times),
    )  # fmt: skip
    found = Board(board.vocabulary, many, board.exists, board.facts)
    for name in ARRAYS:
        setattr(found, name, _tiled(getattr(board, name), times))
    for name in PARTS:
        setattr(found, name, getattr(board, name).at(np.tile(np.arange(len(time.begins)), times)))
    found.limits = [replace(limit, quantity=np.tile(limit.quantity, times)) for limit in board.limits]
    return Branch(found, {name: _tiled(average, times) for name, average in board.averages().items()})


def _tiled(array: np.ndarray, times: int) -> np.ndarray:
    """The array so many times along its leading axis."""
    shape = (len(array) * times, *array.shape[1:])
    return np.broadcast_to(array, shape) if len(array) == 1 else np.concatenate([array] * times)


def _same(one: Wedges, other: Wedges) -> bool:
    """Whether wedges are the same to the bit, limits in whatever order."""
    limits = [
        sorted(astuple(replace(x, quantity=tuple(x.quantity.tolist()))) for x in wedges.limits)
        for wedges in (one, other)
    ]
    arrays = (field.name for field in fields(Wedges) if field.name != "limits")
    return limits[0] == limits[1] and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)

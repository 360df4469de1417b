"""Boards with measures written on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from backfill.dimensions import Period, Vocabulary
from backfill.errors import UnknownProductError, UnknownRegionError
from backfill.policy.board import Board, FlowExists
from backfill.policy.facts import Facts
from backfill.policy.policy import Placed, Policy
from backfill.policy.superseding import acting
from backfill.policy.timeline import Timeline, timeline


def existing_flows(vocabulary: Vocabulary, flow_exists: FlowExists) -> np.ndarray:
    """Boolean ``[product, origin, destination]`` of flows in the benchmark; not to be written to."""
    return _existing(vocabulary.products, vocabulary.regions, flow_exists)


@lru_cache(maxsize=8)
def _existing(products: tuple[str, ...], regions: tuple[str, ...], flow_exists: FlowExists) -> np.ndarray:
    found = np.array([[[flow_exists(p, i, j) for j in regions] for i in regions] for p in products], bool)
    found.flags.writeable = False
    return found


def empty_board(
    policy: Policy, vocabulary: Vocabulary, periods: tuple[Period, ...], flow_exists: FlowExists | None, facts: Facts | None
) -> Board:
    """A board over the policy's own stretches of time on which nothing is written."""
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    return Board(vocabulary, stretches(policy, periods), exists, facts)


def stretches(policy: Policy, periods: tuple[Period, ...]) -> Timeline:
    """The periods, cut at every date that the policy names."""
    return timeline(periods, [day for measure in policy.measures for day in measure.dates()])


def board_of(
    placed: Sequence[Placed],
    vocabulary: Vocabulary,
    time: Timeline,
    exists: np.ndarray | None,
    facts: Facts | None,
) -> Board:
    """A board once measures have acted on it in their order."""
    return written(Board(vocabulary, time, exists, facts), acting(placed))


def written(board: Board, placed: Sequence[Placed]) -> Board:
    """The board once measures have acted on it."""
    for one in placed:
        with named(one):
            one.measure.act(board)
    return board


@contextmanager
def named(placed: Placed) -> Iterator[None]:
    """Give names that stand for nothing here, defaults of a kind among them, the place of their measure."""
    try:
        yield
    except (UnknownRegionError, UnknownProductError) as error:
        raise type(error)(placed.file, placed.key, error.value, error.remedy) from None

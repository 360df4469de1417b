"""From a sweep's table to its scenarios and chunks, which depend on nothing but the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backfill.economy.priors import load_priors
from backfill.experiments.sweep.draws import Array, points
from backfill.experiments.sweep.file import TOGETHER, SweepTable

FEWEST_CHUNKS = 8
"""Small sweeps are cut into at least so many, so that all cores have work."""


@dataclass(frozen=True)
class Chunk:
    """Scenarios solved and written together.

    Attributes:
        number: its place.
        scenarios: numbers of its scenarios.
    """

    number: int
    scenarios: np.ndarray

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"chunk-{self.number:06d}"


@dataclass(frozen=True)
class Plan:
    """All scenarios of a sweep.

    Attributes:
        table: the sweep.
        levers: values of levers by row, ``[row, lever]``.
        draws: values of parameters by draw, ``[draw, parameter]``; every draw is calibrated once.
        row, draw: row and draw of each scenario.
    """

    table: SweepTable
    levers: Array
    draws: Array
    row: np.ndarray
    draw: np.ndarray

    @classmethod
    def of(cls, table: SweepTable) -> Plan:
        """Draw and combine."""
        known = load_priors() if table.parameters else {}
        priors = [
            None if one.values or one.low is not None else known[one.parameter].quantile for one in table.parameters
        ]
        split = len(table.levers)
        if table.combine == "joint":
            every = points(
                (*table.levers, *table.parameters), [*[None] * split, *priors], table.policy, table.policy_by
            )
            return cls._paired(table, every[:, :split], every[:, split:])
        levers = points(table.levers, [None] * split, table.policy, table.policy_by)
        drawn = points(table.parameters, priors, table.uncertainty, table.uncertainty_by)
        if table.combine == "paired" and table.levers and table.parameters:
            count = min(len(levers), len(drawn))
            return cls._paired(table, levers[:count], drawn[:count])
        draws, place = _distinct(drawn)
        row = np.tile(np.arange(len(levers)), len(drawn))
        return cls(table, levers, draws, row, np.repeat(place, len(levers)))

    @classmethod
    def _paired(cls, table: SweepTable, levers: Array, drawn: Array) -> Plan:
        draws, place = _distinct(drawn)
        return cls(table, levers, draws, np.arange(len(levers)), place)

    def __len__(self) -> int:
        return len(self.row)

    def values(self, scenario: int) -> dict[str, float]:
        """Values of levers and parameters by label."""
        numbers = (*self.levers[self.row[scenario]], *self.draws[self.draw[scenario]])
        return dict(zip(self.table.labels, map(float, numbers), strict=True))

    @cached_property
    def repeats(self) -> np.ndarray:
        """How many earlier scenarios have the same values, as drawn ones may where an axis has only a few."""
        _, alike = np.unique(self.levers, axis=0, return_inverse=True)
        same = np.asarray(alike).ravel()[self.row] * len(self.draws) + self.draw
        order = np.argsort(same, kind="stable")
        found = np.empty(len(same), int)
        found[order] = np.arange(len(same)) - np.searchsorted(same[order], same[order])
        return found

    def parameters(self, draw: int) -> dict[str, float]:
        """Parameters of a draw by their own names."""
        return {one.parameter: float(x) for one, x in zip(self.table.parameters, self.draws[draw], strict=True)}

    @property
    def size(self) -> int:
        """Most scenarios in a chunk."""
        most = self.table.chunk or TOGETHER[self.table.mode]
        return most if self.table.chunk else max(min(most, math.ceil(len(self) / FEWEST_CHUNKS)), min(most, 8))

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """Chunks in order: scenarios of one draw of parameters lie together, several small draws share a chunk."""
        return tuple(Chunk(n, scenarios) for n, scenarios in enumerate(self._cut()))

    def _cut(self) -> Iterator[np.ndarray]:
        order = np.argsort(self.draw, kind="stable")
        edges = np.flatnonzero(np.diff(self.draw[order], prepend=-1, append=-1))
        held: list[np.ndarray] = []
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            part = order[first:last]
            if held and sum(map(len, held)) + len(part) > self.size:
                yield np.concatenate(held)
                held = []
            while len(part) > self.size:
                yield part[: self.size]
                part = part[self.size :]
            held.append(part)
        if held:
            yield np.concatenate(held)


def _distinct(drawn: Array) -> tuple[Array, np.ndarray]:
    """Different draws in the order of their first appearance, and the place of each point's."""
    _, first, inverse = np.unique(drawn, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return drawn[np.sort(first)], rank[np.asarray(inverse).ravel()]

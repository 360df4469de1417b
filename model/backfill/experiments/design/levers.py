"""Levers and the policies at their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backfill.experiments.design.file import DesignTable, Lever
from backfill.experiments.levers import field_of, with_field
from backfill.governments.package import Package
from backfill.policy.policy import Policy


@dataclass(frozen=True)
class Levers:
    """What may be chosen in a policy.

    Attributes:
        table: the design.
        policy: the policy as written.
    """

    table: DesignTable
    policy: Policy

    def __len__(self) -> int:
        return len(self.table.levers)

    @property
    def ranges(self) -> np.ndarray:
        """``high - low`` by lever."""
        return np.array([lever.high - lever.low for lever in self.table.levers])

    def values(self, package: Package) -> tuple[float, ...]:
        """Value of each lever's field; rounded, so that a package written to a file is the package solved."""
        pairs = zip(self.table.levers, package.share, strict=True)
        return tuple(round(lever.low + x * (lever.high - lever.low), 12) for lever, x in pairs)

    def start(self) -> Package:
        """The first start: as the design says, else as the policy is written."""
        return self.package([self._given(lever) for lever in self.table.levers])

    def package(self, values: Sequence[float]) -> Package:
        """The package with these values, all measures there."""
        pairs = zip(self.table.levers, values, strict=True)
        share = tuple(float(np.clip((v - lever.low) / (lever.high - lever.low), 0.0, 1.0)) for lever, v in pairs)
        return Package(share, (True,) * len(self))

    def policy_at(self, package: Package) -> Policy:
        """The policy with every lever at its value; measures that are off are left out."""
        values = self.values(package)
        placed = []
        for one in self.policy.placed:
            measure, there = one.measure, True
            for lever, value, on in zip(self.table.levers, values, package.on, strict=True):
                if measure.name in lever.measure:
                    there = there and on
                    measure = with_field(measure, lever.field, value)
            if there:
                placed.append(replace(one, measure=measure))
        return Policy(tuple(placed))

    def cost(self, package: Package) -> float:
        """What the package costs, million USD a year."""
        parts = zip(self.table.levers, self.values(package), package.on, strict=True)
        return sum(on * (lever.fixed_cost + lever.cost * value) for lever, value, on in parts)

    def cost_slope(self, package: Package) -> np.ndarray:
        """Its derivative by ``share``."""
        parts = zip(self.table.levers, package.on, strict=True)
        return np.array([on * lever.cost * (lever.high - lever.low) for lever, on in parts])

    def _given(self, lever: Lever) -> float:
        if lever.start is not None:
            return lever.start
        measure = next(one.measure for one in self.policy.placed if one.measure.name in lever.measure)
        value = field_of(measure, lever.field)
        return 0.5 * (lever.low + lever.high) if value is None else float(value)

"""What answers a panel: the worlds of one economy at any position of its levers, beside one reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backfill.errors import UnsolvedError
from backfill.experiments.sweep.economies import Economies
from backfill.experiments.sweep.file import SweepTable
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.quantities import Key
from backfill.live.positions import Positions
from backfill.trade.barriers import lanes

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment
    from backfill.experiments.sweep.coupled import Coupled
    from backfill.experiments.sweep.static import Static
    from backfill.policy.policy import Policy
    from backfill.policy.wedges import Wedges

TRIED = 48
"""Positions looked at for the shapes of worlds."""

AT_ONCE = 4
"""Static worlds in a compiled program: a position and the reference, and the ends of levers once."""

REMEMBERED = 24
"""Coupled worlds that the next may start from."""


@dataclass(frozen=True)
class World:
    """Effects of a policy in one world beside the reference's.

    Attributes:
        name: what charts call it.
        period: the year of a static world; ``"all"`` years of a coupled one.
        numbers: by what they are.
    """

    name: str
    period: str
    numbers: dict[Key, float]

    def value(self, quantity: str, where: str, product: str | None = None) -> float:
        """A number; NaN where there is none."""
        return next(
            (
                number
                for key, number in self.numbers.items()
                if (key.quantity, key.where) == (quantity, where) and product in (None, key.product)
            ),
            float("nan"),
        )


class Model:
    """Solves an experiment at positions of its levers.

    Args:
        positions: what may be moved.
        reference: policy of what worlds are compared with.
        mode: ``"static"`` or ``"coupled"``; as the experiment says if None.
    """

    def __init__(self, positions: Positions, reference: Policy, mode: str | None = None) -> None:
        self.positions, self.before = positions, reference
        sweep = positions.experiment.sweep
        assert sweep is not None
        year = None if mode == "coupled" else sweep.year
        told = {"mode": mode or sweep.mode, "year": year, "parameters": ()}
        self.table = sweep.model_copy(update=told)
        self._like: list[Wedges] = []
        self._near: list[tuple[float, ...]] = []
        static = self._static(positions.experiment, self.table)
        self._near = self._widest(static)
        self._like = static.like = [static.wedges(values) for values in self._near]
        self._solver = static if self.mode == "static" else self._made(positions.experiment, self.table)

    @property
    def mode(self) -> str:
        """``"static"`` or ``"coupled"``."""
        return self.table.mode

    def at(self, values: tuple[float, ...], name: str = "now") -> World:
        """The world with levers at these values.

        Raises:
            UnsolvedError: there is none, or none was found.
        """
        self._solver.plan = _plan(self.table, self.positions.ends, values)
        return self._world(self._solver, 2, name)

    def of(self, policy: Policy, name: str) -> World:
        """The world with another policy in the same economy.

        Raises:
            UnsolvedError: there is none, or none was found.
        """
        table = self.table.model_copy(update={"levers": ()})
        solver = self._made(replace(self.positions.experiment, policy=policy), table)
        return self._world(solver, 0, name)

    def _made(self, experiment: Experiment, table: SweepTable) -> Static | Coupled:
        if table.mode == "static":
            return self._static(experiment, table)
        from backfill.experiments.sweep.coupled import Coupled

        near = self._near if table.levers else ()
        return Coupled(self._economies(experiment, table), self.before, remembered=REMEMBERED, like=near)

    def _static(self, experiment: Experiment, table: SweepTable) -> Static:
        from backfill.experiments.sweep.static import Static

        return Static(self._economies(experiment, table), self.before, like=self._like, piece=AT_ONCE)

    def _economies(self, experiment: Experiment, table: SweepTable) -> Economies:
        rows = self.positions.ends if table.levers else np.zeros((2, 0))
        return Economies(experiment, _plan(table, rows, tuple(rows[0])))

    def _widest(self, solver: Static) -> list[tuple[float, ...]]:
        """Positions with the most classes and the most columns of buyers, so that programs made for their shapes fit all."""
        low, high = self.positions.ends
        steps = np.arange(1, TRIED + 1)[:, None] * _evenly(len(low))
        structure = solver.economies.setting(0).economy.structure
        widest: dict[int, tuple[int, tuple[float, ...]]] = {}
        for row in low + (high - low) * ((0.5 + steps) % 1.0):
            values = tuple(slide.kept(float(x)) for slide, x in zip(self.positions.slides, row, strict=True))
            try:
                walls = lanes(structure, [solver.wedges(values)])
            except UnsolvedError:
                continue
            for axis, size in enumerate((walls.share.shape[2], *(part.shape[2] for part in walls.further))):
                if size > widest.get(axis, (0, values))[0]:
                    widest[axis] = size, values
        return list(dict.fromkeys(values for _, values in widest.values()))

    def _world(self, solver: Static | Coupled, scenario: int, name: str) -> World:
        solved = solver.solve(0, np.array([scenario]))
        if solved.measured is None or solved.reasons[0]:
            raise UnsolvedError(solved.reasons[0])
        numbers = solved.measured.values[:, 0, -1]
        found = {key: float(x) for key, x in zip(solved.measured.keys, numbers, strict=True)}
        return World(name, solved.labels[-1], found)


def _evenly(axes: int) -> np.ndarray:
    """Steps whose multiples, modulo one, fill a cube evenly: powers of the root of ``x^(axes+1) = x + 1``."""
    root = 2.0
    for _ in range(40):
        root = (1.0 + root) ** (1.0 / (axes + 1))
    return root ** -np.arange(1.0, axes + 1)


def _plan(table: SweepTable, ends: np.ndarray, values: tuple[float, ...]) -> Plan:
    """Scenarios at the ends of all levers, and as the third one where they stand."""
    rows = np.vstack([ends, np.asarray(values, float)[None]])
    return Plan(table, rows, np.zeros((1, 0)), np.arange(3), np.zeros(3, int))

"""Worlds that start where a like world stands, beside others that are known already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backfill.coupling import Coupling, Point, Stage
from backfill.coupling.points import with_periods
from backfill.economy.economy import Economy
from backfill.experiments.fitted import (
    Classes,
    Stored,
    mixed,
    mixed_slopes,
    slopes_with,
    widened,
    with_classes,
    with_limits,
)
from backfill.experiments.worlds import Batch, Key
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import Foresight
from backfill.supply.orders import Orders
from backfill.supply.past import Record
from backfill.trade.equilibrium import floor
from backfill.trade.sensitivity import PlanSlopes


@dataclass(frozen=True)
class Stand:
    """Where a world stands.

    Attributes:
        point: rents, additions and the markets' solution.
        slopes: the markets' slopes there.
        step: what another round would move.
        rounds: rounds it took.
        limits: names of quantity limits, in the order of the rents at the end of the markets' solution.
        classes: its builders.
        stored: what can be bought ahead, in the order of its orders.
    """

    point: Point
    slopes: PlanSlopes | None
    step: float
    rounds: int
    limits: tuple[str, ...]
    classes: Classes
    stored: Stored


Part = tuple[float, Stand]
"""A share of where a like world stands; shares sum to one."""


class Started(Coupling):
    """A coupling some of whose worlds are known, while others start from a like one.

    Args:
        economy, worlds, foresight, departs: see `Coupling`.
        known: worlds that are solved, by place.
        near: where others start: the parts added up.
    """

    def __init__(
        self,
        economy: Economy,
        worlds: Sequence[Wedges],
        foresight: Foresight,
        departs: Mapping[int, tuple[int, int]],
        known: Mapping[int, Stand],
        near: Mapping[int, Sequence[Part]],
    ) -> None:
        super().__init__(economy, worlds, foresight, departs)
        self.limits = tuple(sorted({limit.name for wedges in worlds for limit in wedges.limits}))
        self._known, self._near = dict(known), dict(near)
        count = len(self.limits)
        self._floor = np.asarray(floor(economy.structure, economy.reference_state.shape[1] + count, count))

    @classmethod
    def solving(
        cls,
        economy: Economy,
        needed: Batch,
        foresight: Foresight,
        known: Mapping[int, Stand],
        near: Mapping[int, Sequence[Part]],
        progress: Callable[[float], None] | None = None,
    ) -> Started:
        """The worlds of a batch, solved."""
        found = cls(economy, needed.wedges, foresight, needed.departs, known, near)
        found.take()
        found.solve(progress)
        return found

    def stages(self) -> list[Stage]:
        """Those of worlds that are not known."""
        left = [
            replace(stage, worlds=tuple(w for w in stage.worlds if w not in self._known)) for stage in super().stages()
        ]
        return [stage for stage in left if stage.worlds]

    def take(self) -> None:
        """Put the known worlds where they stand, each after the one it departs from."""
        for world in sorted(self._known, key=lambda w: self.departs.get(w, (w, 0))[1]):
            stand, since = self._known[world], self.departs.get(world, (world, 0))[1]
            self._prepare(Stage((world,), slice(since, self.periods)))
            self.points[world] = self._widened(world, stand)
            self._slopes[world], self.steps[world] = self._slopes_of(stand), stand.step
            self.rounds[world] = stand.rounds

    def stand(self, world: int) -> Stand:
        """Where a world stands."""
        step, rounds = float(self.steps[world]), int(self.rounds[world])
        classes, stored = self._classes(world), self._stored(world)
        return Stand(self.points[world], self._slopes[world], step, rounds, self.limits, classes, stored)

    def passed(self, keys: Sequence[Key], ends: Collection[int]) -> dict[Key, Stand]:
        """Worlds on the way to those asked for, by what tells them from others; those that failed left out.

        Args:
            keys: of all worlds (see `backfill.experiments.worlds.keys_of`).
            ends: places of those asked for.
        """
        return {keys[w]: self.stand(w) for w in range(self.count) if w not in ends and w not in self.failures}

    def _prepare(self, stage: Stage) -> None:
        super()._prepare(stage)
        for world in stage.worlds:
            since = self.departs.get(world, (world, 0))[1]
            if world in self._near and stage.span.start == since:
                parts = self._near[world]
                like = [self._classes(world).like(stand.classes) for _, stand in parts]
                shares, stands = zip(*parts, strict=True)
                points = [self._fitted(world, stand, its, since) for stand, its in zip(stands, like, strict=True)]
                slopes = [self._slopes_of(stand, its) for stand, its in zip(stands, like, strict=True)]
                self.points[world] = mixed(shares, points, self._floor)
                self._slopes[world] = mixed_slopes(shares, [one for one in slopes if one]) if all(slopes) else None

    def _classes(self, world: int) -> Classes:
        return Classes.of(self.economy.structure, self.nodes[world].class_share, self.access(world))

    def _stored(self, world: int) -> Stored:
        return Stored(tuple(self.holders[world].kits), tuple(self.holders[world].goods))

    def _widened(self, world: int, stand: Stand) -> Point:
        """The point of a known world with as many classes, and the limits, that these worlds have."""
        point, classes = stand.point, self.nodes[world].class_share.shape[1]
        none = self.holders[world].none()

        def wide(orders: Orders) -> Orders:
            return replace(orders, kits=with_classes(with_classes(orders.kits, 2, classes), 4, classes))

        fits = len(none.kits) == len(point.orders.kits) and len(none.goods) == len(point.orders.goods)
        return replace(
            point,
            vector=with_limits(point.vector, stand.limits, self.limits),
            additions=with_classes(point.additions, 1, classes),
            tool_cost=with_classes(point.tool_cost, 1, classes),
            orders=wide(point.orders) if fits else none,
            wanted=wide(point.wanted) if fits else none,
        )

    def _fitted(self, world: int, stand: Stand, like: np.ndarray, since: int) -> Point:
        """The point of a like world with the builders, limits and stocks of this one; what past periods built and made stays."""
        point, here, none = stand.point, self.points[world], self.holders[world].none()
        past = np.arange(self.periods) < since
        vector = with_limits(point.vector, stand.limits, self.limits)
        additions = self._classes(world).additions(stand.classes, point.additions, like)
        vector[past], additions[..., past] = here.vector[past], here.additions[..., past]
        record = Record(*(with_periods(new, past, old[past]) for new, old in zip(point.record, here.record, strict=True)))
        stored = self._stored(world)
        orders, wanted = (stored.orders(stand.stored, x, like, none) for x in (point.orders, point.wanted))
        return replace(
            point,
            rent=np.where(past, here.rent, point.rent),
            vector=vector,
            additions=additions,
            tool_cost=np.take_along_axis(point.tool_cost, like, 1),
            record=record,
            orders=replace(orders, kits=np.where(self.holders[world].window > 0, orders.kits, 0.0)),
            wanted=wanted,
        )

    def _slopes_of(self, stand: Stand, like: np.ndarray | None = None) -> PlanSlopes | None:
        """The slopes of a stand, with the classes and limits of these worlds; of classes in the same order if none are said."""
        if stand.slopes is None:
            return None
        if like is None:
            return widened(stand.slopes, self.nodes[0].class_share.shape[1], stand.limits, self.limits)
        return slopes_with(stand.slopes, like, stand.limits, self.limits)

"""Worlds that start where a like world stands, beside others that are known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backfill.coupling import Coupling, Point, Stage
from backfill.economy.economy import Economy
from backfill.experiments.fitted import slopes_with, with_classes, with_limits
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import Foresight
from backfill.trade.sensitivity import PlanSlopes


@dataclass(frozen=True)
class Stand:
    """Where a world stands.

    Attributes:
        point: rents, additions and the markets' solution.
        slopes: the markets' slopes there.
        step: what another round would move.
        limits: names of quantity limits, in the order of the rents at the end of the markets' solution.
        pattern: shape of the orders, which fit only where it is the same.
    """

    point: Point
    slopes: PlanSlopes | None
    step: float
    limits: tuple[str, ...]

    @property
    def pattern(self) -> tuple[tuple[int, ...], ...]:
        orders = self.point.orders
        return orders.kits.shape, orders.goods.shape


class Started(Coupling):
    """A coupling some of whose worlds are known, while others start from a like one.

    Args:
        economy, worlds, foresight, departs: see `Coupling`.
        known: worlds that are solved, by place.
        near: where others start.
    """

    def __init__(
        self,
        economy: Economy,
        worlds: Sequence[Wedges],
        foresight: Foresight,
        departs: Mapping[int, tuple[int, int]],
        known: Mapping[int, Stand],
        near: Mapping[int, Stand],
    ) -> None:
        super().__init__(economy, worlds, foresight, departs)
        self.limits = tuple(sorted({limit.name for wedges in worlds for limit in wedges.limits}))
        self._known, self._near = dict(known), dict(near)

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
            self.points[world] = self._fitted(world, stand, exact=True)
            self._slopes[world], self.steps[world] = self._slopes_of(stand), stand.step

    def stand(self, world: int) -> Stand:
        """Where a world stands."""
        return Stand(self.points[world], self._slopes[world], float(self.steps[world]), self.limits)

    def _prepare(self, stage: Stage) -> None:
        super()._prepare(stage)
        for world in stage.worlds:
            since = self.departs.get(world, (world, 0))[1]
            if world in self._near and stage.span.start == since:
                self.points[world] = self._fitted(world, self._near[world], exact=False)
                self._slopes[world] = self._slopes_of(self._near[world])

    def _fitted(self, world: int, stand: Stand, *, exact: bool) -> Point:
        """The point with this coupling's classes and limits; unless exact, with the shares of this world's builders."""
        point, here = stand.point, self.points[world]
        classes = self.nodes[world].class_share.shape[1]
        vector = with_limits(point.vector, stand.limits, self.limits)
        since = self.departs.get(world, (world, 0))[1]
        past = np.arange(self.periods) < since
        additions = with_classes(point.additions, 1, classes)
        if not exact:
            additions = point.additions.sum(1)[:, None, :] * self.nodes[world].class_share
            vector[past], additions[..., past] = here.vector[past], here.additions[..., past]
        orders = _ordered(point, self.holders[world].none())
        wanted = _ordered(replace(point, orders=point.wanted), self.holders[world].none())
        rent = point.rent if exact else np.where(past, here.rent, point.rent)
        return replace(
            point, rent=rent, vector=vector, additions=additions, tool_cost=with_classes(point.tool_cost, 1, classes),
            orders=orders, wanted=wanted,
        )  # fmt: skip

    def _slopes_of(self, stand: Stand) -> PlanSlopes | None:
        if stand.slopes is None:
            return None
        return slopes_with(stand.slopes, self.nodes[0].class_share.shape[1], stand.limits, self.limits)


def _ordered(point: Point, none):
    """The point's orders with as many classes as ``none`` has; none where others may order."""
    kits, goods = point.orders.kits, point.orders.goods
    if len(kits) != len(none.kits) or len(goods) != len(none.goods):
        return none
    for axis in (2, 4):
        kits = with_classes(kits, axis, none.kits.shape[axis])
    return replace(point.orders, kits=kits)

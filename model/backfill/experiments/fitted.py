"""Where one world stands, in the shapes of another: with its classes of builders and its quantity limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backfill.coupling import Point
from backfill.economy.economy import Structure
from backfill.supply.nodes import Array
from backfill.supply.orders import Orders
from backfill.supply.past import Record
from backfill.trade.sensitivity import PlanSlopes


@dataclass(frozen=True)
class Classes:
    """Classes of builders of one world.

    Attributes:
        share: ``[node, class, period]`` of builders in each.
        access: boolean ``[node, class, period, way]``: whether it can buy a tool from an origin, by pairs of them.
    """

    share: Array
    access: np.ndarray

    @classmethod
    def of(cls, shape: Structure, share: Array, opened: Array) -> Classes:
        """Those of builders with given shares and ``opened[period, tool, class, origin, destination]``."""
        places = [shape.region(region) for _, region in shape.nodes]
        access = np.moveaxis(opened[..., places] > 0, (4, 2, 0), (0, 1, 2))
        return cls(share, access.reshape(*share.shape, access.shape[3] * access.shape[4]))

    def like(self, other: Classes) -> np.ndarray:
        """``[node, class, period]`` the class of another world, among those with somebody in them, whose access is most like."""
        apart = (self.access[:, :, None] != other.access[:, None]).sum(-1)
        return np.where(other.share[:, None] > 0, apart, self.access.shape[-1] + 1).argmin(2)

    def additions(self, other: Classes, additions: Array, like: np.ndarray) -> Array:
        """``[node, class, period]`` if each builder adds what those of the class most like it add in the other world."""
        each = np.divide(additions, other.share, out=np.zeros_like(additions), where=other.share > 0)
        return np.take_along_axis(each, like, 1) * self.share


@dataclass(frozen=True)
class Stored:
    """What can be bought ahead in one world.

    Attributes:
        kits: (capacity, tool) of builders, as positions.
        goods: (product, region) of other stocks.
    """

    kits: tuple[tuple[int, int], ...]
    goods: tuple[tuple[str, int], ...]

    def orders(self, other: Stored, orders: Orders, like: np.ndarray, none: Orders) -> Orders:
        """Another world's orders of what can be bought ahead in both, by the class that is most like; ``none`` of the rest."""
        kits, goods, relief = none.kits.copy(), none.goods.copy(), none.relief.copy()
        for n, kit in enumerate(self.kits):
            if kit in other.kits:
                mine = like[kit[0]].T
                bought = np.take_along_axis(orders.kits[other.kits.index(kit)], mine[:, :, None, None], 1)
                kits[n] = np.take_along_axis(bought, mine[None, None], 3)
        for n, good in enumerate(self.goods):
            if good in other.goods:
                place = other.goods.index(good)
                goods[n], relief[n] = orders.goods[place], orders.relief[place]
        return Orders(kits, goods, relief)


def mixed(shares: Sequence[float], points: Sequence[Point], floor: Array) -> Point:
    """The sum of shares of points of one world, as its start: exact where its answer to policy adds up.

    Args:
        shares: of each point; they sum to one, and may be negative.
        points: with the same builders, limits and stocks.
        floor: least values of the markets' unknowns.
    """

    def total(of: Callable[[Point], Array]) -> Array:
        return _summed(shares, [of(point) for point in points])

    def above(of: Callable[[Point], Array]) -> Array:
        return np.maximum(total(of), 0.0)

    return replace(
        points[0],
        rent=above(lambda p: p.rent),
        additions=above(lambda p: p.additions),
        vector=np.maximum(total(lambda p: p.vector), floor),
        orders=Orders(
            above(lambda p: p.orders.kits), above(lambda p: p.orders.goods), total(lambda p: p.orders.relief)
        ),
        record=Record(*(above(lambda p, n=n: p.record[n]) for n in range(len(points[0].record)))),
    )


def mixed_slopes(shares: Sequence[float], slopes: Sequence[PlanSlopes]) -> PlanSlopes:
    """The sum of shares of slopes of one world."""
    return PlanSlopes(*(_summed(shares, each) for each in zip(*slopes, strict=True)))


def _summed(shares: Sequence[float], parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.sum([share * part for share, part in zip(shares, parts, strict=True)], axis=0)


def with_classes(array: np.ndarray, axis: int, count: int) -> np.ndarray:
    """The array with ``count`` classes of builders: more with nobody in them, or without the last ones."""
    held = array.shape[axis]
    wider = np.pad(array, [(0, max(count - held, 0) if n == axis else 0) for n in range(array.ndim)])
    return np.take(wider, range(count), axis)


def with_limits(vector: np.ndarray, before: Sequence[str], after: Sequence[str]) -> np.ndarray:
    """The markets' unknowns ``[period, unknown]``, rents of limits last, with other limits; new ones have no rent."""
    states = vector.shape[1] - len(before)
    found = np.zeros((len(vector), states + len(after)))
    mine, its = _places(states, before, after)
    found[:, its] = vector[:, mine]
    return found


def widened(slopes: PlanSlopes, classes: int, before: Sequence[str], after: Sequence[str]) -> PlanSlopes:
    """The markets' slopes with as many classes of builders as said, and other limits; see `slopes_with`."""
    by_addition, cost = with_classes(slopes.use_by_addition, 3, classes), with_classes(slopes.cost_by_rent, 2, classes)
    inverse = _inverse(slopes.inverse, before, after)
    return slopes._replace(use_by_addition=by_addition, cost_by_rent=cost, inverse=inverse)


def slopes_with(slopes: PlanSlopes, like: np.ndarray, before: Sequence[str], after: Sequence[str]) -> PlanSlopes:
    """The markets' slopes with other classes and limits; what is not known moves by itself alone.

    Args:
        slopes: of one world.
        like: ``[node, class, period]`` its class that each class of another world is most like, see `Classes.like`.
        before, after: names of its limits, and of the other's.
    """
    own = np.moveaxis(like, 2, 0)
    by_addition = np.take_along_axis(slopes.use_by_addition, own[:, None], 3)
    cost = np.take_along_axis(slopes.cost_by_rent, own[..., None], 2)
    inverse = _inverse(slopes.inverse, before, after)
    return slopes._replace(use_by_addition=by_addition, cost_by_rent=cost, inverse=inverse)


def _inverse(inverse: np.ndarray, before: Sequence[str], after: Sequence[str]) -> np.ndarray:
    """``(I - F_x)^-1`` with other limits."""
    if tuple(before) == tuple(after):
        return inverse
    states = inverse.shape[1] - len(before)
    mine, its = _places(states, before, after)
    found = np.tile(np.eye(states + len(after), dtype=inverse.dtype), (len(inverse), 1, 1))
    found[:, its[:, None], its] = inverse[:, mine[:, None], mine]
    return found


def _places(states: int, before: Sequence[str], after: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Places of what both have."""
    shared = [name for name in after if name in before]
    mine, its = ([states + list(names).index(name) for name in shared] for names in (before, after))
    return np.array([*range(states), *mine]), np.array([*range(states), *its])

"""What is bought ahead, what its holders see of the markets, and how orders are led to their own answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backfill.supply.nodes import Array

COMPUTE = "compute"
"""Accelerators, whatever the line, as users acquire them."""
STEEPEST = 5.0
"""Bound on secants, and on how far beyond a prediction orders are tried."""


@dataclass(frozen=True)
class Seen:
    """What stockholders see of the markets.

    Attributes:
        by_class: ``[period, product, class, region]`` prices of composites by class of buyers.
        mean: ``[period, product, region]`` prices of a unit of use.
        used: ``[period, product, region]`` units used, stored ones included.
        compute_price, compute: ``[period, region]`` price of compute acquired and units used, thousand H100e.
        drawn: ``[period, node, pair]`` use of a planned capacity per unit of a composite bought for stock, its inputs included.
        priced: ``[period, node, pair]`` rise of the composite's price, as a share, per unit of the capacity's rent.
    """

    by_class: Array
    mean: Array
    used: Array
    compute_price: Array
    compute: Array
    drawn: Array
    priced: Array


@dataclass(frozen=True)
class Orders:
    """What is bought ahead.

    Attributes:
        kits: ``[kit, t, class, s, class]`` share of what builders of the last class need of a tool in ``s`` that the first
            class buys in ``t``.
        goods: ``[good, t, s]`` units of a good bought in ``t`` that are left in ``s``.
        relief: ``[good, s]`` units that stocks take the place of.
    """

    kits: Array
    goods: Array
    relief: Array

    def towards(self, other: Orders, share: float) -> Orders:
        """Orders a share of the way to others."""
        pairs = ((self.kits, other.kits), (self.goods, other.goods), (self.relief, other.relief))
        return Orders(*((1 - share) * mine + share * its for mine, its in pairs))


@dataclass(frozen=True)
class Bend:
    """How far what is wanted moves with what is ordered, at given rents, as a share: by kit and by good (secants)."""

    kits: Array
    goods: Array

    @staticmethod
    def none(orders: Orders) -> Bend:
        """Nothing known yet."""
        return Bend(np.zeros(len(orders.kits)), np.zeros(len(orders.goods)))

    def learned(self, old: Orders, new: Orders, predicted: Orders, wanted: Orders) -> Bend:
        """Secants between two rounds: ``<wanted - predicted, new - old> / |new - old|^2``, kept where nothing moved.

        Args:
            old, new: orders before and after.
            predicted: what would be wanted after if only rents had moved it.
            wanted: what is wanted after.
        """

        def secant(before: Array, moved: Array, missed: Array) -> Array:
            each = len(moved), math.prod(moved.shape[1:])
            moved, missed = moved.reshape(each), missed.reshape(each)
            length, product = np.einsum("nk,nk->n", moved, moved), np.einsum("nk,nk->n", missed, moved)
            slope = np.divide(product, length, out=before.copy(), where=length > 1e-18)
            return np.clip(slope, -STEEPEST, 1 - 1 / STEEPEST)

        kits = secant(self.kits, new.kits - old.kits, wanted.kits - predicted.kits)
        return Bend(kits, secant(self.goods, new.goods - old.goods, wanted.goods - predicted.goods))

    def target(self, orders: Orders, predicted: Orders) -> Orders:
        """Orders that are their own answer, ``orders + (predicted - orders) / (1 - slope)``."""
        kits, goods = 1 / (1 - self.kits), 1 / (1 - self.goods)
        return Orders(
            np.maximum(orders.kits + (predicted.kits - orders.kits) * kits[:, None, None, None, None], 0.0),
            np.maximum(orders.goods + (predicted.goods - orders.goods) * goods[:, None, None], 0.0),
            orders.relief + (predicted.relief - orders.relief) * goods[:, None],
        )


@dataclass(frozen=True)
class Purchases:
    """What stocks add to demand and take from it.

    Attributes:
        tools: ``[period, product, class, region]`` by class of buyers, million USD at base-year prices.
        goods: ``[period, product, region]``, the same.
        compute: ``[period, region]``, thousand H100e.
    """

    tools: Array
    goods: Array
    compute: Array


@dataclass(frozen=True)
class Stock:
    """One region's stock of a product, ``[period]``, million USD at base-year prices or thousand H100e.

    Attributes:
        product: an Armington product or `COMPUTE`.
        region: its position.
        bought: units bought for stock.
        used: units taken from it.
        held: units left at the end of the period.
    """

    product: str
    region: int
    bought: Array
    used: Array
    held: Array


@dataclass(frozen=True)
class Flows:
    """Trade of solved markets, ``[period, ...]``.

    Attributes:
        value, quantity: ``[period, product, origin, destination]`` spending and units.
        mean: ``[period, product, region]`` price of a unit of use.
        mill: ``[period, product, region]``.
        coefficient: ``[period, input, product, region]`` units of an input in a unit made.
    """

    value: Array
    quantity: Array
    mean: Array
    mill: Array
    coefficient: Array

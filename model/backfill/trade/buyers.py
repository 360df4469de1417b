"""Buyers of a range of products by column (section 4, "Coverage").

Columns are first every region's buyers with all sources, then one for each class of a region to which some source is closed.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from backfill.arrays import Array
from backfill.economy.economy import Structure
from backfill.trade.barriers import Barriers


class Columns(NamedTuple):
    """Who stands in which column of a range of products.

    Attributes:
        column: column at which each class buys.
        held: whether anybody stands in a further column.
        kind, home: class and region of those in it.
    """

    column: Int[Array, "product class region"]
    held: Bool[Array, "product further"]
    kind: Int[Array, "product further"]
    home: Int[Array, "product further"]

    def of_home(self, table: Float[Array, "*any region"]) -> Float[Array, "*any further"]:
        """Each further column's entry in a table by region, ``[product, ..., region]``."""
        between = (1,) * (table.ndim - 2)
        return jnp.take_along_axis(table, self.home.reshape(len(self.home), *between, -1), axis=-1)

    def at_home(self, amounts: Float[Array, "product further"]) -> Float[Array, "product region"]:
        """Sums of further columns' amounts by region; the amounts of columns with nobody in them must be zero."""
        return jnp.where(self.is_home, amounts[:, :, None], 0.0).sum(1)

    def least_at_home(self, amounts: Float[Array, "product further"]) -> Float[Array, "product region"]:
        """Least of further columns' amounts by region; infinite where there are none."""
        return jnp.where(self.is_home & self.held[:, :, None], amounts[:, :, None], jnp.inf).min(1)

    @property
    def is_home(self) -> Bool[Array, "product further region"]:
        """Whether a further column is of a region; those with nobody in them are of the first."""
        return self.home[:, :, None] == jnp.arange(self.column.shape[2])

    def by_column(self, by_class: Float[Array, "product class region"]) -> Float[Array, "product column"]:
        """Amounts by class of buyers, by column."""
        first = jnp.where(self.column < by_class.shape[2], by_class, 0.0).sum(1)
        theirs = by_class[jnp.arange(len(by_class))[:, None], self.kind, self.home]
        return jnp.concatenate([first, jnp.where(self.held, theirs, 0.0)], axis=1)

    def by_class(self, table: Float[Array, "product column"]) -> Float[Array, "product class region"]:
        """What holds for each class of buyers of what holds for columns."""
        return jnp.take_along_axis(table, self.column.reshape(len(table), -1), axis=1).reshape(self.column.shape)


class Buyers(NamedTuple):
    """Buyers of a range of products.

    Attributes:
        columns: who they are.
        share: of the region's buyers in each column.
        purchases: composites bought for investment in each column.
    """

    columns: Columns
    share: Float[Array, "product column"]
    purchases: Float[Array, "product column"]


def columns_of(structure: Structure, barriers: Barriers) -> tuple[Columns, ...]:
    """Columns of buyers of each range of products."""
    found = []
    for rows, further in zip(structure.ranges, barriers.further, strict=True):
        place = jnp.maximum(further, 0.0).astype(jnp.int32)
        column = jnp.asarray(barriers.column[rows]).astype(jnp.int32)
        found.append(Columns(column, further[..., 0] >= 0, place[..., 0], place[..., 1]))
    return tuple(found)


def buyers(
    structure: Structure, barriers: Barriers, purchases: Float[Array, "product class region"]
) -> tuple[Buyers, ...]:
    """Buyers of each range of products; classes to which every source is open are one with their region's first column."""
    ranges = zip(structure.ranges, columns_of(structure, barriers), strict=True)
    return tuple(
        Buyers(columns, columns.by_column(barriers.share[rows]), columns.by_column(purchases[rows]))
        for rows, columns in ranges
    )

"""Classes of buyers: who loses which source when controls with coverage below one add up (section 4, "Coverage").

Buyer ``u`` in (0, 1) loses every source with coverage of at least ``u``; the distinct coverages of a column of sources cut (0, 1)
into its classes, ordered from the least to the most exposed. Class 0 always has every source, though nobody may be in it.
Columns without any coverage, most of them, cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from backfill.economy.economy import MATURE, Structure


def _cuts(columns: Float[np.ndarray, "column source"], count: int) -> Float[np.ndarray, "column cut"]:
    """Distinct positive coverages of each column, the largest first, then zeros."""
    ordered = -np.sort(-columns, axis=1)
    new = (ordered > 0) & (np.diff(ordered, axis=1, prepend=np.inf) < 0)
    found = np.zeros((len(columns), count))
    column, source = np.nonzero(new)
    found[column, new.cumsum(1)[column, source] - 1] = ordered[column, source]
    return found


def counted(columns: Float[np.ndarray, "column source"]) -> np.ndarray:
    """Number of classes that each column needs."""
    ordered = np.sort(columns, axis=1)
    return (np.diff(ordered, axis=1, prepend=0.0) > 0).sum(axis=1) + 1


def most_classes(columns: Float[np.ndarray, "column source"]) -> int:
    """Number of classes of the busiest column; one where there is none."""
    return int(counted(columns).max(initial=1))


def of_columns(
    columns: Float[np.ndarray, "column source"], classes: int
) -> tuple[Float[np.ndarray, "column class source"], Float[np.ndarray, "column class"]]:
    """Access and shares of the classes of each column.

    Raises:
        ValueError: where a column needs more classes.
    """
    needed = most_classes(columns)
    if needed > classes:
        raise ValueError(f"{needed} classes of buyers needed, {classes} given")
    bottom = _cuts(columns, classes)
    top = np.concatenate([np.ones((len(columns), 1)), bottom[:, :-1]], axis=1)
    open_ = columns[:, None, :] < (0.5 * (top + bottom))[:, :, None]
    open_[:, 0] = True
    return np.where((top > 0)[:, :, None], open_, True).astype(float), top - bottom


def nested_classes(
    coverage: Float[np.ndarray, "source buyer"], classes: int
) -> tuple[Float[np.ndarray, "class source buyer"], Float[np.ndarray, "class buyer"]]:
    """Split the buyers of every column by exposure.

    Raises:
        ValueError: where a buyer needs more classes.
    """
    open_, share = of_columns(coverage.T, classes)
    return np.moveaxis(open_, 0, 2), share.T


def builder_classes(
    structure: Structure, general: Float[np.ndarray, "source buyer"], advanced: Float[np.ndarray, "source buyer"]
) -> tuple[Float[np.ndarray, "class source buyer"], Float[np.ndarray, "class node"]]:
    """Classes of the builders of planned capacity, who buy every type of tool: a control on one type splits all alike.

    Builders of advanced capacity are split by ``advanced``, those of mature chips by ``general``, each as in
    `nested_classes`; classes with the same sources are one. Class 0 has every source.

    Args:
        structure: names and networks.
        general, advanced: coverage of each tool and origin.

    Returns:
        Access, with as many classes as the busiest buyer needs, and the share of each capacity's builders in a class.
    """
    (access,), (share,) = builders_of(structure, general[None], advanced[None])
    return access, share


def builders_of(
    structure: Structure,
    general: Float[np.ndarray, "lane source buyer"],
    advanced: Float[np.ndarray, "lane source buyer"],
) -> tuple[Float[np.ndarray, "lane class source buyer"], Float[np.ndarray, "lane class node"]]:
    """`builder_classes` of many lanes, with as many classes as the busiest buyer of any needs."""
    nodes = [(n, structure.region(region), product not in MATURE) for n, (product, region) in enumerate(structure.nodes)]
    columns: dict[bool, np.ndarray] = {}
    for kind, coverage in ((True, advanced), (False, general)):
        present = [any(node[1:] == (region, kind) for node in nodes) for region in range(coverage.shape[2])]
        columns[kind] = np.where(present, coverage, 0.0)
    lane, buyer = np.nonzero(np.any([coverage.any(axis=1) for coverage in columns.values()], axis=0))
    access, place, parts = _merged({kind: coverage[lane, :, buyer] for kind, coverage in columns.items()})
    open_ = np.ones((len(general), access.shape[1], *general.shape[1:]))
    share = np.zeros((len(general), access.shape[1], len(structure.nodes)))
    share[:, 0] = 1.0
    open_[lane, :, :, buyer] = access
    row = np.arange(len(lane))[:, None]
    for node, region, kind in nodes:
        mine = np.zeros(access.shape[:2])
        np.add.at(mine, (row, place[kind]), parts[kind])
        share[lane[buyer == region], :, node] = mine[buyer == region]
    return open_, share


def _merged(
    columns: dict[bool, Float[np.ndarray, "column source"]],
) -> tuple[np.ndarray, dict[bool, np.ndarray], dict[bool, np.ndarray]]:
    """Classes of builders of several kinds, those with the same sources being one.

    Returns:
        Access ``[column, class, source]``, everything in class 0; by kind, where its own classes are among these and their share.
    """
    split = {kind: of_columns(its, most_classes(its)) for kind, its in columns.items()}
    count, sources = next(iter(columns.values())).shape
    access = np.concatenate([np.ones((count, 1, sources)), *(open_ for open_, _ in split.values())], axis=1)
    held = np.concatenate([np.ones((count, 1), bool), *(share > 0 for _, share in split.values())], axis=1)
    same = (access[:, :, None] == access[:, None]).all(axis=3) & held[:, None]
    first = same.argmax(axis=2)
    new = held & (first == np.arange(held.shape[1]))
    place = np.take_along_axis(new.cumsum(axis=1) - 1, first, 1)
    found = np.ones((count, int(new.sum(axis=1).max(initial=1)), sources))
    column, own = np.nonzero(new)
    found[column, place[column, own]] = access[column, own]
    ends = np.cumsum([1, *(share.shape[1] for _, share in split.values())])
    places = {kind: place[:, slice(*ends[n : n + 2])] for n, kind in enumerate(split)}
    return found, places, {kind: share for kind, (_, share) in split.items()}


class Shut(NamedTuple):
    """Classes of buyers to whom some source is closed, by lane, product, class and buyer in that order.

    Attributes:
        lane, product, kind, buyer: which they are.
        access: 1 where a class can buy from a source.
    """

    lane: np.ndarray
    product: np.ndarray
    kind: np.ndarray
    buyer: np.ndarray
    access: Float[np.ndarray, "shut source"]


def goods_classes(
    goods: Float[np.ndarray, "lane product origin buyer"],
    tools: Sequence[int],
    builders: Float[np.ndarray, "lane kind source buyer"],
) -> tuple[Float[np.ndarray, "lane product class buyer"], Shut]:
    """Shares of the classes of buyers of every product, as many as any lane needs, and those to whom some source is closed.

    Args:
        goods: coverage.
        tools: products that builders buy; others buy them at class 0.
        builders: access of the classes of builders to every tool and origin.
    """
    lanes, products, origins, buyers = goods.shape
    closed = np.any(goods != 0, axis=2)
    closed[:, tools] = False
    lane, product, buyer = np.nonzero(closed)
    columns = goods[lane, product, :, buyer]
    count = max(most_classes(columns), builders.shape[1])
    share = np.zeros((lanes, products, count, buyers))
    share[:, :, 0] = 1.0
    access, shares = of_columns(columns, count)
    share[lane, product, :, buyer] = shares
    column, kind = np.nonzero(~access.all(axis=2))
    found = [Shut(lane[column], product[column], kind, buyer[column], access[column, kind])]
    if tools:
        by_tool = builders.reshape(lanes, -1, len(tools), origins, buyers)
        lane, kind, tool, buyer = np.nonzero(~by_tool.all(axis=3))
        found.append(Shut(lane, np.asarray(tools)[tool], kind, buyer, by_tool[lane, kind, tool, :, buyer]))
    shut = Shut(*(np.concatenate(part) for part in zip(*found, strict=True)))
    order = np.lexsort((shut.buyer, shut.kind, shut.product, shut.lane))
    return share, Shut(*(part[order] for part in shut))


def columns_of(
    shut: Shut, shape: tuple[int, int, int, int], ranges: Sequence[slice]
) -> tuple[
    Float[np.ndarray, "lane product class buyer"],
    tuple[Float[np.ndarray, "lane _ _ 2"], ...],
    tuple[Float[np.ndarray, "lane _ _ origin"], ...],
]:
    """Columns at which classes of buyers buy: classes to which some source is closed have one each, the others their region's.

    Args:
        shut: those to which some source is closed.
        shape: ``(lane, product, class, buyer)``.
        ranges: of products, each with as many further columns as its busiest product needs.

    Returns:
        The column of each class, and by range of each column after the regions' its class and region, -1 where there is none, and
        1 where it can buy from an origin.
    """
    lanes, products, _, buyers = shape
    column = np.empty(shape)
    column[...] = np.arange(buyers)
    group = shut.lane * products + shut.product
    place = np.arange(len(group)) - np.searchsorted(group, group)
    column[shut.lane, shut.product, shut.kind, shut.buyer] = buyers + place
    further, access = [], []
    for rows in ranges:
        mine = np.flatnonzero((shut.product >= rows.start) & (shut.product < rows.stop))
        where = shut.lane[mine], shut.product[mine] - rows.start, place[mine]
        size = lanes, rows.stop - rows.start, int(where[2].max(initial=-1)) + 1
        found, opened = np.full((*size, 2), -1.0), np.zeros((*size, shut.access.shape[1]))
        found[where] = np.stack([shut.kind[mine], shut.buyer[mine]], axis=1)
        opened[where] = shut.access[mine]
        further.append(found)
        access.append(opened)
    return column, tuple(further), tuple(access)


def user_classes(
    coverage: Float[np.ndarray, "lane leaf"], user: np.ndarray, regions: int
) -> tuple[Float[np.ndarray, "lane class leaf"], Float[np.ndarray, "lane class region"]]:
    """Classes of users of compute, each region's by the coverage of its own leaves.

    Args:
        coverage: of every leaf.
        user: region that uses each leaf.
        regions: how many there are.
    """
    mine = user[:, None] == np.arange(regions)
    lane, region = np.nonzero((coverage > 0).astype(float) @ mine > 0)
    columns = coverage[lane] * mine.T[region]
    count = most_classes(columns)
    open_, share = np.ones((len(coverage), count, len(user))), np.zeros((len(coverage), count, regions))
    share[:, 0] = 1.0
    access, shares = of_columns(columns, count)
    share[lane, :, region] = shares
    column, leaf = np.nonzero(mine.T[region])
    open_[lane[column], :, leaf] = access[column, :, leaf]
    return open_, share

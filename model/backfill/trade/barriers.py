"""What stands between seller and buyer in one period: tariffs, levies, real costs, closed routes, limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from backfill.arrays import Array
from backfill.dimensions import Vocabulary
from backfill.economy.economy import CLOUD, Structure
from backfill.errors import UnsolvedError
from backfill.policy.wedges import Wedges
from backfill.trade.classes import (
    builder_classes,
    builders_of,
    columns_of,
    goods_classes,
    nested_classes,
    user_classes,
)

__all__ = ["Barriers", "access_to", "builder_classes", "can_buy", "in_round_numbers", "lanes", "nested_classes"]

CLASSES, COLUMNS = (1, 2, 4, 8, 12, 16, 24, 32), (4, 12, 24, 48, 96, 192)
"""Numbers of classes and further columns of buyers for which programs are compiled; no columns are one number more."""


class Barriers(eqx.Module):
    """Wedges and limits in the markets' own axes (section 3 and "Coverage" in section 4).

    Buyers of a product in a destination fall into classes: a control with coverage ``phi`` closes the flow to the share
    ``phi`` of buyers most exposed, so that classes are nested; class 0 has every source.

    Attributes:
        tariff, levy, real_cost: additions to base-year wedges on Armington flows, shares of CIF or FOB value.
        share: share of buyers in each class. Tools not bought by builders are bought at class 0.
        builder_share: share of each planned capacity's builders in each class of tool buyers.
        maker_tariff, maker_levy, maker_real_cost: the same for accelerator lines.
        leaf_open: 1 where a class of users can use a leaf.
        user_share: share of users in each class.
        enforcement: detection budget at each hub, base = 1.
        detection: probability that other checks find a diverted unit of each accelerator line at each hub.
        productivity: of each good relative to what it would be; one but where makers have learned more or less.
        outlay: public spending on services, million USD of the base year.
        limit_flow: coefficient of each Armington flow in each limit.
        limit_maker: coefficient of each accelerator line's deliveries in each limit.
        limit_quantity: the limits.
        limit_internalised: 1 if flows with a negative coefficient are made cheaper by the rent.
        limit_by_value: 1 if flows count by their value.
        limit_ceiling: largest rent.
        limit_exporter: 1 if the rent arises on the exporter's side, 0 on the importer's.
        limit_owner: one-hot region that receives the rent.
        column: column at which a class buys, see `backfill.trade.classes.columns_of`; a float as all of these are.
        further: by range of products, class and destination of each class of buyers to whom some source is closed; -1 if none.
        access: 1 where such a class can buy from an origin.
    """

    tariff: Float[Array, "*lane product origin destination"]
    levy: Float[Array, "*lane product origin destination"]
    real_cost: Float[Array, "*lane product origin destination"]
    share: Float[Array, "*lane product class destination"]
    builder_share: Float[Array, "*lane class node"]
    maker_tariff: Float[Array, "*lane maker destination"]
    maker_levy: Float[Array, "*lane maker destination"]
    maker_real_cost: Float[Array, "*lane maker destination"]
    leaf_open: Float[Array, "*lane group leaf"]
    user_share: Float[Array, "*lane group region"]
    enforcement: Float[Array, "*lane hub"]
    detection: Float[Array, "*lane maker hub"]
    productivity: Float[Array, "*lane product region"]
    outlay: Float[Array, "*lane region"]
    limit_flow: Float[Array, "*lane limit product origin destination"]
    limit_maker: Float[Array, "*lane limit maker destination"]
    limit_quantity: Float[Array, "*lane limit"]
    limit_internalised: Float[Array, "*lane limit"]
    limit_by_value: Float[Array, "*lane limit"]
    limit_ceiling: Float[Array, "*lane limit"]
    limit_exporter: Float[Array, "*lane limit"]
    limit_owner: Float[Array, "*lane limit region"]
    column: Float[Array, "*lane product class destination"]
    further: tuple[Float[Array, "*lane _ _ 2"], ...]
    access: tuple[Float[Array, "*lane _ _ origin"], ...]


def _leaf_places(structure: Structure) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vocabulary's product, origin, place of delivery and user of every leaf, and whether its use is remote."""
    positions = structure.vocabulary.products
    rows = []
    for leaf in structure.leaves:
        product, region = structure.makers[leaf.maker]
        rows.append((positions.index(product), structure.region(region), leaf.site, leaf.user, leaf.channel == CLOUD))
    product, origin, site, user, remote = np.array(rows, int).reshape(-1, 5).T
    return product, origin, site, user, remote.astype(bool)


def _coverage(vocabulary: Vocabulary, wedges: Wedges, *, advanced: bool = False) -> np.ndarray:
    """Coverage of everybody or of advanced builders, where a limit of nothing closes its flows to everyone."""
    coverage = np.maximum(wedges.coverage, wedges.advanced) if advanced else wedges.coverage
    for limit in wedges.limits:
        if limit.closes.any():
            coverage = coverage.copy()
            for product, origin, destination, _ in limit.entries:
                i, j = vocabulary.regions.index(origin), vocabulary.regions.index(destination)
                coverage[limit.closes, vocabulary.products.index(product), i, j] = 1.0
    return coverage


def _refuse_users_without_sources(
    structure: Structure, worlds: Sequence[Wedges], user: np.ndarray, access: np.ndarray, share: np.ndarray
) -> None:
    """Compute is conserved, so a class of users to whom every route is closed has no answer."""
    own = user[:, None] == np.arange(len(structure.regions))
    stranded = (share > 0) & (access @ own == 0) & own.any(axis=0)
    if stranded.any():
        lane, _, region = np.nonzero(stranded)
        period = np.concatenate([np.arange(len(wedges.coverage)) for wedges in worlds])[lane]
        first = {structure.regions[r]: int(period[region == r][0]) for r in np.unique(region)}
        names = ", ".join(f"{name} (from period {t + 1})" for name, t in sorted(first.items()))
        raise UnsolvedError(
            f"Every way to acquire compute is closed to some users in {names}; lower a coverage there, or leave one route open."
        )


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """One array, without a copy where there is only one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def lanes(structure: Structure, worlds: Sequence[Wedges]) -> Barriers:
    """Stack the wedges of several worlds over ``lane = world x period``, with as many buyer classes as any lane needs."""
    vocabulary = structure.vocabulary
    rows = [vocabulary.products.index(p) for p in structure.products]
    makers = [(vocabulary.products.index(p), structure.region(r)) for p, r in structure.makers]
    regions = len(structure.regions)

    coverage = _joined([_coverage(vocabulary, wedges) for wedges in worlds])
    advanced = _joined([_coverage(vocabulary, wedges, advanced=True) for wedges in worlds])
    count = len(coverage)
    goods = coverage[:, rows]
    product, origin, site, user, remote = _leaf_places(structure)
    leaf = coverage[:, product, origin, site]
    abroad = _joined([wedges.remote for wedges in worlds])[:, site, user]
    leaf_open, user_share = user_classes(np.where(remote, np.maximum(leaf, abroad), leaf), user, regions)
    _refuse_users_without_sources(structure, worlds, user, leaf_open, user_share)
    tools = list(structure.tools)
    kit = [rows[n] for n in tools]
    access, builders = builders_of(
        structure, *(table[:, kit].reshape(count, -1, regions) for table in (coverage, advanced))
    )
    share, shut = goods_classes(goods, tools, access)
    classes = share.shape[2]
    column, further, opened = columns_of(shut, share.shape, structure.ranges)

    names = sorted({limit.name for w in worlds for limit in w.limits})
    shape = (count, len(names))
    limit_flow = np.zeros((*shape, len(rows), regions, regions))
    limit_maker = np.zeros((*shape, len(makers), regions))
    limit_quantity = np.full(shape, np.inf)
    limit_exporter, limit_internalised, limit_ceiling = np.ones(shape), np.ones(shape), np.full(shape, np.inf)
    limit_by_value = np.zeros(shape)
    limit_owner = np.zeros((*shape, len(structure.regions)))
    first = 0
    for wedges in worlds:
        every = np.arange(first, first := first + len(wedges.coverage))
        alike = Counter(limit.name for limit in wedges.limits)
        for limit in wedges.limits:
            n = names.index(limit.name)
            held = np.isfinite(limit.quantity) if alike[limit.name] > 1 else slice(None)
            lane = every[held]
            limit_quantity[lane, n] = np.where(limit.closes, np.inf, limit.quantity)[held]
            limit_internalised[lane, n] = limit.internalised
            limit_by_value[lane, n] = limit.by_value
            limit_ceiling[lane, n] = limit.ceiling
            limit_exporter[lane, n] = limit.side == "exporter"
            limit_owner[lane, n, structure.region(limit.owner)] = 1.0
            for product, origin, destination, coefficient in limit.entries:
                j = structure.region(destination)
                if (product, origin) in structure.makers:
                    limit_maker[lane, n, structure.makers.index((product, origin)), j] = coefficient
                elif product in structure.products:
                    limit_flow[lane, n, structure.position(product), structure.region(origin), j] = coefficient

    def whole(field: str) -> np.ndarray:
        return _joined([getattr(wedges, field) for wedges in worlds])

    def goods_rows(field: str) -> np.ndarray:
        return whole(field)[:, rows]

    hubs = np.array(structure.hubs, int)
    made, home = np.array(makers, int).reshape(-1, 2).T

    def maker_rows(field: str) -> np.ndarray:
        return whole(field)[:, made, home]

    return Barriers(
        tariff=goods_rows("tariff"),
        levy=goods_rows("levy"),
        real_cost=goods_rows("real_cost"),
        share=share,
        builder_share=np.pad(builders, ((0, 0), (0, classes - builders.shape[1]), (0, 0))),
        maker_tariff=maker_rows("tariff"),
        maker_levy=maker_rows("levy"),
        maker_real_cost=maker_rows("real_cost"),
        leaf_open=leaf_open,
        user_share=user_share,
        enforcement=whole("enforcement")[:, hubs],
        detection=whole("detection")[:, made][:, :, hubs],
        productivity=np.ones((count, len(rows), regions)),
        outlay=whole("outlay"),
        limit_flow=limit_flow,
        limit_maker=limit_maker,
        limit_quantity=limit_quantity,
        limit_internalised=limit_internalised,
        limit_by_value=limit_by_value,
        limit_ceiling=limit_ceiling,
        limit_exporter=limit_exporter,
        limit_owner=limit_owner,
        column=column,
        further=further,
        access=opened,
    )


def access_to(
    structure: Structure, barriers: Barriers, products: Sequence[int]
) -> Float[np.ndarray, "lane product class origin destination"]:
    """1 where a class of buyers can buy a product from an origin."""
    found = []
    for product in products:
        access, _ = _further(structure, barriers, product)
        first = np.ones((len(access), barriers.share.shape[3], access.shape[2]))
        found.append(np.moveaxis(_of_classes(barriers, product, first, access), 3, 2))
    lanes, _, classes, regions = barriers.share.shape
    return np.stack(found, axis=1) if found else np.ones((lanes, 0, classes, regions, regions))


def can_buy(
    structure: Structure, barriers: Barriers, products: Sequence[int], sold: Bool[np.ndarray, "product origin destination"]
) -> Bool[np.ndarray, "lane product class destination"]:
    """Whether a class of buyers can buy a product from any origin that sells it there."""
    found = []
    for product, its in zip(products, sold, strict=True):
        access, home = _further(structure, barriers, product)
        first = np.broadcast_to(its.any(axis=0), (len(access), len(its)))
        found.append(_of_classes(barriers, product, first, np.any((access > 0) & its.T[home], axis=2)))
    lanes, _, classes, regions = barriers.share.shape
    return np.stack(found, axis=1) if found else np.ones((lanes, 0, classes, regions), bool)


def _further(structure: Structure, barriers: Barriers, product: int) -> tuple[np.ndarray, np.ndarray]:
    """Access ``[lane, further, origin]`` and region ``[lane, further]`` of a product's columns of buyers after the regions'."""
    place = next(n for n, rows in enumerate(structure.ranges) if product < rows.stop)
    row = product - structure.ranges[place].start
    region = np.asarray(barriers.further[place])[:, row, :, 1].astype(int)
    return np.asarray(barriers.access[place])[:, row], np.maximum(region, 0)


def _of_classes(barriers: Barriers, product: int, first: np.ndarray, further: np.ndarray) -> np.ndarray:
    """What holds for classes of a product's buyers, ``[lane, class, destination, ...]``, of what holds for its columns."""
    column = np.asarray(barriers.column)[:, product].astype(int)
    return np.concatenate([first, further], axis=1)[np.arange(len(column))[:, None, None], column]


def in_round_numbers(barriers: Barriers, like: Barriers | None = None) -> Barriers:
    """The same with empty classes and columns of buyers and users, so that worlds of many policies share compiled programs.

    Args:
        like: worlds that have been put so; there are at least as many.
    """

    def more(sizes: tuple[int, ...], count: int, least: int) -> int:
        return max(next((size for size in sizes if size >= count), count), least) - count

    def lengths(worlds: Barriers) -> list[int]:
        return [part.shape[2] for part in worlds.further]

    counts = lengths(barriers)
    least = [1, 1, *([0] * len(counts))] if like is None else [like.share.shape[2], like.user_share.shape[1], *lengths(like)]
    classes = more(CLASSES, barriers.share.shape[2], least[0])
    groups = more(CLASSES, barriers.user_share.shape[1], least[1])
    core, *stack = (more(COLUMNS, count, least[2 + n]) for n, count in enumerate(counts))
    columns = [
        core if counts[0] else least[2],
        *(stack if any(counts[1:]) else least[3:]),
    ]

    def padded(table: Array, value: float, **axes: int) -> np.ndarray:
        widths = [(0, axes.get(f"axis_{n}", 0)) for n in range(np.ndim(table))]
        return np.pad(np.asarray(table), widths, constant_values=value)

    if not (classes or any(columns) or groups):
        return barriers
    regions = np.arange(barriers.share.shape[3], dtype=float)
    idle = np.broadcast_to(regions, (*barriers.share.shape[:2], classes, len(regions)))
    return eqx.tree_at(
        lambda x: (x.share, x.builder_share, x.column, x.further, x.access, x.leaf_open, x.user_share),
        barriers,
        (
            padded(barriers.share, 0.0, axis_2=classes),
            padded(barriers.builder_share, 0.0, axis_1=classes),
            np.concatenate([np.asarray(barriers.column), idle], axis=2),
            *(
                tuple(padded(part, value, axis_2=wider) for part, wider in zip(parts, columns, strict=True))
                for parts, value in ((barriers.further, -1.0), (barriers.access, 0.0))
            ),
            padded(barriers.leaf_open, 1.0, axis_1=groups),
            padded(barriers.user_share, 0.0, axis_1=groups),
        ),
    )

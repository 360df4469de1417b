"""What stands between seller and buyer in one period: tariffs, levies, real costs, closed routes, limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import equinox as eqx
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.dimensions import Vocabulary
from backfill.economy.economy import CLOUD, MATURE, Structure
from backfill.errors import UnsolvedError
from backfill.policy.wedges import Wedges

_Found = TypeVar("_Found")


class Barriers(eqx.Module):
    """Wedges and limits in the markets' own axes (section 3 and "Coverage" in section 4).

    Buyers of a product in a destination fall into classes: a control with coverage ``phi`` closes the flow to the share
    ``phi`` of buyers most exposed, so that classes are nested; class 0 has every source.

    Attributes:
        tariff, levy, real_cost: additions to base-year wedges on Armington flows, shares of CIF or FOB value.
        open: 1 where a class can buy from an origin.
        share: share of buyers in each class. Tools not bought by builders are bought at class 0.
        builder_share: share of each planned capacity's builders in each class of tool buyers.
        maker_tariff, maker_levy, maker_real_cost: the same for accelerator lines.
        leaf_open: 1 where a class of users can use a leaf.
        user_share: share of users in each class.
        enforcement: detection budget at each hub, base = 1.
        detection: probability that other checks find a diverted unit of each accelerator line at each hub.
        productivity: of each good relative to what it would be.
        outlay: public spending on services, million USD of the base year.
        limit_flow: coefficient of each Armington flow in each limit.
        limit_maker: coefficient of each accelerator line's deliveries in each limit.
        limit_quantity: the limits.
        limit_internalised: 1 if flows with a negative coefficient are made cheaper by the rent.
        limit_by_value: 1 if flows count by their value.
        limit_ceiling: largest rent.
        limit_exporter: 1 if the rent arises on the exporter's side, 0 on the importer's.
        limit_owner: one-hot region that receives the rent.
        slot: one-hot class and destination of each class of buyers of a product to whom some source is closed.
    """

    tariff: Float[Array, "*lane product origin destination"]
    levy: Float[Array, "*lane product origin destination"]
    real_cost: Float[Array, "*lane product origin destination"]
    open: Float[Array, "*lane product class origin destination"]
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
    slot: Float[Array, "*lane product further class destination"]


def nested_classes(coverage: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Split buyers by exposure: ``coverage[source, buyer]`` to ``open[class, source, buyer], share[class, buyer]``.

    Buyer ``u`` in (0, 1) loses every source with coverage of at least ``u``; the distinct coverages of a column cut
    (0, 1) into its classes, ordered from the least to the most exposed. Class 0 always has every source, though nobody
    may be in it.
    """
    sources, buyers = coverage.shape
    open_ = np.ones((classes, sources, buyers))
    share = np.zeros((classes, buyers))
    for buyer in range(buyers):
        cuts = np.unique(coverage[:, buyer][coverage[:, buyer] > 0])
        edges = np.concatenate([cuts, [1.0]])[::-1]
        below = np.concatenate([[0.0], cuts])[::-1]
        for c, (top, bottom) in enumerate(zip(edges, below, strict=True)):
            if c >= classes:
                raise ValueError(f"{len(edges)} classes of buyers needed, {classes} given")
            share[c, buyer] = top - bottom
            open_[c, :, buyer] = coverage[:, buyer] < 0.5 * (top + bottom)
    open_[0] = 1.0
    return open_, share


def _class_count(coverage: np.ndarray) -> int:
    """Largest number of classes that any column of ``coverage[..., source, buyer]`` needs."""
    ordered = np.sort(coverage, axis=-2)
    distinct = (np.diff(ordered, axis=-2, prepend=0.0) > 0).sum(axis=-2)
    return int(distinct.max(initial=0)) + 1


def _leaf_coverage(structure: Structure, coverage: np.ndarray, remote: np.ndarray) -> np.ndarray:
    """Coverage of every leaf ``[leaf, user]``: of the leg from the designer to the place of delivery, or of remote use."""
    positions = structure.vocabulary.products
    table = np.zeros((len(structure.leaves), len(structure.regions)))
    for n, leaf in enumerate(structure.leaves):
        product, region = structure.makers[leaf.maker]
        table[n, leaf.user] = coverage[positions.index(product), structure.region(region), leaf.site]
        if leaf.channel == CLOUD:
            table[n, leaf.user] = max(table[n, leaf.user], remote[leaf.site, leaf.user])
    return table


def builder_classes(structure: Structure, general: np.ndarray, advanced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes of the builders of planned capacity, who buy every type of tool: a control on one type splits all alike.

    Builders of advanced capacity are split by ``advanced``, those of mature chips by ``general``, each as in
    `nested_classes`; classes with the same sources are one. Class 0 has every source.

    Args:
        general, advanced: coverage of each tool and origin, ``[source, buyer]``.

    Returns:
        ``open[class, source, buyer]`` with as many classes as the busiest buyer needs, and ``share[class, node]``.
    """
    count = _class_count(general) + _class_count(advanced)
    split = {True: nested_classes(advanced, count), False: nested_classes(general, count)}
    open_ = np.ones((count, *general.shape))
    share = np.zeros((count, len(structure.nodes)))
    used = 1
    for buyer, region in enumerate(structure.regions):
        patterns = [np.ones(general.shape[0])]
        for kind, (access, shares) in split.items():
            nodes = [n for n, (p, r) in enumerate(structure.nodes) if r == region and (p not in MATURE) == kind]
            for c in np.flatnonzero(shares[:, buyer] > 0) if nodes else ():
                source = access[c, :, buyer]
                at = next((n for n, known in enumerate(patterns) if (known == source).all()), len(patterns))
                if at == len(patterns):
                    patterns.append(source)
                    open_[at, :, buyer] = source
                share[at, nodes] += shares[c, buyer]
        used = max(used, len(patterns))
    return open_[:used], share[:used]


def _goods_classes(goods: np.ndarray, tools: list[int], builders: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Access and shares of buyer classes, ``[lane, product, class, ...]``, padded to as many as any lane needs.

    Args:
        goods: coverage, ``[lane, product, origin, buyer]``.
        builders: each lane's access of the classes of builders, who buy the ``tools``; others buy tools at class 0.
    """
    lanes_, products, origins, buyers = goods.shape
    others = np.setdiff1d(np.arange(products), tools)
    count = max(_class_count(goods[:, others]), *(len(access) for access in builders))
    open_ = np.ones((lanes_, products, count, origins, buyers))
    share = np.zeros((lanes_, products, count, buyers))
    share[:, :, 0] = 1.0
    for lane, access in enumerate(builders):
        for product in others[goods[lane, others].any(axis=(1, 2))]:
            open_[lane, product], share[lane, product] = nested_classes(goods[lane, product], count)
        by_tool = access.reshape(len(access), len(tools), origins, buyers)
        open_[lane, tools, : len(access)] = np.moveaxis(by_tool, 1, 0)
    return open_, share


def further_classes(open_: np.ndarray) -> np.ndarray:
    """Classes that differ from class 0, one row each: ``[lane, product, further, class, destination]``, padded with zeros.

    Args:
        open_: ``[lane, product, class, origin, destination]``.
    """
    lanes_, products, classes, _, buyers = open_.shape
    differs = (open_ == 0).any(axis=3)
    count = int(differs.sum(axis=(2, 3)).max(initial=0))
    slot = np.zeros((lanes_, products, count, classes, buyers))
    lane, product, c, buyer = np.nonzero(differs)
    order = differs.reshape(lanes_, products, -1).cumsum(2).reshape(differs.shape)
    slot[lane, product, order[lane, product, c, buyer] - 1, c, buyer] = 1.0
    return slot


def _coverage(vocabulary: Vocabulary, wedges: Wedges, t: int, *, advanced: bool = False) -> np.ndarray:
    """Coverage of a period, of everybody or of advanced builders, where a limit of nothing closes its flows to everyone."""
    coverage = np.maximum(wedges.coverage[t], wedges.advanced[t] if advanced else 0.0)
    for limit in wedges.limits:
        if limit.closes[t]:
            for product, origin, destination, _ in limit.entries:
                i, j = vocabulary.regions.index(origin), vocabulary.regions.index(destination)
                coverage[vocabulary.products.index(product), i, j] = 1.0
    return coverage


def _refuse_users_without_sources(
    structure: Structure, periods: list[tuple[Wedges, int]], users: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Compute is conserved, so a class of users to whom every route is closed has no answer."""
    stranded = {}
    for (_, t), (access, share) in zip(periods, users, strict=True):
        for user in {leaf.user for leaf in structure.leaves}:
            own = [n for n, leaf in enumerate(structure.leaves) if leaf.user == user]
            for c in range(len(access)):
                if share[c, user] > 0 and not access[c, own, user].any():
                    stranded.setdefault(structure.regions[user], t)
    if stranded:
        names = ", ".join(f"{region} (from period {t + 1})" for region, t in sorted(stranded.items()))
        raise UnsolvedError(
            f"Every way to acquire compute is closed to some users in {names}; lower a coverage there, or leave one route open."
        )


def _each_once(function: Callable[..., _Found], arguments: Sequence[tuple[np.ndarray, ...]]) -> list[_Found]:
    """``[function(*one) for one in arguments]``, computed once for arguments that are alike."""
    found: dict[tuple[bytes, ...], _Found] = {}
    keys = [tuple(part.tobytes() for part in one) for one in arguments]
    for key, one in zip(keys, arguments, strict=True):
        if key not in found:
            found[key] = function(*one)
    return [found[key] for key in keys]


def lanes(structure: Structure, worlds: Sequence[Wedges]) -> Barriers:
    """Stack the wedges of several worlds over ``lane = world x period``, with as many buyer classes as any lane needs."""
    vocabulary = structure.vocabulary
    rows = [vocabulary.products.index(p) for p in structure.products]
    makers = [(vocabulary.products.index(p), structure.region(r)) for p, r in structure.makers]
    periods = [(wedges, t) for wedges in worlds for t in range(wedges.coverage.shape[0])]

    coverage = [_coverage(vocabulary, wedges, t) for wedges, t in periods]
    goods = np.stack([closed[rows] for closed in coverage])
    leaf = np.stack(
        [_leaf_coverage(structure, closed, w.remote[t]) for closed, (w, t) in zip(coverage, periods, strict=True)]
    )
    tools = list(structure.tools)

    def kit(closed: np.ndarray) -> np.ndarray:
        return closed[[rows[n] for n in tools] or slice(0)].reshape(-1, len(structure.regions))

    split = _each_once(
        lambda general, advanced: builder_classes(structure, general, advanced),
        [
            (kit(closed), kit(_coverage(vocabulary, wedges, t, advanced=True)))
            for closed, (wedges, t) in zip(coverage, periods, strict=True)
        ],
    )
    access, builders = zip(*split, strict=True)
    open_, share = _goods_classes(goods, tools, list(access))
    count = open_.shape[2]
    leaf_count = _class_count(leaf)
    users = _each_once(lambda lane: nested_classes(lane, leaf_count), [(lane,) for lane in leaf])
    _refuse_users_without_sources(structure, periods, users)
    user = np.array([leaf.user for leaf in structure.leaves], int)
    leaf_open = [access[:, np.arange(len(user)), user] for access, _ in users]

    names = sorted({limit.name for w in worlds for limit in w.limits})
    shape = (len(periods), len(names))
    limit_flow = np.zeros((*shape, len(rows), len(structure.regions), len(structure.regions)))
    limit_maker = np.zeros((*shape, len(makers), len(structure.regions)))
    limit_quantity = np.full(shape, np.inf)
    limit_exporter, limit_internalised, limit_ceiling = np.ones(shape), np.ones(shape), np.full(shape, np.inf)
    limit_by_value = np.zeros(shape)
    limit_owner = np.zeros((*shape, len(structure.regions)))
    for lane, (wedges, t) in enumerate(periods):
        for limit in wedges.limits:
            n = names.index(limit.name)
            limit_quantity[lane, n] = np.inf if limit.closes[t] else limit.quantity[t]
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

    def goods_rows(field: str) -> np.ndarray:
        return np.stack([getattr(w, field)[t][rows] for w, t in periods])

    hubs = np.array(structure.hubs, int)
    made, home = np.array(makers, int).reshape(-1, 2).T

    def maker_rows(field: str) -> np.ndarray:
        return np.stack([getattr(w, field)[t][made, home] for w, t in periods])

    return Barriers(
        tariff=goods_rows("tariff"),
        levy=goods_rows("levy"),
        real_cost=goods_rows("real_cost"),
        open=open_,
        share=share,
        builder_share=np.stack([np.pad(part, ((0, count - len(part)), (0, 0))) for part in builders]),
        maker_tariff=maker_rows("tariff"),
        maker_levy=maker_rows("levy"),
        maker_real_cost=maker_rows("real_cost"),
        leaf_open=np.stack(leaf_open),
        user_share=np.stack([part for _, part in users]),
        enforcement=np.stack([w.enforcement[t][hubs] for w, t in periods]),
        detection=np.stack([w.detection[t][np.ix_(made, hubs)] for w, t in periods]),
        productivity=goods_rows("productivity"),
        outlay=np.stack([w.outlay[t] for w, t in periods]),
        limit_flow=limit_flow,
        limit_maker=limit_maker,
        limit_quantity=limit_quantity,
        limit_internalised=limit_internalised,
        limit_by_value=limit_by_value,
        limit_ceiling=limit_ceiling,
        limit_exporter=limit_exporter,
        limit_owner=limit_owner,
        slot=further_classes(open_),
    )

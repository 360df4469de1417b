"""The small economy of the tests, and its markets under policies of one period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import jax
import numpy as np

from backfill.economy.economy import Economy, Structure
from backfill.policy.wedges import Limit, Wedges
from backfill.trade.barriers import lanes
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import Lane
from backfill.trade.market import Plan, node_matrix
from backfill.trade.sites import Sites
from tests.support import small

YEAR = 2


@lru_cache(maxsize=2)
def small_economy(seed: int = 1) -> Economy:
    """The calibrated small economy."""
    from backfill.reference import economy

    return economy(small.tables(seed), small.vocabulary(), last_year=2024)


def no_policy(economy: Economy) -> Wedges:
    """One period without policy."""
    return Wedges.none(economy.structure.vocabulary, economy.periods[:1])


def policy(economy: Economy, *, limits: Sequence[Limit] = (), enforcement: float = 1.0, **rates: dict) -> Wedges:
    """One period of policy: ``coverage={("hbm", "TWN", "CHN"): .5}`` and so on; ``None`` stands for all others."""
    base = no_policy(economy)
    names, regions = economy.structure.vocabulary.products, economy.structure.regions
    changed = {}
    for field, entries in rates.items():
        array = getattr(base, field).copy()
        for (product, origin, destination), rate in entries.items():
            k = slice(None) if product is None else names.index(product)
            i = slice(None) if origin is None else regions.index(origin)
            j = slice(None) if destination is None else regions.index(destination)
            array[0, k, i, j] = rate
        for region in range(len(regions)):
            array[0, :, region, region] = 0.0
        changed[field] = array
    return replace(base, **changed, enforcement=enforcement * base.enforcement, limits=tuple(limits))


def cap(economy: Economy, product: str, origin: str, destination: str, quantity: float, side: str = "exporter") -> Limit:
    """A quota on one flow whose rent goes to the exporter, or to the importer."""
    owner = origin if side == "exporter" else destination
    return Limit(f"{product} {origin} {destination} {side}", owner, side, ((product, origin, destination, 1.0),),
                 np.array([quantity]), "any")  # fmt: skip


def lanes_of(economy: Economy, worlds: Sequence[Wedges], period: int = YEAR) -> tuple[Lane, np.ndarray]:
    """Lanes of one period under several policies with the reference plan, and the reference as starting point."""
    shape, capacity = economy.structure, economy.capacity
    barriers = lanes(shape, worlds)
    count = len(worlds)
    bought = np.zeros((len(shape.products), len(shape.regions)))
    for node, column in enumerate(node_matrix(shape)[1]):
        bought[:, column] += capacity.additions[period, node] * capacity.tool_need[node]
    parameters = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[period : period + 1], count, 0), economy.parameters)
    plan = Plan(
        np.repeat(np.asarray(capacity.rent)[period : period + 1], count, 0),
        bought[None, :, None, :] * builders_by_region(shape, barriers.builder_share)[:, None],
        np.zeros((count, *bought.shape)),
        np.zeros((count, len(shape.regions))),
        sites_at(economy, np.asarray(barriers.builder_share), period).outlays(
            shape, capacity.tool_need, np.asarray(capacity.additions)[period][:, None] * barriers.builder_share.swapaxes(1, 2)
        ),
    )
    start = np.repeat(np.asarray(economy.reference_state)[period : period + 1], count, 0)
    rents = np.zeros((count, barriers.limit_quantity.shape[1]))
    return Lane(parameters, barriers, plan, Tastes()), np.concatenate([start, rents], axis=1)


def sites_at(economy: Economy, share: np.ndarray, period: int = YEAR) -> Sites:
    """What additions cost beside tools in one period of several worlds, ``share[world, class, node]``."""
    cost, slope = (np.asarray(x)[period] for x in (economy.capacity.site_cost, economy.capacity.slope))
    cost, slope = (np.broadcast_to(x, (len(share), len(x))) for x in (cost, slope))
    return Sites(cost, slope, np.zeros(cost.shape), share.swapaxes(1, 2))


def builders_by_region(shape: Structure, share: np.ndarray) -> np.ndarray:
    """Shares of a region's builders in each class, ``[*lane, class, region]``, alike for all its capacities here."""
    out = np.zeros((*share.shape[:-1], len(shape.regions)))
    out[..., 0, :] = 1.0
    for node, column in enumerate(node_matrix(shape)[1]):
        out[..., column] = share[..., node]
    return out


def lane_at(lane: Lane, index: int | slice | np.ndarray) -> Lane:
    """Some of the lanes."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[index], lane)

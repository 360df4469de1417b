"""The planned capacities of an economy as `Nodes`, and of a world that shares another's first periods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backfill.economy.economy import Economy
from backfill.policy.wedges import Wedges
from backfill.supply.nodes import Array, Nodes


def nodes_of(economy: Economy, share: Array, wedges: Wedges) -> Nodes:
    """Capacities that inherit the reference stock and add from the first period on.

    A subsidy of rate ``s`` takes ``s`` of what a unit costs on the reference path, site, tools and haste, off its cost.

    Args:
        economy: the calibrated economy.
        share: ``[node, class, period]`` share of builders in each class of tool buyers.
        wedges: the policy: its wear and its subsidies.
    """
    capacity, periods = economy.capacity, len(economy.periods)
    delta, beta = np.asarray(capacity.depreciation), float(capacity.discount)
    lags = np.asarray(economy.lags, int)
    reference = np.asarray(capacity.reference).T
    t = np.arange(periods)
    start = np.minimum(lags, periods - 1)
    decayed = reference[np.arange(len(start)), start][:, None] * (1 - delta)[:, None] ** (t - start[:, None])
    vocabulary = economy.structure.vocabulary
    rows = [vocabulary.products.index(product) for product, _ in economy.structure.nodes]
    columns = [vocabulary.regions.index(region) for _, region in economy.structure.nodes]
    years = np.array([period.years for period in economy.periods])
    wear = 1 - (1 - wedges.wear[:, rows, columns].T) ** years
    site_cost, slope = np.asarray(capacity.site_cost).T, np.asarray(capacity.slope).T
    additions = np.asarray(capacity.additions).T
    return Nodes(
        names=economy.structure.nodes,
        owners=economy.structure.owners,
        inherited=np.where(t <= start[:, None], reference, decayed),
        depreciation=delta,
        lag=lags,
        site_cost=site_cost - subsidies(economy, wedges),
        slope=slope,
        weights=np.asarray(beta**t, float),
        terminal=1 / (1 - beta * (1 - delta) * (1 - wear[:, -1])),
        class_share=share,
        open=share > 0,
        reference_additions=additions[:, None, :] * share,
        wear=wear,
    )


def subsidies(economy: Economy, wedges: Wedges) -> Array:
    """What a policy pays of a unit of capacity, of its cost on the reference path, ``[node, period]``."""
    capacity, vocabulary = economy.capacity, economy.structure.vocabulary
    rows = [vocabulary.products.index(product) for product, _ in economy.structure.nodes]
    columns = [vocabulary.regions.index(region) for _, region in economy.structure.nodes]
    tools = np.asarray(capacity.tool_need).sum(1)
    unit_cost = np.asarray(capacity.site_cost) + tools + np.asarray(capacity.slope) * np.asarray(capacity.additions)
    return (wedges.subsidy[:, rows, columns] * unit_cost).T


def departing(nodes: Nodes, additions: Array, periods: int) -> Nodes:
    """Nodes whose additions of the first ``periods`` are given, and where plans for later ones start from given totals.

    Args:
        nodes: the capacities.
        additions: ``[node, class, period]`` of the world departed from, whose classes are the same in these periods.
        periods: how many of its periods are shared.
    """
    past = np.arange(nodes.periods) < periods
    spread = additions.sum(1)[:, None, :] * nodes.class_share
    return replace(nodes, reference_additions=np.where(past, additions, spread), open=nodes.open & ~past)

"""The planned capacities of an economy as `Nodes`, and of a world that shares another's first periods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backfill.economy.economy import Economy
from backfill.supply.nodes import Array, Nodes


def nodes_of(economy: Economy, share: Array) -> Nodes:
    """Capacities that inherit the reference stock and add from the first period on.

    Args:
        economy: the calibrated economy.
        share: ``[node, class, period]`` share of builders in each class of tool buyers.
    """
    capacity, periods = economy.capacity, len(economy.periods)
    delta, beta = np.asarray(capacity.depreciation), float(capacity.discount)
    lags = np.asarray(economy.lags, int)
    reference = np.asarray(capacity.reference).T
    t = np.arange(periods)
    start = np.minimum(lags, periods - 1)
    decayed = reference[np.arange(len(start)), start][:, None] * (1 - delta)[:, None] ** (t - start[:, None])
    return Nodes(
        names=economy.structure.nodes,
        owners=economy.structure.owners,
        inherited=np.where(t <= start[:, None], reference, decayed),
        depreciation=delta,
        lag=lags,
        site_cost=np.asarray(capacity.site_cost).T,
        slope=np.asarray(capacity.slope).T,
        weights=np.asarray(beta**t, float),
        terminal=1 / (1 - beta * (1 - delta)),
        class_share=share,
        open=share > 0,
        reference_additions=np.asarray(capacity.additions).T[:, None, :] * share,
    )


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

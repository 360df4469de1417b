"""How far rents, use and additions are from a solution: the natural residual of sections 5 and 7, at true prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.supply.foresight import Foresight, Perfect, additions_at, decided, present_value
from backfill.supply.nodes import Array, Nodes, capacity_path

__all__ = ["Residuals", "additions_at", "capacity_path", "natural_residual", "residuals"]


@dataclass(frozen=True)
class Residuals:
    """Natural residuals, all dimensionless.

    Attributes:
        scarcity: ``[node, period]`` ``|min(r / p, 1 - u / K)|``: rent is paid only where capacity is used up, and use
            does not exceed it.
        building: ``[node, class, period]`` ``|min(I / K*, (b + tools + psi I / share - PV) / p)|``, ``K*`` the node's largest
            capacity: builders add until a unit earns its cost. Zero where additions are given.
        names: (product, region) of each node.
    """

    scarcity: Array
    building: Array
    names: tuple[tuple[str, str], ...]

    @property
    def largest(self) -> float:
        """The natural residual: the largest of all; infinite if any is not a number."""
        worst = float(np.maximum(self.scarcity.max(initial=0.0), self.building.max(initial=0.0)))
        return worst if np.isfinite(worst) else float("inf")

    def within(self, span: slice) -> Residuals:
        """The residuals of some periods."""
        return Residuals(self.scarcity[:, span], self.building[..., span], self.names)

    def worst(self, count: int = 3) -> tuple[tuple[tuple[str, str], int, float], ...]:
        """The nodes with the largest residuals, worst first: (product, region), period, residual."""
        every = np.maximum(self.scarcity, self.building.max(1, initial=0.0))
        every = np.where(np.isfinite(every), every, np.inf)
        period = every.argmax(1)
        size = every[np.arange(len(every)), period]
        return tuple((self.names[g], int(period[g]), float(size[g])) for g in np.argsort(-size, kind="stable")[:count])


def residuals(
    nodes: Nodes,
    rent: Array,
    use: Array,
    additions: Array,
    tool_cost: Array,
    price: Array,
    foresight: Foresight | None = None,
) -> Residuals:
    """Natural residuals by node, period and class.

    Args:
        nodes: the capacities.
        rent: ``[node, period]`` million USD per unit.
        use: ``[node, period]`` the markets' use at ``rent`` and ``additions``.
        additions: ``[node, class, period]``.
        tool_cost: ``[node, class, period]`` at these prices.
        price: ``[node, period]`` mill price of the node's product, the scale of rents and costs.
        foresight: perfect if absent.
    """
    foresight = foresight or Perfect()
    capacity = capacity_path(nodes, additions)
    scale = np.where(capacity > 0, capacity, np.maximum(np.abs(use), 1e-300))
    scarcity = np.abs(np.minimum(rent / price, (capacity - use) / scale))
    share = np.where(nodes.class_share > 0, nodes.class_share, 1.0)
    marginal = nodes.site_cost[:, None, :] + tool_cost + nodes.slope[:, None, :] * additions / share
    loss = (marginal - present_value(nodes, rent, foresight)[:, None, :]) / price[:, None, :]
    largest = np.maximum(capacity.max(1), 1e-300)[:, None, None]
    building = np.abs(np.minimum(additions / largest, loss))
    given = np.abs(additions - nodes.reference_additions) / largest
    building = np.where(decided(nodes, foresight), building, given)
    return Residuals(scarcity, building, nodes.names)


def natural_residual(
    nodes: Nodes,
    rent: Array,
    use: Array,
    additions: Array,
    tool_cost: Array,
    price: Array,
    foresight: Foresight | None = None,
) -> float:
    """Largest natural residual, `residuals`; zero exactly at a solution."""
    return residuals(nodes, rent, use, additions, tool_cost, price, foresight).largest

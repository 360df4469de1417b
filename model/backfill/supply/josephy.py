"""A Josephy-Newton step: the plan against the markets' full linear answer, asymmetric slopes included (section 7).

The convex program knows only the symmetric part of the markets' Jacobian. Here rents solve the affine complementarity

    0 <= r  ⟂  K(I(r)) - u - U (r - r0) - V (I(r) - I0) >= 0,      I(r) = max(0, PV(r) - b - tau - C (r - r0)) share / psi,

with ``U`` and ``V`` the exact response of use to rents and additions, ``C`` that of tool costs ``tau`` to rents,

by a semismooth Newton method on its natural residual, started from the program's answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.supply.foresight import Foresight, additions_at, decided
from backfill.supply.nodes import Array, MarketResponse, Nodes, capacity_path, survival

SETTLED = 1e-12
STEPS = 40


@dataclass(frozen=True)
class AffineAnswer:
    """Rents and additions that answer the linearised markets.

    Attributes:
        rent: ``[node, period]``.
        additions: ``[node, class, period]``.
        residual: natural residual of the affine problem that is left.
        steps: Newton steps taken.
    """

    rent: Array
    additions: Array
    residual: float
    steps: int


class _Affine:
    """Residual and generalised Jacobian of the affine complementarity problem of one round."""

    def __init__(
        self, nodes: Nodes, market: MarketResponse, cost_slope: Array, price: Array, foresight: Foresight
    ) -> None:
        self.nodes, self.market, self.price, self.foresight = nodes, market, price, foresight
        self.cost_slope = cost_slope
        self.value = foresight.valuation(nodes)
        self.left = survival(nodes.lag, nodes.depreciation, nodes.periods)
        self.pace = np.where(decided(nodes, foresight), nodes.class_share / nodes.slope[:, None, :], 0.0)
        self.scale = np.maximum(capacity_path(nodes, market.additions), 1e-9)
        count, periods = market.rent.shape
        self.slopes = np.zeros((count, periods, count, periods))
        t = np.arange(periods)
        self.slopes[:, t, :, t] = market.jacobian

    def additions(self, rent: Array) -> Array:
        """Additions at given rents, tool costs moving with the rents of tool makers."""
        cost = self.market.tool_cost + np.einsum("gcth,ht->gct", self.cost_slope, rent - self.market.rent)
        return additions_at(self.nodes, rent, cost, self.foresight)

    def idle(self, rent: Array, additions: Array) -> Array:
        """Capacity less predicted use."""
        market = self.market
        use = market.use + np.einsum("tgh,ht->gt", market.jacobian, rent - market.rent)
        use = use + np.einsum("gcth,gct->ht", market.tool_use, additions - market.additions)
        return capacity_path(self.nodes, additions) - use

    def residual(self, rent: Array) -> tuple[Array, Array, Array]:
        """Natural residual, whether each node is idle at zero rent, and the additions."""
        additions = self.additions(rent)
        scarcity, slack = rent / self.price, self.idle(rent, additions) / self.scale
        return np.minimum(scarcity, slack), scarcity <= slack, additions

    def jacobian(self, idle: np.ndarray, additions: Array) -> Array:
        """One element of the generalised Jacobian, ``[node x period, node x period]``."""
        count, periods = idle.shape
        pace = np.where(additions > 0, self.pace, 0.0)
        t = np.arange(periods)
        own = np.einsum("gct,gts->gcts", pace, self.value)
        tools = pace[..., None] * self.cost_slope
        total = np.zeros((count, periods, count, periods))
        g = np.arange(count)
        total[g, :, g, :] = own.sum(1)
        total[:, t, :, t] -= tools.sum(1).transpose(1, 0, 2)
        slack = np.einsum("gts,gthq->gshq", self.left, total)
        slack -= self.slopes
        slack -= np.einsum("gcth,gcts->htgs", self.market.tool_use, own)
        slack[:, t, :, t] += np.einsum("gcth,gctq->thq", self.market.tool_use, tools)
        matrix = (slack / self.scale[:, :, None, None]).reshape(count * periods, -1)
        rows = np.flatnonzero(idle.ravel())
        matrix[rows] = 0.0
        matrix[rows, rows] = 1 / self.price.ravel()[rows]
        return matrix


def answer(
    nodes: Nodes,
    market: MarketResponse,
    cost_slope: Array,
    price: Array,
    start: Array,
    foresight: Foresight,
    steps: int = STEPS,
) -> AffineAnswer:
    """Solve one round's affine complementarity problem from ``start``, the convex program's rents.

    Args:
        nodes: the capacities.
        market: quantities and slopes at the round's point.
        cost_slope: ``[node, class, period, node]`` change of the first node's tool cost by the rent of the last.
        price: ``[node, period]`` mill prices, the scale of rents.
        start: ``[node, period]`` rents to start from.
        foresight: what builders expect.
        steps: at most so many Newton steps.

    Returns:
        The best point found; its ``residual`` says how far it is from a solution.
    """
    problem = _Affine(nodes, market, cost_slope, price, foresight)
    rent = np.maximum(start, 0.0)
    gap, idle, additions = problem.residual(rent)
    best = AffineAnswer(rent, additions, float(np.abs(gap).max()), 0)
    for step in range(1, steps + 1):
        if best.residual < SETTLED:
            break
        direction = np.linalg.solve(problem.jacobian(idle, additions), -gap.ravel()).reshape(rent.shape)
        length, size = 1.0, np.linalg.norm(gap)
        while True:
            trial = rent + length * direction
            trial_gap, trial_idle, trial_additions = problem.residual(trial)
            if np.linalg.norm(trial_gap) <= (1 - 1e-4 * length) * size or length < 0.05:
                break
            length *= 0.5
        rent, gap, idle, additions = trial, trial_gap, trial_idle, trial_additions
        largest = float(np.abs(gap).max())
        if largest < best.residual:
            best = AffineAnswer(np.maximum(rent, 0.0), additions, largest, step)
    return best

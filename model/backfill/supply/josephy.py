"""A Josephy-Newton step: the plan against the markets' full linear answer, asymmetric slopes included (section 7).

The convex program knows only the symmetric part of the markets' Jacobian. Here rents solve the affine complementarity

    0 <= r  ⟂  K(I(r)) - u - U (r - r0) - V (I(r) - I0) >= 0,      I(r) = max(0, PV(r) - b - tau - C (r - r0)) share / psi,

with ``U`` and ``V`` the exact response of use to rents and additions, ``C`` that of tool costs ``tau`` to rents, by a
semismooth Newton method on ``min(r / p, idle / K) = 0``, whose steps end exactly. Where these get stuck the kinks are rounded off
and sharpened step by step, ``a + b - sqrt(a^2 + b^2 + 2 e^2)`` for the complementarity and ``(g + sqrt(g^2 + 4 e^2)) / 2`` for
``max(0, g)``, ``e`` falling to zero (smoothing continuation: Chen and Mangasarian, Computational Optimization and
Applications 5, 1996). A full step is taken where it lowers the residual, else a shorter one, else a regularised one
(`regularised`), which is also the answer to slopes that leave rents undetermined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.supply.foresight import Foresight, decided
from backfill.supply.nodes import Array, MarketResponse, Nodes, capacity_path

SETTLED = 1e-12
STEPS = 100
ROUNDINGS = (0.0, *(10.0**-power for power in range(8)), 0.0)
"""Kinks are rounded off only where the first, exact, try gets stuck."""
SHORTEST = 2.0**-6
DECREASE = 1e-4
WEIGHTS = tuple(10.0**power for power in range(-8, 3, 2))


@dataclass(frozen=True)
class AffineAnswer:
    """Rents and additions that answer the linearised markets.

    Attributes:
        rent: ``[node, period]``.
        additions: ``[node, class, period]``.
        residual: natural residual of the affine problem that is left at them.
        steps: Newton steps taken.
    """

    rent: Array
    additions: Array
    residual: float
    steps: int

    @property
    def solved(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.residual < 1e3 * SETTLED


class _Affine:
    """Residual and generalised Jacobian of the affine complementarity problem of one round.

    Unknowns are the rents of the periods ``span``; all others are kept. A point is the flat ``[node, period in span]``.
    """

    def __init__(
        self,
        nodes: Nodes,
        market: MarketResponse,
        cost_slope: Array,
        price: Array,
        foresight: Foresight,
        span: slice,
        stocks: Array | None,
    ) -> None:
        self.stocks = stocks
        self.nodes, self.market, self.price, self.span = nodes, market, price, span
        self.cost_slope = cost_slope
        self.worth = foresight.valuation(nodes)
        self.value = self.worth[:, span, span]
        self.left = nodes.survival[:, span, span]
        self.builds = decided(nodes, foresight)[..., span]
        self.pace = np.where(self.builds, (nodes.class_share / nodes.slope[:, None, :])[..., span], 0.0)
        self.rounding = 0.0
        capacity = capacity_path(nodes, market.additions)
        size = np.maximum(nodes.inherited.max(1, initial=0.0), np.abs(market.use).max(1, initial=0.0))
        self.scale = np.maximum(capacity, np.maximum(1e-6 * size, 1e-300)[:, None])[:, span]

    def rents(self, point: Array) -> Array:
        """All rents ``[node, period]`` at a point."""
        rent = self.market.rent.copy()
        rent[:, self.span] = point.reshape(len(rent), -1)
        return rent

    def gains(self, rent: Array) -> Array:
        """What a first unit added earns above its cost, tool costs moving with the rents of tool makers."""
        cost = self.market.tool_cost + np.einsum("gcth,ht->gct", self.cost_slope, rent - self.market.rent)
        worth = np.einsum("gts,gs->gt", self.worth, rent) - self.nodes.site_cost
        return (worth[:, None, :] - cost)[..., self.span]

    def additions(self, gains: Array) -> Array:
        """Additions at given gains, all classes and periods."""
        additions = self.market.additions.copy()
        wanted = 0.5 * (gains + np.hypot(gains, 2 * self.rounding)) if self.rounding else np.maximum(gains, 0.0)
        additions[..., self.span] = np.where(self.builds, wanted * self.pace, self.nodes.reference_additions[..., self.span])
        return additions

    def idle(self, rent: Array, additions: Array) -> Array:
        """Capacity less predicted use."""
        market = self.market
        use = market.use + np.einsum("tgh,ht->gt", market.jacobian, rent - market.rent)
        use = use + np.einsum("gcth,gct->ht", market.tool_use, additions - market.additions)
        if self.stocks is not None:
            use = use + np.einsum("gths,hs->gt", self.stocks, rent - market.rent)
        return capacity_path(self.nodes, additions) - use

    def sides(self, point: Array) -> tuple[Array, Array, Array]:
        """Both sides of the complementarity, ``r / p`` and ``idle / K``, and the gains."""
        rent = self.rents(point)
        gains = self.gains(rent)
        slack = self.idle(rent, self.additions(gains))[:, self.span] / self.scale
        return (rent / self.price)[:, self.span].ravel(), slack.ravel(), gains

    def slopes(self, gains: Array) -> Array:
        """Change of ``idle / K`` by rents, an element of the generalised Jacobian, ``[node x period, node x period]``."""
        count, periods = self.scale.shape
        market, span = self.market, self.span
        length = np.hypot(gains, 2 * self.rounding)
        building = 0.5 * (1 + gains / np.where(length > 0, length, 1.0)) if self.rounding else (gains > 0).astype(float)
        pace = building * self.pace
        t, g, b = np.arange(periods), np.arange(count), np.flatnonzero(self.builds.any(axis=(1, 2)))
        own = pace[..., None] * self.value[:, None]
        tools = pace[b, ..., None] * self.cost_slope[b][:, :, span]
        total = np.zeros((count, periods, count, periods))
        total[g, :, g, :] = own.sum(1)
        total[b[:, None], t, :, t] -= tools.sum(1)
        slack = (self.left.transpose(0, 2, 1) @ total.reshape(count, periods, -1)).reshape(total.shape)
        slack[:, t, :, t] -= market.jacobian[span]
        tool_use = market.tool_use[b][:, :, span].transpose(2, 0, 3, 1)
        slack[:, t[:, None], b] -= (tool_use @ own[b].transpose(2, 0, 1, 3)).transpose(2, 0, 1, 3)
        by_use = tool_use.transpose(0, 2, 1, 3).reshape(periods, count, -1)
        if self.stocks is not None:
            slack -= self.stocks[:, span, :, span]
        slack[:, t, :, t] += by_use @ tools.transpose(2, 0, 1, 3).reshape(periods, by_use.shape[-1], count)
        return (slack / self.scale[:, :, None, None]).reshape(count * periods, -1)


def complementary(scarce: Array, slack: Array, rounding: float) -> tuple[Array, Array, Array]:
    """``min(a, b)``, or rounded ``a + b - sqrt(a^2 + b^2 + 2 e^2)``, and its derivatives by ``a`` and ``b``."""
    if rounding == 0:
        first = scarce <= slack
        return np.where(first, scarce, slack), first.astype(float), (~first).astype(float)
    length = np.sqrt(scarce**2 + slack**2 + 2 * rounding**2)
    return scarce + slack - length, 1 - scarce / length, 1 - slack / length


def answer(
    nodes: Nodes,
    market: MarketResponse,
    cost_slope: Array,
    price: Array,
    start: Array,
    foresight: Foresight,
    steps: int = STEPS,
    span: slice = slice(None),
    stocks: Array | None = None,
) -> AffineAnswer:
    """Solve one round's affine complementarity problem from ``start``.

    Args:
        nodes: the capacities.
        market: quantities and slopes at the round's point.
        cost_slope: ``[node, class, period, node]`` change of the first node's tool cost by the rent of the last.
        price: ``[node, period]`` mill prices, the scale of rents.
        start: ``[node, period]`` rents to start from.
        foresight: what builders expect.
        steps: at most so many Newton steps.
        span: periods whose rents and additions answer; the others stay as they are.
        stocks: ``[node, period, node, period]`` change of use by rents through what is bought ahead.

    Returns:
        The best point found, with no rent below zero; its ``residual`` says how far it is from a solution.
    """
    problem = _Affine(nodes, market, cost_slope, price, foresight, span, stocks)
    point, taken = np.maximum(start[:, span], 0.0).ravel(), 0
    best, lowest = point, np.inf
    for problem.rounding in ROUNDINGS:
        point, used = _descend(problem, point, steps - taken)
        taken += used
        if problem.rounding == 0:
            left = _natural(problem, np.maximum(point, 0.0))
            best, lowest = (np.maximum(point, 0.0), left) if left < lowest else (best, lowest)
            if lowest < SETTLED:
                break
    return AffineAnswer(
        problem.rents(best), problem.additions(problem.gains(problem.rents(best))), _natural(problem, best), taken
    )


def _natural(problem: _Affine, point: Array) -> float:
    scarce, slack, _ = problem.sides(point)
    return float(np.abs(np.minimum(scarce, slack)).max(initial=0.0))


def _descend(problem: _Affine, point: Array, steps: int) -> tuple[Array, int]:
    """Lower the residual, rounded as the problem is, until it is zero or nothing lowers it: the point and steps taken."""
    scarce, slack, gains = problem.sides(point)
    unit = 1 / problem.price[:, problem.span].ravel()
    for taken in range(steps):
        gap, by_scarce, by_slack = complementary(scarce, slack, problem.rounding)
        if np.abs(gap).max(initial=0.0) < max(SETTLED, 1e-2 * problem.rounding):
            return point, taken
        matrix = by_slack[:, None] * problem.slopes(gains)
        np.fill_diagonal(matrix, matrix.diagonal() + by_scarce * unit)
        found = _next(problem, point, gap, matrix)
        if found is None:
            return point, taken
        point, scarce, slack, gains = found
    return point, steps


def _next(problem: _Affine, point: Array, gap: Array, matrix: Array) -> tuple[Array, Array, Array, Array] | None:
    """The next point with a smaller residual and what is known there; None if no direction lowers it."""
    size = np.linalg.norm(gap)

    def tried(direction: Array | None, shortest: float) -> tuple[Array, Array, Array, Array] | None:
        length = 1.0
        while direction is not None and length >= shortest:
            trial = point + length * direction
            reached = problem.sides(trial)
            if np.linalg.norm(complementary(*reached[:2], problem.rounding)[0]) <= (1 - DECREASE * length) * size:
                return trial, *reached
            length *= 0.5
        return None

    found = tried(_newton(matrix, gap), SHORTEST)
    for weight in WEIGHTS if found is None else ():
        found = tried(regularised(matrix, gap, weight), 0.25)
        if found is not None:
            break
    return found


def _newton(matrix: Array, gap: Array) -> Array | None:
    """``-J^-1 F``; None if that is not determined."""
    try:
        direction = np.linalg.solve(matrix, -gap)
    except np.linalg.LinAlgError:
        return None
    exact = np.linalg.norm(matrix @ direction + gap) <= 1e-6 * np.linalg.norm(gap)
    return np.asarray(direction, float) if np.isfinite(direction).all() and exact else None


def regularised(matrix: Array, gap: Array, weight: float) -> Array:
    """Levenberg-Marquardt direction ``-(J'J + w D)^-1 J'F``, ``D`` the diagonal of ``J'J``: shorter the larger ``w``.

    It lowers ``|F|`` wherever that has a derivative other than zero, and exists for every ``J``.
    """
    normal = matrix.T @ matrix
    diagonal = normal.diagonal()
    floor = max(float(diagonal.max(initial=0.0)), 1e-300) * 1e-12
    step = np.linalg.solve(normal + weight * np.diag(np.maximum(diagonal, floor)), matrix.T @ gap)
    return -np.asarray(step, float)

"""The numbers of the suppliers' convex program: one round's gradient, curvature and builders' constraints as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.supply.foresight import Foresight, decided
from backfill.supply.nodes import Array, MarketResponse, Nodes


@dataclass(frozen=True)
class Program:
    """Data of ``min over r >= 0, s >= 0`` of (see `backfill.supply.plan` for the reading)

        sum_t [ 1/2 (r_t - rbar_t)' A_t (r_t - rbar_t) + a_t' r_t ] + sum_i kappa_i / 2 s_i^2
        s_i >= sum_s V_is r_gs - k_i - sum_h v_ih (r_ht - rbar_ht)          i = (g, c, t) decided

    Attributes:
        point: ``[node, period]`` rents ``rbar`` of the round.
        curvature: ``[period, node, node]`` ``A``, positive definite.
        slack: ``[node, period]`` ``a``, weighted idle capacity to which the builders' multipliers add.
        dual_value: ``[node, t, s]`` ``V``.
        unit_cost: ``[node, class, period]`` ``k``, site and tools, less the value that does not enter the program.
        tool_use: ``[node, class, period, node]`` ``v``.
        response: ``[node, class, period]`` ``kappa = omega share / psi``.
        builder_weight: ``[node, period]`` ``omega``: multipliers are ``omega`` times additions.
        decided: ``[node, class, period]``.
        size: ``[node]`` capacity or use, the scale of quantities.
    """

    point: Array
    curvature: Array
    slack: Array
    dual_value: Array
    unit_cost: Array
    tool_use: Array
    response: Array
    builder_weight: Array
    decided: np.ndarray
    size: Array


def program(
    nodes: Nodes,
    market: MarketResponse,
    foresight: Foresight,
    damping: float | None = None,
) -> Program:
    """Write down the convex program of one round.

    Idle capacity at the round's point is exact, whatever the foresight: with multipliers at the round's additions the
    gradient is ``W (K - u)``, so a point that does not move solves the true conditions. The Jacobian only shapes the step.

    Args:
        nodes: the capacities.
        market: the markets' answer.
        foresight: what builders expect.
        damping: added curvature, as a semi-elasticity of use to rent (1: one unit of rent moves use by all of it).
            Bounds the step where the markets hardly answer; does not move the solution. ``foresight.damping`` if absent.

    Raises:
        ValueError: if the market's answer is not finite.
    """
    for name in ("rent", "use", "jacobian", "additions", "tool_cost", "tool_use"):
        if not np.isfinite(getattr(market, name)).all():
            raise ValueError(f"the markets returned {name} that is not finite; the round cannot be planned")
    decides = decided(nodes, foresight)
    weights = nodes.rent_weights
    omega = np.tile(nodes.weights, (len(nodes.names), 1))
    omega[:, -1] *= nodes.terminal
    left = nodes.survival
    value, dual_value = foresight.valuation(nodes), foresight.dual_valuation(nodes)

    moving = np.where(decides, market.additions, 0.0)
    held = np.where(decides, 0.0, nodes.reference_additions)
    still = np.where(decides, 0.0, market.additions)
    read_off = omega[:, :, None] * dual_value / weights[:, None, :]
    idle = (
        nodes.remaining
        + np.einsum("gct,gts->gs", held, left)
        + np.einsum("gct,gts->gs", moving, left - read_off)
        - market.use
        - np.einsum("gct,gcth->ht", held - still, market.tool_use)
    )
    slack = weights * idle + np.einsum("gct,gcth,gt->ht", moving, market.tool_use, omega)
    expected = np.einsum("gts,gs->gt", value - dual_value, market.rent)
    size = np.maximum(nodes.inherited, np.abs(market.use)).max(1)
    size = np.maximum(size, 1e-9 * max(size.max(initial=0.0), 1e-300))
    curvature = _curvature(market.jacobian, weights, size, foresight.damping if damping is None else damping)
    return Program(
        point=market.rent,
        curvature=curvature,
        slack=slack,
        dual_value=dual_value,
        unit_cost=nodes.site_cost[:, None, :] + market.tool_cost - expected[:, None, :],
        tool_use=market.tool_use,
        response=omega[:, None, :] * nodes.class_share / nodes.slope[:, None, :],
        builder_weight=omega,
        decided=decides,
        size=size,
    )


def _curvature(jacobian: Array, weights: Array, size: Array, damping: float) -> Array:
    """Symmetric part of ``-W U``, projected to positive semidefinite in units of ``size``, plus damping."""
    scale = np.sqrt(weights.T * size)
    rows = weights.T[:, :, None] * -jacobian
    symmetric = (rows + rows.transpose(0, 2, 1)) / (2 * scale[:, :, None] * scale[:, None, :])
    values, vectors = np.linalg.eigh(symmetric)
    values = np.maximum(values, 0.0) + max(damping, 1e-9)
    projected = np.einsum("tij,tj,tkj->tik", vectors, values, vectors)
    return projected * scale[:, :, None] * scale[:, None, :]

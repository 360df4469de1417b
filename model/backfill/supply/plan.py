"""The suppliers' plan as a Pyomo model: builders who add capacity until a unit earns its cost.

**Economic reading.** Capacity is inherited or added, ``K_t+1 = (1-delta) K_t + I_t-lag``; it is either used up or its rent
is zero; a builder adds until expected rents pay the site, the tools and the rising cost of adding fast (section 7):

    0 <= r_gt  _|_  K_gt - u_gt(r, I) >= 0
    0 <= I_gct _|_  b_gt + tools_gct(r) + psi_gt I_gct / share_gct - PV_gt(r) >= 0

with ``PV_gt = sum_{s > t+lag} beta^(s-t) (1-delta)^(s-t-lag-1) r_gs`` and the last rent for ever after.

**The program solved** has rents as variables and capacity as multiplier (price form). With ``w_t = beta^t``, ``W_gt = w_t``
but ``w_T * terminal_g`` in the last period:

    min over r, s >= 0    sum_t 1/2 (r_t - rbar_t)' A_t (r_t - rbar_t) + a_t' r_t  +  sum_gct kappa_gct / 2 s_gct^2
    gain_gct:             s_gct >= PV_gt(r) - b_gt - tools_gct - sum_h v_gcth (r_ht - rbar_ht)

    A_t ~ sym(-W_t U_t),   a_gt = W_gt (inherited - ubar)_gt + w_t sum v Ibar,   kappa_gct = w_t share_gct / psi_gt

**Dual reading.** Let ``m_gct >= 0`` be the multiplier of ``gain``. Stationarity in ``s`` gives ``m = kappa s``, that is
``m = w_t I`` with ``I = s share / psi``, the builder's condition. Since ``w_t dPV_gt/dr_gs = W_gs (1-delta)^(s-t-lag-1)``,
stationarity in ``r_gs`` reads

    W_gs [ inherited + additions left in s - (ubar + U (r - rbar) + v (I - Ibar)) ]_gs >= 0,   zero where r_gs > 0

which is capacity against use: both conditions at once. Tools appear twice with one sign: a unit added uses ``v_h`` of tool
capacity h and costs ``v_h`` more per unit of its rent (Shephard), so the term is symmetric. Where a valuation has no
such mirror (additions that serve only beyond the end, myopic builders), it enters at the round's rents, and ``a`` is
corrected so that the reading is exact at a point that does not move.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from backfill.supply.foresight import Foresight, Perfect
from backfill.supply.nodes import Array, MarketResponse, Nodes
from backfill.supply.program import Program, program


def build(
    nodes: Nodes, market: MarketResponse, foresight: Foresight | None = None, damping: float | None = None
) -> pyo.ConcreteModel:
    """The plan of one round as a readable model; solve it with any convex quadratic solver.

    Args:
        nodes: the capacities.
        market: the markets' answer at the round's point.
        foresight: perfect if absent.
        damping: see `backfill.supply.program.program`.
    """
    return formulate(nodes, program(nodes, market, foresight or Perfect(), damping))


def formulate(nodes: Nodes, data: Program) -> pyo.ConcreteModel:
    """Write ``data`` as a Pyomo model whose names are those of the module's equations."""
    count, periods = data.point.shape
    decisions = [tuple(int(x) for x in i) for i in np.argwhere(data.decided)]
    model: Any = pyo.ConcreteModel("suppliers' plan")
    model.node = pyo.RangeSet(0, count - 1, doc="Capacities, in the order of nodes.names")
    model.period = pyo.RangeSet(0, periods - 1, doc="Periods, extension included")
    model.decision = pyo.Set(initialize=decisions, dimen=3, doc="Node, class of tool buyers and period of each open decision")

    model.name_of = pyo.Param(
        model.node, within=pyo.Any, initialize=dict(enumerate(nodes.names)), doc="Product and region of each node"
    )
    model.rent_bar = _table(model, data.point, "Rents of the round, million USD per unit")
    model.slack = _table(model, data.slack, "Weighted idle capacity before additions, million USD a period")
    model.curvature = pyo.Param(
        model.period, model.node, model.node, initialize=_items(data.curvature),
        doc="Weighted fall of use by rent, symmetric part, million USD a period per unit of rent",
    )  # fmt: skip
    model.unit_cost = pyo.Param(
        model.decision, initialize={i: float(data.unit_cost[i]) for i in decisions},
        doc="Site and tools at the round's prices, less value expected beyond the program, million USD per unit",
    )  # fmt: skip
    model.response = pyo.Param(
        model.decision, initialize={i: float(data.response[i]) for i in decisions},
        doc="Weighted additions per million USD of gain: weight times share of builders over slope of cost",
    )  # fmt: skip

    model.rent = pyo.Var(
        model.node, model.period, within=pyo.NonNegativeReals, initialize=_items(data.point),
        doc="Rent of a unit of capacity, million USD",
    )  # fmt: skip
    model.gain = pyo.Var(
        model.decision, within=pyo.NonNegativeReals, initialize=0.0,
        doc="What the first unit added earns above its cost; additions are gain times share over slope",
    )  # fmt: skip

    def building(m: Any, g: int, c: int, t: int):
        worth = sum(data.dual_value[g, t, s] * m.rent[g, s] for s in range(periods) if data.dual_value[g, t, s])
        dearer = sum(
            data.tool_use[g, c, t, h] * (m.rent[h, t] - m.rent_bar[h, t])
            for h in range(count)
            if data.tool_use[g, c, t, h]
        )
        return m.gain[g, c, t] - worth + dearer + m.unit_cost[g, c, t] >= 0

    model.building = pyo.Constraint(
        model.decision, rule=building,
        doc="Gain is at least expected rents less site and tools; its multiplier is the weighted addition",
    )  # fmt: skip

    def objective(m: Any):
        move = {(g, t): m.rent[g, t] - m.rent_bar[g, t] for g in m.node for t in m.period}
        buyers = sum(
            0.5 * m.curvature[t, g, h] * move[g, t] * move[h, t]
            for t in m.period
            for g in m.node
            for h in m.node
            if m.curvature[t, g, h]
        )
        scarcity = sum(m.slack[g, t] * m.rent[g, t] for g in m.node for t in m.period)
        builders = sum(0.5 * m.response[i] * m.gain[i] ** 2 for i in m.decision)
        return buyers + scarcity + builders

    model.dual_cost = pyo.Objective(
        rule=objective, sense=pyo.minimize,
        doc="Users' surplus lost to rents, rents on idle capacity and builders' surplus, discounted",
    )  # fmt: skip
    return model


def solution(model: Any, nodes: Nodes) -> tuple[Array, Array]:
    """Rents ``[node, period]`` and additions ``[node, class, period]`` of a solved model; given additions included."""
    rent = np.array([[pyo.value(model.rent[g, t]) for t in model.period] for g in model.node])
    additions = nodes.reference_additions.copy()
    for g, c, t in model.decision:
        additions[g, c, t] = model.gain[g, c, t].value * nodes.class_share[g, c, t] / nodes.slope[g, t]
    return rent, additions


def _items(array: Array) -> dict[tuple[int, ...], float]:
    return {tuple(int(i) for i in index): float(x) for index, x in np.ndenumerate(array)}


def _table(model: Any, array: Array, doc: str) -> pyo.Param:
    return pyo.Param(model.node, model.period, within=pyo.Reals, initialize=_items(array), doc=doc)

"""Why a plan is impossible: which capacity is missing, whose, when and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from backfill.supply.foresight import Foresight, Perfect, decided
from backfill.supply.highs import solve_model
from backfill.supply.inherited import departing
from backfill.supply.nodes import MarketResponse, Nodes

HIGHEST_RENT = 100.0
NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class Shortfall:
    """Capacity that no rent and no addition supplies.

    Attributes:
        node: (product, region).
        owner: region that owns the capacity.
        period: label of the period.
        missing: capacity missing, million USD a period at base-year prices.
        use: least use at the rents allowed, in the same unit.
        reason: why builders cannot help.
    """

    node: tuple[str, str]
    owner: str
    period: str
    missing: float
    use: float
    reason: str

    @property
    def sentence(self) -> str:
        """The shortfall in words."""
        product, region = self.node
        return (
            f"{product} in {region} (owner {self.owner}) lacks {self.missing:.4g} of {self.use:.4g} million USD of capacity in "
            f"{self.period}: {self.reason}."
        )


def formulate(
    nodes: Nodes, market: MarketResponse, foresight: Foresight | None = None, highest_rent: float = HIGHEST_RENT
) -> pyo.ConcreteModel:
    """Least missing capacity when rents may rise to ``highest_rent`` and open additions cost nothing.

        min sum missing_gt / size_g      K_gt(I) + missing_gt >= ubar + U (r - rbar) + v (I - Ibar),   0 <= r <= highest, I >= 0
    """
    count, periods = market.rent.shape
    open_ = decided(nodes, foresight or Perfect())
    left = nodes.survival
    held = np.where(open_, 0.0, nodes.reference_additions)
    given = nodes.remaining + np.einsum("gct,gts->gs", held, left)
    used = market.use - np.einsum("gct,gcth->ht", market.additions - held, market.tool_use)
    size = np.maximum(np.maximum(np.abs(market.use), nodes.inherited).max(1), 1e-9)

    model: Any = pyo.ConcreteModel("missing capacity")
    model.node = pyo.RangeSet(0, count - 1, doc="Capacities, in the order of nodes.names")
    model.period = pyo.RangeSet(0, periods - 1, doc="Periods, extension included")
    decisions = [tuple(int(x) for x in i) for i in np.argwhere(open_)]
    model.decision = pyo.Set(initialize=decisions, dimen=3, doc="Node, class and period of each open decision")
    model.rent = pyo.Var(model.node, model.period, bounds=(0.0, highest_rent), doc="Rent, million USD per unit")
    model.addition = pyo.Var(model.decision, within=pyo.NonNegativeReals, doc="Capacity added, million USD a period")
    model.missing = pyo.Var(model.node, model.period, within=pyo.NonNegativeReals, doc="Capacity that nothing supplies")

    def use(m: Any, g: int, t: int):
        slopes = market.jacobian[t, g]
        users = sum(slopes[h] * (m.rent[h, t] - market.rent[h, t]) for h in range(count) if slopes[h])
        builders = sum(
            market.tool_use[n, c, t, g] * m.addition[n, c, t]
            for n, c, at in decisions
            if at == t and market.tool_use[n, c, t, g]
        )
        return used[g, t] + users + builders

    def enough(m: Any, g: int, t: int):
        added = sum(left[g, at, t] * m.addition[n, c, at] for n, c, at in decisions if n == g and left[g, at, t])
        return given[g, t] + added + m.missing[g, t] >= use(m, g, t)

    model.use = pyo.Expression(model.node, model.period, rule=use, doc="Use at these rents and additions")
    model.enough = pyo.Constraint(model.node, model.period, rule=enough, doc="Capacity covers use, or some is missing")
    model.total = pyo.Objective(
        rule=lambda m: sum(m.missing[g, t] / float(size[g]) for g in m.node for t in m.period),
        doc="Missing capacity as shares of each node's size",
    )
    return model


def shortfalls(
    nodes: Nodes,
    market: MarketResponse,
    foresight: Foresight | None = None,
    *,
    labels: Sequence[str] = (),
    highest_rent: float = HIGHEST_RENT,
    span: slice = slice(None),
) -> tuple[Shortfall, ...]:
    """Capacities that the markets, by their own slopes, cannot do without and builders cannot supply, largest first.

    Args:
        nodes: the capacities.
        market: the markets' answer at the last round's point.
        foresight: perfect if absent.
        labels: names of the periods; their numbers if absent.
        highest_rent: rents considered, in million USD per unit.
        span: periods to look at; additions of earlier ones are those of the last round.
    """
    nodes = departing(nodes, market.additions, span.start or 0)
    model: Any = formulate(nodes, market, foresight, highest_rent)
    solve_model(model, duals=False)
    open_ = decided(nodes, foresight or Perfect())
    names = list(labels) or [f"period {t}" for t in range(nodes.periods)]
    found = []
    for g in model.node:
        for t in range(nodes.periods)[span]:
            missing, use = _number(model.missing[g, t]), _number(model.use[g, t])
            if missing > NEGLIGIBLE * max(abs(use), 1e-9):
                reason = _reason(nodes, open_, g, t, names)
                found.append(Shortfall(nodes.names[g], nodes.owners[g], names[t], missing, use, reason))
    return tuple(sorted(found, key=lambda s: -s.missing / max(abs(s.use), 1e-9)))


def explain(
    nodes: Nodes,
    market: MarketResponse,
    foresight: Foresight | None = None,
    *,
    labels: Sequence[str] = (),
    highest_rent: float = HIGHEST_RENT,
    span: slice = slice(None),
) -> str:
    """A sentence for each of the three largest `shortfalls`, or that none is found."""
    try:
        found = shortfalls(nodes, market, foresight, labels=labels, highest_rent=highest_rent, span=span)
    except RuntimeError as error:
        return f"What is missing cannot be told: {error}."
    if not found:
        return "Every capacity can meet its use at some rent: the plan is possible, the rounds have not settled."
    more = f" And {len(found) - 3} more." if len(found) > 3 else ""
    return " ".join(s.sentence for s in found[:3]) + more


def _number(component: Any) -> float:
    return float(pyo.value(component))  # type: ignore[arg-type]


def _reason(nodes: Nodes, open_: np.ndarray, g: int, t: int, names: Sequence[str]) -> str:
    """Why builders of node ``g`` do not help in period ``t``."""
    first = t - 1 - int(nodes.lag[g])
    if not nodes.decided[g].any():
        return "nobody may add any (no admissible source of its tools), and users cannot do with less at any rent considered"
    if not open_[g].any():
        return "additions are given, and users cannot do with less at any rent considered"
    if first < 0 or not open_[g, :, : first + 1].any():
        opening = int(np.flatnonzero(open_[g].any(0))[0]) + 1 + int(nodes.lag[g])
        start = names[opening] if opening < len(names) else "after the last period"
        return f"what is added serves only from {start} on, and users cannot do with less at any rent considered"
    return "builders lack the tools to add it, and users cannot do with less at any rent considered"

"""How a plan foresees what its world will have learned.

Cost that falls by experience does to markets what a lower rent does: with ``w = p - r`` the part of a price that is cost and
``z`` the log of productivity, ``dz`` moves use as a rent moved by ``-w dz``, to first order. Units made in ``s`` add ``b / E_t``
each to ``z_t`` for every ``t > s``, so that the use of capacities in one period answers rents in earlier ones:

    du_t / dr_s = -U_t diag(w_t b / E_t) U_s,      s < t.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backfill.coupling.points import Point
from backfill.supply.josephy import AffineAnswer
from backfill.supply.nodes import Array, MarketResponse
from backfill.supply.past import Carried, Past


class Lessons:
    """What is learned at the planned capacities of one world, seen from a point.

    Args:
        past: how the world's past acts on it.
        point: where it stands.
        rows, columns: product and region of each capacity.

    Attributes:
        cost: ``[node, period]`` the part ``w`` of the mill price.
        pace: ``[node, period]`` ``b / E``.
        eased: ``[node, period]`` `easing` by what the record brings in.
    """

    def __init__(self, past: Past, point: Point, rows: Array, columns: Array) -> None:
        self.past, self.point, self.rows, self.columns = past, point, rows, columns
        self.cost = np.maximum(point.mill - point.rent, 0.0)
        self.pace = past.pace(point.record)[:, rows, columns].T
        self.eased = self.easing(point.due)

    def easing(self, past: Carried) -> Array:
        """The change of rents that does what another past would, ``[node, period]``."""
        return -self.cost * (past.skill - self.point.past.skill)[:, self.rows, self.columns].T

    def slopes(self, jacobian: Array) -> Array:
        """``du_t / dr_s``, ``[node, period, node, period]``, of ``jacobian`` ``[period, node, node]``."""
        earlier = np.tri(len(jacobian), k=-1)
        answering = -jacobian * (self.cost * self.pace).T[:, None, :]
        return np.einsum("tgk,skh,ts->gths", answering, jacobian, earlier, optimize=True)

    def response(self, market: MarketResponse, cost_slope: Array) -> MarketResponse:
        """The markets' answer once the record's lessons are learned."""
        use = market.use + np.einsum("tgh,ht->gt", market.jacobian, self.eased)
        cost = market.tool_cost + np.einsum("gcth,ht->gct", cost_slope, self.eased)
        return replace(market, use=use, tool_cost=cost)

    def anticipated(self, market: MarketResponse, stocks: Array, target: AffineAnswer) -> Carried:
        """What the past will bring in at a plan's answer to ``market``, `response`."""
        move = target.rent - market.rent
        made = np.einsum("tgh,ht->gt", market.jacobian, move) + np.einsum("gths,hs->gt", stocks, move)
        made += np.einsum("gcth,gct->ht", market.tool_use, target.additions - market.additions)
        made += market.use - self.point.use
        record = self.point.record
        found = record.made.copy()
        found[:, self.rows, self.columns] = np.maximum(found[:, self.rows, self.columns] + made.T, 0.0)
        return self.past.carried(record._replace(made=found))

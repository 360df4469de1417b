"""Many worlds of one period at once, suppliers' rents being those of the reference plan."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from backfill.economy.economy import Economy
from backfill.experiments.align.accounts import Account, accounts
from backfill.policy.wedges import Wedges
from backfill.threads import single_threaded_algebra
from backfill.trade.barriers import lanes
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import Equilibrium, Lane, outcomes, solve
from backfill.trade.market import Plan, node_matrix

ROUNDS = 30
TOLERANCE = 1e-9
"""Change of additions, as a share of the reference's, at which builders and markets agree."""

TOGETHER = 256
"""Worlds in one batch, some 1.5 MB each."""


def static_accounts(economy: Economy, worlds: Sequence[Wedges], at: int, sender: int) -> list[Account]:
    """Accounts of worlds in one period, at the rents of the reference plan.

    Capacity sells what is asked of it at the reference's rents. Builders answer what their tools cost: with ``I0`` and ``T0``
    additions and tool cost in the reference, builders of class ``c`` add ``max(0, I0 + (T0 - T_c) / psi)`` times their share,
    nothing where a tool cannot be had. What capacity is worth later is left out.

    Args:
        economy: the calibrated economy.
        worlds: wedges over one period.
        at: place of that period in the economy.
        sender: place of the region whose trade is wanted.
    """
    found: list[Account] = []
    with single_threaded_algebra():
        for first in range(0, len(worlds), TOGETHER):
            found += _Batch(economy, worlds[first : first + TOGETHER], at).accounts(sender)
    return found


class _Batch:
    """Worlds solved together; the last lane is the reference, in which nothing is closed."""

    def __init__(self, economy: Economy, worlds: Sequence[Wedges], at: int) -> None:
        self.economy, self.at, self.count = economy, at, len(worlds)
        neutral = Wedges.none(economy.structure.vocabulary, economy.periods[at : at + 1])
        self.barriers = lanes(economy.structure, [*worlds, neutral])
        self.rows, self.columns = (np.array(x, int) for x in node_matrix(economy.structure))
        capacity = economy.capacity
        self.need = np.asarray(capacity.tool_need)
        self.rent, self.added = np.asarray(capacity.rent)[at], np.asarray(capacity.additions)[at]
        self.slope = np.asarray(capacity.slope)[at]
        self.share = np.swapaxes(np.asarray(self.barriers.builder_share), 1, 2)
        self.parameters = jax.tree.map(
            lambda x: np.repeat(np.asarray(x)[at][None], self.count + 1, axis=0), economy.parameters
        )

    def accounts(self, sender: int) -> list[Account]:
        """Solve and account for every world but the reference."""
        state = np.asarray(self.economy.reference_state)[self.at]
        idle = np.zeros(self.barriers.limit_quantity.shape[1])
        vector = np.tile(np.concatenate([state, idle]), (self.count + 1, 1))
        added = self.added[:, None] * self.share * self._open()
        size = max(float(self.added.max(initial=0.0)), 1e-9)
        gap = np.full(self.count + 1, np.inf)
        for _ in range(ROUNDS):
            market = solve(self.economy.structure, self._lane(added), vector)
            vector = np.where(market.converged[:, None], market.vector, vector)
            wanted = self._answer(market)
            gap = np.abs(wanted - added).max((1, 2), initial=0.0) / size
            if (gap[market.converged] <= TOLERANCE).all():
                break
            added = wanted
        settled = market.converged & (gap <= TOLERANCE)
        outcome = outcomes(self.economy.structure, self._lane(added), market.vector)
        regions = len(self.economy.structure.regions)
        found = accounts(
            self.economy.structure,
            outcome,
            self.count + 1,
            sender,
            [np.zeros(regions)] * (self.count + 1),
            [np.nan] * (self.count + 1),
            [self._failure(bool(fine), bool(c)) for fine, c in zip(settled, market.converged, strict=True)],
        )
        return found[: self.count]

    def _lane(self, added: np.ndarray) -> Lane:
        shape = self.economy.structure
        bought = np.zeros((self.count + 1, len(shape.products), added.shape[2], len(shape.regions)))
        for node, column in enumerate(self.columns):
            bought[..., column] += self.need[node][None, :, None] * added[:, node, None, :]
        nothing = np.zeros((self.count + 1, len(shape.products), len(shape.regions)))
        plan = Plan(np.tile(self.rent, (self.count + 1, 1)), bought, nothing, nothing[:, 0])
        return Lane(self.parameters, self.barriers, plan, Tastes())

    def _answer(self, market: Equilibrium) -> np.ndarray:
        """Additions ``[world, node, class]`` at what tools cost now."""
        cost = np.einsum("gk,lkcg->lgc", self.need, market.by_class[..., self.columns])
        reference = cost[-1, :, 0]
        more = (reference[None, :, None] - cost) / self.slope[None, :, None]
        wanted = np.where(self.added[:, None] > 0, np.maximum(self.added[:, None] + more, 0.0), 0.0)
        return wanted * self.share * self._open()

    def _open(self) -> np.ndarray:
        """1 where builders of a class can have every tool they need, ``[world, node, class]``."""
        sold = np.asarray(self.economy.parameters.preferences.weight)[self.at] > 0
        access = np.asarray(self.barriers.open)
        had = np.einsum("lkcij,kij->lkcj", access, sold.astype(float)) > 0
        needed = self.need > 0
        open_ = np.ones(self.share.shape)
        for node, column in enumerate(self.columns):
            open_[:, node] = had[..., column][:, needed[node]].all(1) if needed[node].any() else 1.0
        return open_

    @staticmethod
    def _failure(settled: bool, converged: bool) -> str:
        if settled:
            return ""
        return "builders and markets did not agree" if converged else "the markets have no answer"

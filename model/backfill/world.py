"""The coupled world: markets and suppliers solved together (section 7); one public function, `solve_world`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import jax
import numpy as np

from backfill.accounts import (
    Tables,
    capacity_table,
    flow_table,
    income_table,
    limit_table,
    price_table,
    terminal_table,
)
from backfill.checks import market_checks
from backfill.dimensions import Period
from backfill.economy.economy import Economy
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import Foresight, foresight_named
from backfill.supply.highs import CompiledPlan
from backfill.supply.josephy import answer
from backfill.supply.nodes import MarketResponse, Nodes, capacity_path
from backfill.supply.residual import Residuals, residuals
from backfill.threads import single_threaded_algebra
from backfill.trade import sensitivity
from backfill.trade.barriers import Barriers, lanes
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import Equilibrium, Lane, outcomes, solve
from backfill.trade.market import Outcome, Plan, node_matrix
from backfill.trade.prices import CHOKE

ROUNDS = 15
TOLERANCE = 1e-7
JACOBIAN_ROUNDS = 3


class Status(Enum):
    """Verdict on a world, each a sentence that says what to try."""

    SOLVED = "Markets and plan agree."
    MARKETS_FAILED = "Some markets did not converge; see the periods named, and try milder wedges or limits there."
    COUPLING_FAILED = (
        "Markets and plan did not agree within the rounds allowed; the capacities named oscillate, try foresight = \"myopic\"."
    )


@dataclass(frozen=True)
class World:
    """One solved world.

    Attributes:
        tables: long tables with units (see `Tables`), reported periods only.
        status: the verdict.
        message: the verdict with the names of what failed.
        checks: residuals, each the maximum over periods (sections 5 and 12).
        periods: reported periods.
        discount: discount factor per period.
        rounds: rounds of the coupling used.
        decisions: what suppliers decided, over all solved periods.
    """

    tables: Tables
    status: Status
    message: str
    checks: dict[str, float]
    periods: tuple[Period, ...]
    discount: float
    rounds: int
    decisions: Decisions


@dataclass(frozen=True)
class Decisions:
    """Rents and additions of a solved world, horizon and extension.

    Attributes:
        rent: ``[period, node]``.
        additions: ``[node, class, period]``.
    """

    rent: np.ndarray
    additions: np.ndarray


@dataclass
class _Plans:
    """Where the suppliers of every world stand: ``[world, period, node]``, additions ``[world, node, class, period]``."""

    rent: np.ndarray
    additions: np.ndarray


def solve_world(
    economy: Economy,
    worlds: Sequence[Wedges],
    *,
    foresight: str = "perfect",
    history: tuple[World, int] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[World, ...]:
    """Solve several worlds of one economy, markets in one batch, each with its own capacity plan.

    Each round the markets, given rents and tool purchases, return use and its exact Jacobian; the plan's convex program
    answers with new rents and additions. A world is accepted on the natural residual at true prices.

    Args:
        economy: the calibrated economy.
        worlds: one policy each, as wedges over ``economy.periods``.
        foresight: ``"perfect"``, ``"myopic"`` or ``"fixed"`` (additions stay at the reference).
        history: a world and a number of periods: until then suppliers plan as in that world, because the policies
            studied have not been announced. Up to there the wedges must be that world's.
        progress: called with a message and the share done.

    Raises:
        ValueError: for wedges over other periods than the economy's.
    """
    for wedges in worlds:
        if wedges.coverage.shape[0] != len(economy.periods):
            raise ValueError(
                f"wedges cover {wedges.coverage.shape[0]} periods, the economy has {len(economy.periods)}; "
                "compile the policy over economy.periods"
            )
    with single_threaded_algebra():
        solver = _Coupling(economy, worlds, foresight_named(foresight), history)
        for round_ in range(ROUNDS):
            solver.evaluate()
            if progress:
                progress("worlds", 1 - solver.open_worlds().sum() / len(worlds) if round_ else 0.0)
            if round_ and not solver.open_worlds().any():
                break
            solver.step(fresh_jacobian=round_ < JACOBIAN_ROUNDS)
        return solver.worlds()


class _Coupling:
    """The rounds of one batch of worlds."""

    def __init__(
        self,
        economy: Economy,
        worlds: Sequence[Wedges],
        foresight: Foresight,
        history: tuple[World, int] | None = None,
    ) -> None:
        shape = economy.structure
        self.economy, self.wedges, self.foresight = economy, worlds, foresight
        self.count, self.periods = len(worlds), len(economy.periods)
        self.barriers = lanes(shape, worlds)
        self.rows, self.columns = (list(x) for x in node_matrix(shape))
        classes = self.barriers.builder_share.shape[1]
        by_world = self._split(self.barriers.builder_share)
        self.nodes = [self._nodes(share.transpose(2, 1, 0)) for share in by_world]
        start = np.asarray(economy.capacity.rent) if history is None else history[0].decisions.rent
        if history is not None:
            self.nodes = [_with_history(nodes, *history) for nodes in self.nodes]
        self.programs = [CompiledPlan(nodes, foresight) for nodes in self.nodes]
        self.plans = _Plans(
            rent=np.repeat(start[None], self.count, 0),
            additions=np.stack([nodes.reference_additions for nodes in self.nodes]),
        )
        self.parameters = jax.tree.map(lambda x: np.concatenate([np.asarray(x)] * self.count), economy.parameters)
        rents = np.zeros((self.count * self.periods, self.barriers.limit_quantity.shape[1]))
        start = np.concatenate([np.asarray(economy.reference_state)] * self.count)
        self.vector = np.concatenate([start, rents], axis=1)
        self.residual = np.full(self.count, np.inf)
        self.steps = np.full(self.count, np.inf)
        self.rounds = np.zeros(self.count, int)
        self.slopes: sensitivity.PlanSlopes | None = None
        self.classes = classes

    def _split(self, by_lane: np.ndarray) -> np.ndarray:
        return np.asarray(by_lane).reshape(self.count, self.periods, *by_lane.shape[1:])

    def _nodes(self, share: np.ndarray) -> Nodes:
        capacity, economy = self.economy.capacity, self.economy
        delta, beta = np.asarray(capacity.depreciation), float(capacity.discount)
        lags = np.asarray(economy.lags)
        reference = np.asarray(capacity.reference).T
        t = np.arange(self.periods)
        start = np.minimum(lags, self.periods - 1)
        decayed = reference[np.arange(len(start)), start][:, None] * (1 - delta)[:, None] ** (t - start[:, None])
        inherited = np.where(t <= start[:, None], reference, decayed)
        return Nodes(
            names=economy.structure.nodes,
            owners=economy.structure.owners,
            inherited=inherited,
            depreciation=delta,
            lag=lags,
            site_cost=np.asarray(capacity.site_cost).T,
            slope=np.asarray(capacity.slope).T,
            weights=beta**t,
            terminal=1 / (1 - beta * (1 - delta)),
            class_share=share,
            open=share > 0,
            reference_additions=np.asarray(capacity.additions).T[:, None, :] * share,
        )

    def _lane(self) -> Lane:
        shape, need = self.economy.structure, np.asarray(self.economy.capacity.tool_need)
        purchases = np.zeros((self.count, self.periods, len(shape.products), self.classes, len(shape.regions)))
        for node, column in enumerate(self.columns):
            bought = np.moveaxis(self.plans.additions[:, node], 1, 2)
            purchases[..., column] += np.einsum("wtc,k->wtkc", bought, need[node])
        return Lane(
            self.parameters,
            self.barriers,
            Plan(
                self.plans.rent.reshape(-1, len(shape.nodes)),
                purchases.reshape(-1, *purchases.shape[2:]),
            ),
            Tastes(),
        )

    def evaluate(self) -> None:
        """Solve the markets at the current plans and judge every world."""
        shape = self.economy.structure
        self.lane = self._lane()
        self.market: Equilibrium = solve(shape, self.lane, self.vector)
        self.vector = self.market.vector
        self.outcome: Outcome = outcomes(shape, self.lane, self.vector)
        self.use = np.moveaxis(self._split(self.outcome.output[:, self.rows, self.columns]), 1, 2)
        self.mill = np.moveaxis(self._split(self.outcome.buying.mill[:, self.rows, self.columns]), 1, 2)
        self.tool_cost = self._tool_cost()
        for world in range(self.count):
            if self.residual[world] > TOLERANCE:
                self.residual[world] = self._gaps(world).largest
                self.rounds[world] += 1

    def _gaps(self, world: int) -> Residuals:
        return residuals(
            self.nodes[world],
            self.plans.rent[world].T,
            self.use[world],
            self.plans.additions[world],
            self.tool_cost[world],
            self.mill[world],
            self.foresight,
        )

    def open_worlds(self) -> np.ndarray:
        """Worlds whose markets and plan do not yet agree."""
        return (self.residual > TOLERANCE) | (self.steps > 1e-6)

    def _tool_cost(self) -> np.ndarray:
        need = np.asarray(self.economy.capacity.tool_need)
        price = self._split(self.outcome.buying.by_class)[..., self.columns]
        return np.einsum("gk,wtkcg->wgct", need, price)

    def step(self, *, fresh_jacobian: bool) -> None:
        """Let every open world's plan answer the markets: the convex program, then the full linear answer."""
        todo = np.flatnonzero(self.open_worlds())
        if fresh_jacobian or self.slopes is None:
            self._differentiate(todo)
        assert self.slopes is not None
        for world in todo:
            response = MarketResponse(
                rent=self.plans.rent[world].T,
                use=self.use[world],
                jacobian=self.slopes.use_by_rent[world],
                additions=self.plans.additions[world],
                tool_cost=np.minimum(self.tool_cost[world], CHOKE),
                tool_use=self.slopes.use_by_addition[world].transpose(2, 3, 0, 1),
            )
            program = self.programs[world].solve(response, inner=1)
            cost_slope = self.slopes.cost_by_rent[world].transpose(1, 2, 0, 3)
            nodes, price = self.nodes[world], self.mill[world]
            final = answer(nodes, response, cost_slope, price, program.rent, self.foresight)
            self.steps[world] = float(np.max(np.abs(final.rent - self.plans.rent[world].T) / np.maximum(price, 1e-9)))
            self.plans.rent[world] = final.rent.T
            self.plans.additions[world] = final.additions

    def _differentiate(self, todo: np.ndarray) -> None:
        """Renew the markets' slopes of the worlds in ``todo``."""
        index = np.concatenate([np.arange(w * self.periods, (w + 1) * self.periods) for w in todo])
        lane = jax.tree.map(lambda x: np.asarray(x)[index], self.lane)
        need = np.asarray(self.economy.capacity.tool_need)
        fresh = sensitivity.plan_slopes(self.economy.structure, lane, self.vector[index], need)
        by_world = [part.reshape(len(todo), self.periods, *part.shape[1:]) for part in fresh]
        if self.slopes is None:
            self.slopes = sensitivity.PlanSlopes(*(np.zeros((self.count, *part.shape[1:])) for part in by_world))
        for kept, part in zip(self.slopes, by_world, strict=True):
            kept[todo] = part

    def worlds(self) -> tuple[World, ...]:
        """The solved worlds as tables, with verdicts and checks."""
        return tuple(self._world(world) for world in range(self.count))

    def _world(self, world: int) -> World:
        economy, shape = self.economy, self.economy.structure
        start = world * self.periods
        every = slice(start, start + self.periods)
        reported = slice(start, start + economy.reported)
        outcome = jax.tree.map(lambda x: x[reported], self.outcome)
        barriers: Barriers = jax.tree.map(lambda x: np.asarray(x)[reported], self.barriers)
        labels = [period.label for period in economy.periods[: economy.reported]]
        nodes, plans = self.nodes[world], self.plans
        capacity = capacity_path(nodes, plans.additions[world])
        keep = slice(0, economy.reported)
        limits = {limit.name: limit for wedges in self.wedges for limit in wedges.limits}
        names = sorted(limits)
        site = np.asarray(economy.capacity.site_cost).T + self.tool_cost[world][:, 0]
        tables = Tables(
            flows=flow_table(shape, labels, barriers, outcome, self.parameters.preferences.tariff[reported]),
            prices=price_table(shape, labels, outcome),
            income=income_table(shape, labels, outcome),
            capacity=capacity_table(
                economy, labels, capacity.T[keep], self.use[world].T[keep],
                plans.additions[world].sum(1).T[keep], plans.rent[world][keep], self.mill[world].T[keep], site.T[keep],
            ),
            limits=limit_table(
                labels, names, [limits[n].owner for n in names], [limits[n].unit for n in names], barriers, outcome
            ),
            terminal=terminal_table(economy, capacity.T, plans.rent[world]),
        )
        converged = self.market.converged[every]
        checks = {
            "converged": float(converged.all() and self.residual[world] <= 1e-6),
            **market_checks(shape, jax.tree.map(lambda x: x[every], self.lane), jax.tree.map(lambda x: x[every], self.outcome)),
            "coupling_step": float(self.steps[world]),
            "coupling_optimality": float(self.residual[world]),
        }
        status, message = self._verdict(world, converged)
        return World(
            tables, status, message, checks, economy.periods[: economy.reported], float(economy.capacity.discount),
            int(self.rounds[world]), Decisions(plans.rent[world].copy(), plans.additions[world].copy()),
        )

    def _verdict(self, world: int, converged: np.ndarray) -> tuple[Status, str]:
        if not converged.all():
            late = ", ".join(self.economy.periods[t].label for t in np.flatnonzero(~converged))
            return Status.MARKETS_FAILED, f"{Status.MARKETS_FAILED.value} Periods: {late}."
        if self.residual[world] > 1e-6:
            names = ", ".join(" in ".join(node) for node in self._gaps(world).worst_nodes())
            return Status.COUPLING_FAILED, f"{Status.COUPLING_FAILED.value} Capacities: {names}."
        return Status.SOLVED, Status.SOLVED.value


def _with_history(nodes: Nodes, world: World, periods: int) -> Nodes:
    """Nodes whose additions of the first ``periods`` are those of ``world``, and where every plan starts from its own."""
    known = world.decisions.additions
    total = np.zeros(nodes.class_share.shape)
    shared = min(known.shape[1], total.shape[1])
    total[:, :shared] = known[:, :shared]
    spread = known.sum(1)[:, None, :] * nodes.class_share
    past = np.arange(nodes.periods) < periods
    return replace(
        nodes,
        reference_additions=np.where(past[None, None], total, spread),
        open=nodes.open & ~past[None, None],
    )

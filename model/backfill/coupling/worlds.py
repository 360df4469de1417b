"""What markets and suppliers of a batch of worlds take as given, and how far from agreement a point is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from backfill.coupling.points import Point
from backfill.economy.economy import Economy, Parameters
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import Foresight
from backfill.supply.inherited import nodes_of, subsidies
from backfill.supply.nodes import Array, MarketResponse, Nodes
from backfill.supply.orders import Orders
from backfill.supply.past import Carried, Past
from backfill.supply.residual import Residuals, residuals
from backfill.supply.stockpile import Stockholders
from backfill.trade.barriers import Barriers, access_to, in_round_numbers, lanes
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import Lane, walls_of
from backfill.trade.factors import Factors, duty_paid
from backfill.trade.market import Plan, node_matrix
from backfill.trade.prices import CHOKE
from backfill.trade.sensitivity import PlanSlopes
from backfill.trade.sites import Outlays, Sites


class Worlds:
    """What a batch of worlds is given, and where each stands.

    Args:
        economy: the calibrated economy.
        worlds: policies.
        foresight: what builders expect.
        departs: worlds that share the first periods of another: place to (other place, periods).

    Attributes:
        nodes, points: of each world.
        steps: what another round would move in each world, relative to prices; infinite if it was not tried.
        rounds: rounds of each world, of the stage with most if there were several.
        failures: worlds that did not settle, to the stretch of periods where.
        blocked: those of them whose last steps led to markets without an answer.
    """

    def __init__(
        self,
        economy: Economy,
        worlds: Sequence[Wedges],
        foresight: Foresight,
        departs: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:
        shape = economy.structure
        self.economy, self.foresight = economy, foresight
        self.count, self.periods = len(worlds), len(economy.periods)
        self.departs = dict(departs or {}) if foresight.looks_ahead else {}
        self.barriers = in_round_numbers(lanes(shape, worlds))
        self.walls = walls_of(shape, self._parameters(np.arange(self.count * self.periods)), self.barriers)
        self.rows, self.columns = (np.array(x, int) for x in node_matrix(shape))
        self.need = np.asarray(economy.capacity.tool_need)
        share = np.asarray(self.barriers.builder_share)
        share = share.reshape(self.count, self.periods, *share.shape[1:])
        rent = np.asarray(economy.capacity.rent).T
        self.nodes = [
            foresight.anchored(nodes_of(economy, part.transpose(2, 1, 0), wedges), rent)
            for part, wedges in zip(share, worlds, strict=True)
        ]
        self.worlds = tuple(worlds)
        self.sites = [
            sites_of(economy, nodes.class_share, wedges) for nodes, wedges in zip(self.nodes, worlds, strict=True)
        ]
        self.holders = [self._holders(world) for world in range(self.count)]
        self.pasts = [Past(economy, wedges) for wedges in worlds]
        rents = np.zeros((self.periods, self.barriers.limit_quantity.shape[1]))
        vector = np.concatenate([np.asarray(economy.reference_state), rents], axis=1)
        given = zip(self.nodes, self.holders, self.pasts, strict=True)
        self.points = [self._start(*its, vector) for its in given]
        self.steps = np.full(self.count, np.inf)
        self.rounds = np.zeros(self.count, int)
        self.failures: dict[int, slice] = {}
        self.blocked: set[int] = set()
        self._given: tuple[np.ndarray, Any] = np.zeros(0), None
        self._slopes: list[PlanSlopes | None] = [None] * self.count

    def _holders(
        self, world: int, first: int = 0, before: tuple[Stockholders, Orders, Array] | None = None
    ) -> Stockholders:
        """Who may buy ahead in a world that is planned from period ``first`` on."""
        own = slice(world * self.periods, (world + 1) * self.periods)
        share, ahead = np.asarray(self.barriers.builder_share[own]), self.foresight.looks_ahead
        return Stockholders(self.economy, self.worlds[world], self.access(world), share, first, ahead, before)

    def access(self, world: int) -> Array:
        """``[period, tool, class, origin, destination]`` one where builders in a world can buy a tool from an origin."""
        own, shape = slice(world * self.periods, (world + 1) * self.periods), self.economy.structure
        return access_to(shape, jax.tree.map(lambda x: x[own], self.barriers), shape.tools)

    def _start(self, nodes: Nodes, holders: Stockholders, past: Past, vector: Array) -> Point:
        nothing = np.zeros(nodes.inherited.shape)
        return Point(
            rent=np.asarray(self.economy.capacity.rent).T,
            additions=nodes.reference_additions,
            vector=vector,
            converged=np.zeros(self.periods, bool),
            use=nothing,
            mill=nothing + 1,
            tool_cost=np.zeros(nodes.class_share.shape),
            orders=holders.none(),
            wanted=holders.none(),
            past=past.none,
            record=past.start,
            due=past.none,
        )

    def first_to_fail(self, world: int) -> int:
        """The world in whose failure that of ``world`` began: one that it departs from, or itself."""
        other = self.departs.get(world, (world, 0))[0]
        return self.first_to_fail(other) if other != world and other in self.failures else world

    def lane(self, points: Mapping[int, Point], periods: Mapping[int, np.ndarray]) -> tuple[Lane, Array]:
        """What the markets of some worlds take as given in chosen periods, world by world, and where to start from."""
        at = np.concatenate([world * self.periods + periods[world] for world in points])
        purchases, stock, compute, outlays = [], [], [], []
        for world, point in points.items():
            bought = self.bought(point, periods[world])
            stored = self.holders[world].purchases(point.orders, point.additions)
            purchases.append(bought + stored.tools[periods[world]])
            stock.append(stored.goods[periods[world]])
            compute.append(stored.compute[periods[world]])
            outlays.append(self.outlays(self.sites[world], point, periods[world]))
        rent = np.concatenate([point.rent[:, periods[world]].T for world, point in points.items()])
        paid = jax.tree.map(lambda *parts: np.concatenate(parts), *outlays)
        plan = Plan(rent, np.concatenate(purchases), np.concatenate(stock), np.concatenate(compute), paid)
        if not np.array_equal(at, self._given[0]):
            given = jax.tree.map(lambda x: np.asarray(x)[at], (self.barriers, self.walls))
            self._given = at, (self._parameters(at), *given)
        parameters, barriers, walls = self._given[1]
        if any(self.pasts[world] for world in points):
            barriers, walls = _inheriting(
                parameters, barriers, walls, [(p.past, periods[w]) for w, p in points.items()]
            )
        start = np.concatenate([point.vector[periods[world]] for world, point in points.items()])
        return Lane(parameters, barriers, plan, Tastes(), walls), start

    def _parameters(self, lanes: np.ndarray) -> Parameters:
        return jax.tree.map(lambda x: np.asarray(x)[lanes % self.periods], self.economy.parameters)

    def bought(self, point: Point, periods: np.ndarray) -> Array:
        """Tools bought for additions at a point, ``[period, product, class, region]``."""
        shape, classes = self.economy.structure, point.additions.shape[1]
        bought = np.zeros((len(periods), len(shape.products), classes, len(shape.regions)))
        for node, column in enumerate(self.columns):
            bought[..., column] += self.need[node][:, None] * point.additions[node][:, periods].T[:, None, :]
        return bought

    def outlays(self, sites: Sites, point: Point, periods: np.ndarray) -> Outlays:
        """What additions at a point cost beside tools, ``[period, ...]``."""
        return sites.at(periods).outlays(
            self.economy.structure, self.need, point.additions[..., periods].transpose(2, 0, 1)
        )

    def gaps(self, world: int, point: Point | None = None) -> Residuals:
        """Natural residuals of a world at true prices."""
        point = point or self.points[world]
        return residuals(
            self.nodes[world], point.rent, point.use, point.additions, point.tool_cost, point.mill, self.foresight
        )

    def response(self, world: int, point: Point | None = None) -> MarketResponse:
        """The markets' answer and slopes at a world's point; without slopes if none were needed."""
        point = point or self.points[world]
        nodes, slopes = self.nodes[world], self._slopes[world]
        count = len(nodes.names)
        return MarketResponse(
            rent=point.rent,
            use=point.use,
            jacobian=np.zeros((self.periods, count, count)) if slopes is None else slopes.use_by_rent,
            additions=point.additions,
            tool_cost=np.minimum(point.tool_cost, CHOKE),
            tool_use=np.zeros((*nodes.class_share.shape, count))
            if slopes is None
            else slopes.use_by_addition.transpose(2, 3, 0, 1),
        )


def _inheriting(
    parameters: Parameters, barriers: Barriers, walls: Factors | None, pasts: Sequence[tuple[Carried, np.ndarray]]
) -> tuple[Barriers, Factors | None]:
    """Barriers, and wedges if computed beforehand, with what each world's past brings into its periods."""
    skill = np.concatenate([past.skill[periods] for past, periods in pasts])
    productivity = barriers.productivity * np.exp(skill)
    barriers = eqx.tree_at(lambda x: x.productivity, barriers, productivity)
    saved = np.concatenate([past.saved[periods] for past, periods in pasts])
    if not saved.any():
        return barriers, walls
    barriers = eqx.tree_at(lambda x: x.maker_real_cost, barriers, barriers.maker_real_cost - saved)
    return barriers, walls and walls._replace(makers=duty_paid(parameters, barriers)[1])


def sites_of(economy: Economy, share: Array, wedges: Wedges) -> Sites:
    """What additions cost beside tools in one world, by period.

    Args:
        economy: the calibrated economy.
        share: ``[node, class, period]`` share of builders in each class of tool buyers.
        wedges: the policy: its subsidies.
    """
    capacity = economy.capacity
    return Sites(
        np.asarray(capacity.site_cost),
        np.asarray(capacity.slope),
        subsidies(economy, wedges).T,
        share.transpose(2, 0, 1),
    )

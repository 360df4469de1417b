"""Rounds between markets and suppliers: a globalised Josephy-Newton method, stage by stage (section 7).

Each round the markets, given rents and additions, return use, prices and (when progress is slow) their exact slopes; the
plan's complementarity against these slopes answers with new rents and additions (`backfill.supply.josephy`). A step that
does not lower the natural residual at true prices, or at which a market has no answer, is shortened.

Stages: with perfect foresight the worlds that depart from others after the same number of periods, first those that depart
from none; myopic builders look at today and the reference, so that their periods are stages one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from backfill.economy.economy import Economy, Parameters
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import Foresight
from backfill.supply.highs import CompiledPlan
from backfill.supply.inherited import departing, nodes_of, subsidies
from backfill.supply.josephy import AffineAnswer, answer
from backfill.supply.nodes import Array, MarketResponse, Nodes, capacity_path
from backfill.supply.orders import Bend, Flows, Orders, Seen
from backfill.supply.residual import Residuals, residuals
from backfill.supply.stockpile import Stockholders
from backfill.trade import sensitivity
from backfill.trade.barriers import lanes
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import Equilibrium, Lane, solve, walls_of
from backfill.trade.market import Plan, node_matrix
from backfill.trade.prices import CHOKE
from backfill.trade.sites import Outlays, Sites

ROUNDS = 30
TOLERANCE = 1e-7
STEP_TOLERANCE = 1e-6
FAR = 1.0
SLOW = 0.3
SMALL = 0.01
SHORTEST = 2.0**-8
DECREASE = 1e-4
MEMORY = 2


def settled(residual: float, step: float) -> bool:
    """Whether a world is accepted: the natural residual at true prices, and what another round would move."""
    return residual <= TOLERANCE and step <= STEP_TOLERANCE


@dataclass(frozen=True)
class Stage:
    """Worlds solved together over a stretch of periods, everything before it being given."""

    worlds: tuple[int, ...]
    span: slice


@dataclass(frozen=True)
class Point:
    """Rents and additions of one world and what the markets answer there.

    Attributes:
        rent: ``[node, period]``.
        additions: ``[node, class, period]``.
        vector: ``[period, unknown]``, the markets' solution.
        converged: ``[period]`` whether there is one.
        use, mill: ``[node, period]`` use of capacities and mill prices of their products.
        tool_cost: ``[node, class, period]`` tools bought per unit of capacity added.
        orders: what is bought ahead.
        wanted: what stockholders would order at these prices.
        apart: how far the two are, as a share of needs.
        seen: what stockholders see; None before the first round.
    """

    rent: Array
    additions: Array
    vector: Array
    converged: np.ndarray
    use: Array
    mill: Array
    tool_cost: Array
    orders: Orders
    wanted: Orders
    apart: float = 0.0
    seen: Seen | None = None


@dataclass
class Search:
    """Where one world stands in a stage.

    Attributes:
        point: the last point accepted.
        merit: its natural residual in the stage's periods, infinite where a market has no answer.
        planned: the part of it that is the capacity plan's.
        recent: merits of the last points accepted.
        target: the plan's answer there; None before the first.
        predicted: what would be bought ahead at its rents.
        orders: what is tried.
        bend: how what is wanted moves with it.
        step: what that answer would move, relative to prices.
        length: share of the step tried next.
        fresh: whether the slopes are those of this point.
        slow: whether the last step gained little, or there is far to go.
        rounds: rounds used.
        blocked: whether a step from here led to a market without an answer.
    """

    point: Point
    merit: float = np.inf
    planned: float = np.inf
    recent: list[float] = field(default_factory=list)
    target: AffineAnswer | None = None
    predicted: Orders | None = None
    orders: Orders | None = None
    bend: Bend | None = None
    step: float = np.inf
    length: float = 1.0
    fresh: bool = False
    slow: bool = False
    rounds: int = 0
    blocked: bool = False

    @property
    def settled(self) -> bool:
        """Whether this point is accepted as the solution."""
        return settled(self.merit, self.step)


class Coupling:
    """Markets and plans of a batch of worlds.

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
        self.barriers = lanes(shape, worlds)
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
        self.sites = [sites_of(economy, nodes.class_share, wedges) for nodes, wedges in zip(self.nodes, worlds, strict=True)]
        self.holders = [self._holders(world) for world in range(self.count)]
        rents = np.zeros((self.periods, self.barriers.limit_quantity.shape[1]))
        vector = np.concatenate([np.asarray(economy.reference_state), rents], axis=1)
        self.points = [self._start(*pair, vector) for pair in zip(self.nodes, self.holders, strict=True)]
        self.steps = np.full(self.count, np.inf)
        self.rounds = np.zeros(self.count, int)
        self.failures: dict[int, slice] = {}
        self.blocked: set[int] = set()
        self._given: tuple[np.ndarray, Any] = np.zeros(0), None
        self._slopes: list[sensitivity.PlanSlopes | None] = [None] * self.count

    def _holders(
        self, world: int, first: int = 0, before: tuple[Stockholders, Orders, Array] | None = None
    ) -> Stockholders:
        """Who may buy ahead in a world that is planned from period ``first`` on."""
        own = slice(world * self.periods, (world + 1) * self.periods)
        access, share = np.asarray(self.barriers.open[own]), np.asarray(self.barriers.builder_share[own])
        ahead = self.foresight.looks_ahead
        return Stockholders(self.economy, self.worlds[world], access, share, first, ahead, before)

    def _start(self, nodes: Nodes, holders: Stockholders, vector: Array) -> Point:
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
        )

    def stages(self) -> list[Stage]:
        """What is solved in turn."""
        every = tuple(range(self.count))
        if not self.foresight.builds:
            return [Stage(every, slice(0, self.periods))]
        if not self.foresight.looks_ahead:
            return [Stage(every, slice(t, t + 1)) for t in range(self.periods)]
        starts = [self.departs.get(world, (0, 0))[1] for world in every]
        return [Stage(tuple(w for w in every if starts[w] == n), slice(n, self.periods)) for n in sorted(set(starts))]

    def solve(self, progress: Callable[[float], None] | None = None) -> None:
        """Solve every stage. A world that fails in one keeps the point it reached there; what follows from it fails too."""
        stages = self.stages()
        for done, stage in enumerate(stages):
            for world in stage.worlds:
                other, _ = self.departs.get(world, (world, 0))
                if other in self.failures:
                    self.failures[world] = self.failures[other]
            stage = replace(stage, worlds=tuple(w for w in stage.worlds if w not in self.failures))
            if progress:
                progress(done / len(stages))
            if stage.worlds:
                self._prepare(stage)
                self._rounds(stage)

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
        return sites.at(periods).outlays(self.economy.structure, self.need, point.additions[..., periods].transpose(2, 0, 1))

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

    def _prepare(self, stage: Stage) -> None:
        """Start worlds where those stand that they depart from, and a period from the slopes of the one before."""
        first = stage.span.start
        for world in stage.worlds:
            if world in self.departs:
                other, periods = self.departs[world]
                its = self.points[other]
                self.nodes[world] = departing(self.nodes[world], its.additions, periods)
                holders = self._holders(world, periods, (self.holders[other], its.orders, its.additions))
                self.holders[world] = holders
                self.points[world] = replace(
                    its, additions=self.nodes[world].reference_additions, orders=holders.none(), wanted=holders.none()
                )
                self._slopes[world] = self._slopes[other]
            elif first:
                slopes = self._slopes[world]
                self._slopes[world] = slopes and sensitivity.PlanSlopes(*(_with(x, stage.span, x[first - 1]) for x in slopes))

    def _rounds(self, stage: Stage) -> None:
        """Rounds of one stage, until every world is accepted or given up."""
        searches = {world: Search(self.points[world]) for world in stage.worlds}
        open_ = dict(searches)
        while open_:
            for world, point in self._evaluate({w: self._trial(s, stage.span) for w, s in open_.items()}, stage.span).items():
                self._judge(world, open_[world], point, stage.span)
            self._plan(open_, stage.span)
            open_ = {w: s for w, s in open_.items() if not s.settled and s.length >= SHORTEST and s.rounds < ROUNDS}
        for world, search in searches.items():
            self.points[world] = search.point
            before = 0.0 if not np.isfinite(self.steps[world]) else self.steps[world]
            self.steps[world] = max(search.step, before)
            self.rounds[world] = max(search.rounds, self.rounds[world])
            if not search.settled:
                self.failures[world] = stage.span
                self.blocked |= {world} if search.blocked else set()

    def _trial(self, search: Search, span: slice) -> Point:
        """The point a share of the step away from the last one accepted."""
        target, point, share = search.target, search.point, search.length
        if target is None:
            return point
        rent, additions = (
            _with(old, span, ((1 - share) * old + share * new)[..., span], axis=-1)
            for old, new in ((point.rent, target.rent), (point.additions, target.additions))
        )
        orders = point.orders if search.orders is None else point.orders.towards(search.orders, share)
        return replace(point, rent=rent, additions=additions, orders=orders)

    def _evaluate(self, trials: Mapping[int, Point], span: slice) -> dict[int, Point]:
        """Solve the markets of the periods ``span`` at given plans, all worlds in one batch."""
        periods = np.arange(self.periods)[span]
        lane, start = self.lane(trials, dict.fromkeys(trials, periods))
        slopes = [self._slopes[world] for world in trials]
        inverse = np.concatenate([x.inverse[periods] for x in slopes if x]) if all(slopes) else None
        market = self._solved(lane, start, np.tile(periods, len(trials)), inverse)
        use, mill = (x[:, self.rows, self.columns] for x in (market.output, market.mill))
        tools = np.einsum("gk,lkcg->lgc", self.need, market.by_class[..., self.columns])
        found, length = {}, len(periods)
        for place, (world, point) in enumerate(trials.items()):
            own = slice(place * length, (place + 1) * length)
            seen = self._seen(self.holders[world], market, own, span)
            wanted, saving = self.holders[world].answer(seen, point.additions)
            cost = np.moveaxis(tools[own], 0, -1) - saving[..., span]
            found[world] = replace(
                point,
                wanted=wanted,
                apart=self.holders[world].apart(point.orders, wanted, seen),
                seen=seen,
                vector=_with(point.vector, span, market.vector[own]),
                converged=_with(point.converged, span, market.converged[own]),
                use=_with(point.use, span, use[own].T, axis=-1),
                mill=_with(point.mill, span, mill[own].T, axis=-1),
                tool_cost=_with(point.tool_cost, span, cost, axis=-1),
            )
        return found

    def _seen(self, holders: Stockholders, market: Equilibrium, own: slice, span: slice) -> Seen:
        """What stockholders see of one world's markets; periods that are over have prices of one, which nobody looks at."""
        parts = (market.by_class, market.mean, market.used, market.compute_price, market.compute)
        made = jax.tree.map(lambda x: np.asarray(x)[span], self.economy.parameters.production)
        coefficient = made.inputs * (made.cost / made.productivity)[:, None]
        reach = holders.reach(
            Flows(market.value[own], market.quantity[own], market.mean[own], market.mill[own], coefficient)
        )
        prices = (_with(np.ones((self.periods, *part.shape[1:])), span, part[own]) for part in parts)
        return Seen(*prices, *(_with(np.zeros((self.periods, *part.shape[1:])), span, part) for part in reach))

    def _solved(self, lane: Lane, start: Array, years: np.ndarray, inverse: Array | None) -> Equilibrium:
        """Markets solved from where they stood or, where that leads nowhere, from the reference."""
        shape = self.economy.structure
        market = solve(shape, lane, start, inverse=inverse)
        lost = np.flatnonzero(~market.converged)
        if not lost.size:
            return market
        again = np.zeros((len(lost), start.shape[1]))
        reference = np.asarray(self.economy.reference_state)[years[lost]]
        again[:, : reference.shape[1]] = reference
        found = solve(shape, jax.tree.map(lambda x: np.asarray(x)[lost], lane), again)
        better = lost[found.converged]
        for mine, its in zip(market, found, strict=True):
            mine[better] = its[found.converged]
        return market

    def _judge(self, world: int, search: Search, point: Point, span: slice) -> None:
        """Accept a point that lowers the residual; else try a shorter step, or, slopes being old, another."""
        search.rounds += 1
        self._learn(world, search.point, point, span)
        planned = self.gaps(world, point).within(span).largest if point.converged[span].all() else np.inf
        merit = max(planned, point.apart)
        search.blocked = search.blocked or not np.isfinite(merit)
        lower = search.target is None or merit <= (1 - DECREASE * search.length) * max(search.recent)
        if lower or merit <= TOLERANCE:
            if search.bend and search.predicted and search.length == 1:
                search.bend = search.bend.learned(search.point.orders, point.orders, search.predicted, point.wanted)
            search.slow = planned > max(SLOW * search.planned if search.recent else FAR, TOLERANCE)
            search.point, search.merit, search.planned, search.fresh, search.length = point, merit, planned, False, 1.0
            search.recent = [*search.recent, merit][-MEMORY:]
            search.target, search.blocked = None, False
            return
        search.bend = None
        if not search.fresh:
            search.slow, search.length, search.target = True, 1.0, None
        else:
            search.length *= 0.25

    def _plan(self, searches: Mapping[int, Search], span: slice) -> None:
        """Let the plans of worlds at new points answer, with new slopes where the old ones served badly."""
        todo = {world: search for world, search in searches.items() if search.target is None}
        if not self.economy.structure.nodes:
            for search in todo.values():
                search.step = 0.0
            return
        missing = sorted((world for world in todo if self._slopes[world] is None), key=lambda w: np.isinf(todo[w].merit))
        if missing:
            first = missing[0]
            self._differentiate({first: todo[first].point}, {first: np.arange(self.periods)[span]})
            for world in missing[1:]:
                self._slopes[world] = self._slopes[first]
            todo[first].fresh = True
        stale = {w: s.point for w, s in todo.items() if s.slow and not s.fresh}
        if stale:
            self._differentiate(stale, {world: self._far(world, point, span) for world, point in stale.items()})
        for world, search in todo.items():
            search.fresh = search.fresh or world in stale
            if not self._has_slopes(world, span):
                search.length = 0.0
                continue
            search.target = self._answer(world, search.point, span)
            search.predicted = self._orders(world, search.point, search.target)
            if search.predicted:
                search.bend = search.bend or Bend.none(search.predicted)
                search.orders = search.bend.target(search.point.orders, search.predicted)
            move = np.abs(search.target.rent - search.point.rent) / np.maximum(search.point.mill, 1e-9)
            search.step = float(move[:, span].max())

    def _has_slopes(self, world: int, span: slice) -> bool:
        """Whether a world's slopes are numbers, as they need not be where a market has no answer."""
        slopes = self._slopes[world]
        return slopes is not None and all(np.isfinite(part[span]).all() for part in slopes)

    def _answer(self, world: int, point: Point, span: slice) -> AffineAnswer:
        """The plan against the markets' linear answer: from the point's rents, else from the convex program's."""
        nodes, slopes, response = self.nodes[world], self._slopes[world], self.response(world, point)
        assert slopes is not None
        cost_slope = slopes.cost_by_rent.transpose(1, 2, 0, 3)

        holders = self.holders[world]
        stocks = holders.slopes(point.seen, point.wanted, point.additions) if holders and point.seen else None

        def started(rent: Array) -> AffineAnswer:
            return answer(nodes, response, cost_slope, point.mill, rent, self.foresight, span=span, stocks=stocks)

        found = started(point.rent)
        if not found.solved:
            program = CompiledPlan(nodes, self.foresight).solve(response)
            found = min(found, started(program.rent), key=lambda one: one.residual)
        return found

    def _orders(self, world: int, point: Point, target: AffineAnswer) -> Orders | None:
        """What would be bought ahead at a plan's rents."""
        holders = self.holders[world]
        if not holders or point.seen is None:
            return None
        return holders.answer(holders.at_rents(point.seen, target.rent - point.rent), target.additions)[0]

    def _learn(self, world: int, old: Point, new: Point, span: slice) -> None:
        """Correct the slopes of use by what a step showed (Broyden's update, period by period, in relative steps)."""
        slopes = self._slopes[world]
        if slopes is None or not (old.converged[span] & new.converged[span]).all():
            return
        rent, added = (new.rent - old.rent)[:, span].T, (new.additions - old.additions)[..., span].transpose(2, 0, 1)
        by_rent, by_addition = slopes.use_by_rent[span], slopes.use_by_addition[span]
        missed = (new.use - old.use)[:, span].T
        holders = self.holders[world]
        if holders and new.seen is not None:
            asked = (holders.use(holders.purchases(point.orders, point.additions), new.seen) for point in (new, old))
            missed = missed - (next(asked) - next(asked))[:, span].T
        missed = missed - np.einsum("tgh,th->tg", by_rent, rent) - np.einsum("tghc,thc->tg", by_addition, added)
        rent_weight = 1 / np.maximum(new.mill[:, span].T, 1e-9) ** 2
        size = np.maximum(capacity_path(self.nodes[world], new.additions).max(1), 1e-9)
        own, built = rent * rent_weight, added / size[:, None] ** 2
        length = (rent * own).sum(1) + (added * built).sum((1, 2))
        missed = np.divide(missed, length[:, None], out=np.zeros_like(missed), where=length[:, None] > 1e-30)
        by_rent = by_rent + missed[:, :, None] * own[:, None]
        by_addition = by_addition + missed[:, :, None, None] * built[:, None]
        self._slopes[world] = slopes._replace(
            use_by_rent=_with(slopes.use_by_rent, span, by_rent),
            use_by_addition=_with(slopes.use_by_addition, span, by_addition),
        )

    def _far(self, world: int, point: Point, span: slice) -> np.ndarray:
        """Periods of ``span`` that are furthest from a solution; all of them where a market has no answer."""
        gaps = self.gaps(world, point)
        by_period = np.maximum(gaps.scarcity.max(0), gaps.building.max((0, 1)))[span]
        far = ~(by_period <= SMALL * by_period.max()) | (not point.converged[span].all())
        return np.arange(self.periods)[span][far]

    def _differentiate(self, points: Mapping[int, Point], periods: Mapping[int, np.ndarray]) -> None:
        """Renew the markets' slopes at the points of some worlds in chosen periods."""
        lane, vectors = self.lane(points, periods)
        at = {world: periods[world] for world in points}
        sites = jax.tree.map(lambda *parts: np.concatenate(parts), *(self.sites[w].at(years) for w, years in at.items()))
        added = np.concatenate([points[w].additions[..., years].transpose(2, 0, 1) for w, years in at.items()])
        fresh = sensitivity.plan_slopes(self.economy.structure, lane, vectors, self.need, sites, added)
        first = 0
        for world in points:
            own = slice(first, first := first + len(periods[world]))
            old = self._slopes[world]
            kept = [np.zeros((self.periods, *part.shape[1:])) for part in fresh] if old is None else old
            self._slopes[world] = sensitivity.PlanSlopes(
                *(_with(x, periods[world], part[own]) for x, part in zip(kept, fresh, strict=True))
            )


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


def _with(array: np.ndarray, span: slice | np.ndarray, part: np.ndarray, axis: int = 0) -> np.ndarray:
    """A copy of ``array`` with ``part`` in the periods ``span``, the first or the last axis."""
    out = array.copy()
    out[(..., span) if axis else span] = part
    return out

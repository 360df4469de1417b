"""Rounds between markets and suppliers: a globalised Josephy-Newton method, stage by stage (section 7).

Each round the markets, given rents and additions, return use, prices and (when progress is slow) their exact slopes; the
plan's complementarity against these slopes answers with new rents and additions (`backfill.supply.josephy`). A step that
does not lower the natural residual at true prices, or at which a market has no answer, is shortened.

Stages: with perfect foresight the worlds that depart from others after the same number of periods, first those that depart
from none; myopic builders look at today and the reference, so that their periods are stages one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import jax
import numpy as np

from backfill.coupling.lessons import Lessons
from backfill.coupling.points import TOLERANCE, Point, Search, Stage, with_periods
from backfill.coupling.slopes import learned, renewed
from backfill.coupling.worlds import Worlds
from backfill.supply.highs import CompiledPlan
from backfill.supply.inherited import departing
from backfill.supply.josephy import AffineAnswer, answer
from backfill.supply.nodes import Array, capacity_path
from backfill.supply.orders import Bend, Flows, Orders, Seen
from backfill.supply.past import Carried, Record
from backfill.supply.stockpile import Stockholders
from backfill.threads import side_by_side
from backfill.trade import sensitivity
from backfill.trade.equilibrium import Equilibrium, Lane, solve

ROUNDS = 30
FAR = 1.0
SLOW = 0.3
SMALL = 0.01
NEAR = 0.1
SHORTEST = 2.0**-8
DECREASE = 1e-4
MEMORY = 2
LEEWAY = 0.05
"""Residual that the first step may lead to from a point closer by: a plan with idle capacity kinks beside where it stands."""


class Coupling(Worlds):
    """Markets and plans of a batch of worlds, see `Worlds`."""

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
            elif first and (slopes := self._slopes[world]) is not None:
                later = (with_periods(x, stage.span, x[first - 1]) for x in slopes)
                self._slopes[world] = sensitivity.PlanSlopes(*later)

    def _rounds(self, stage: Stage) -> None:
        """Rounds of one stage, until every world is accepted or given up."""
        searches = {world: Search(self._remembering(world)) for world in stage.worlds}
        open_ = dict(searches)
        while open_:
            for world, point in self._evaluate(
                {w: self._trial(s, stage.span) for w, s in open_.items()}, stage.span
            ).items():
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

    def _remembering(self, world: int) -> Point:
        """Where a world stands, with what its record so far brings in."""
        point, past = self.points[world], self.pasts[world]
        return replace(point, past=past.carried(point.record)) if past else point

    def _trial(self, search: Search, span: slice) -> Point:
        """The point a share of the step away from the last one accepted.

        Orders of a shortened step set out from those wanted where it began: where stocking up just begins they have a kink, at
        which steps are shortened, and orders left a share behind would be further off than rents.
        """
        target, point, share = search.target, search.point, search.length
        if target is None:
            return point
        rent, additions = (
            with_periods(old, span, ((1 - share) * old + share * new)[..., span], axis=-1)
            for old, new in ((point.rent, target.rent), (point.additions, target.additions))
        )
        answer = point.orders if share == 1 else point.wanted
        orders = point.orders if search.orders is None else answer.towards(search.orders, share)
        past = point.past if search.past is None else point.past.towards(search.past, share)
        return replace(point, rent=rent, additions=additions, orders=orders, past=past)

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
            record = self._recorded(point.record, market, own, span)
            due = self.pasts[world].carried(record) if self.pasts[world] else point.due
            behind = float(self.pasts[world].apart(due, point.past, record)[span].max(initial=0.0))
            found[world] = replace(
                point,
                wanted=wanted,
                record=record,
                due=due,
                apart=max(self.holders[world].apart(point.orders, wanted, seen), behind),
                seen=seen,
                vector=with_periods(point.vector, span, market.vector[own]),
                converged=with_periods(point.converged, span, market.converged[own]),
                use=with_periods(point.use, span, use[own].T, axis=-1),
                mill=with_periods(point.mill, span, mill[own].T, axis=-1),
                tool_cost=with_periods(point.tool_cost, span, cost, axis=-1),
            )
        return found

    def _recorded(self, record: Record, market: Equilibrium, own: slice, span: slice) -> Record:
        """A record with what one world's markets made and bought in the periods ``span``."""
        quantity = market.quantity[own]
        at_home = np.einsum("tkii->tki", quantity)
        found = quantity.sum(3), quantity.sum(2) - at_home, market.delivered[own]
        return Record(*(with_periods(old, span, new) for old, new in zip(record, found, strict=True)))

    def _seen(self, holders: Stockholders, market: Equilibrium, own: slice, span: slice) -> Seen:
        """What stockholders see of one world's markets; periods that are over have prices of one, which nobody looks at."""
        parts = (market.by_class, market.mean, market.used, market.compute_price, market.compute)
        made = jax.tree.map(lambda x: np.asarray(x)[span], self.economy.parameters.production)
        coefficient = made.inputs * (made.cost / made.productivity)[:, None]
        reach = holders.reach(
            Flows(market.value[own], market.quantity[own], market.mean[own], market.mill[own], coefficient)
        )
        prices = (with_periods(np.ones((self.periods, *part.shape[1:])), span, part[own]) for part in parts)
        return Seen(*prices, *(with_periods(np.zeros((self.periods, *part.shape[1:])), span, part) for part in reach))

    def _solved(self, lane: Lane, start: Array, years: np.ndarray, inverse: Array | None) -> Equilibrium:
        """Markets solved from where they stood, behind slopes if known, else without; where neither helps, from the reference."""
        shape = self.economy.structure
        market = solve(shape, lane, start, inverse=inverse)
        reference = np.zeros(start.shape)
        state = np.asarray(self.economy.reference_state)[years]
        reference[:, : state.shape[1]] = state
        for again in (reference,) if inverse is None else (start, reference):
            lost = np.flatnonzero(~market.converged)
            if not lost.size:
                break
            found = solve(shape, jax.tree.map(lambda x, lost=lost: np.asarray(x)[lost], lane), again[lost])
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
            search.recent = [*(search.recent or [LEEWAY]), merit][-MEMORY:]
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
        missing = sorted(
            (world for world in todo if self._slopes[world] is None), key=lambda w: np.isinf(todo[w].merit)
        )
        if missing:
            first = missing[0]
            self._differentiate({first: todo[first].point}, {first: np.arange(self.periods)[span]})
            for world in missing[1:]:
                self._slopes[world] = self._slopes[first]
            todo[first].fresh = True
        stale = {w: s.point for w, s in todo.items() if s.slow and not s.fresh}
        if stale:
            self._differentiate(stale, {world: self._far(world, point, span) for world, point in stale.items()})
        for world in stale:
            todo[world].fresh = True
        side_by_side(lambda world: self._aim(world, todo[world], span), todo)

    def _aim(self, world: int, search: Search, span: slice) -> None:
        """Where the plan of one world would go from its point."""
        if not self._has_slopes(world, span):
            search.length = 0.0
            return
        if search.slow or search.fresh or search.stocks is None:
            search.stocks = self._stocks(world, search.point)
        search.target, search.past = self._answer(
            world, search.point, span, stocks=search.stocks, foreseen=search.planned <= NEAR
        )
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

    def _stocks(self, world: int, point: Point) -> Array | None:
        """Change of use by rents through what is bought ahead; None where nothing is."""
        holders = self.holders[world]
        return holders.slopes(point.seen, point.wanted, point.additions) if holders and point.seen else None

    def _answer(
        self, world: int, point: Point, span: slice, *, stocks: Array | None = None, foreseen: bool = True
    ) -> tuple[AffineAnswer, Carried]:
        """The plan against the markets' linear answer, from the point's rents or else from the convex program's, and what the
        past will bring in there; far from a solution, where records teach nothing, the past stays as it is.
        """
        nodes, slopes, response = self.nodes[world], self._slopes[world], self.response(world, point)
        assert slopes is not None
        cost_slope = slopes.cost_by_rent.transpose(1, 2, 0, 3)
        lessons = self.lessons(world, point) if foreseen else None
        if lessons:
            learned = lessons.slopes(response.jacobian)
            stocks = learned if stocks is None else stocks + learned
            response = lessons.response(response, cost_slope)

        def started(rent: Array) -> AffineAnswer:
            return answer(nodes, response, cost_slope, point.mill, rent, self.foresight, span=span, stocks=stocks)

        found = started(point.rent)
        if not found.solved:
            program = CompiledPlan(nodes, self.foresight).solve(response)
            found = min(found, started(program.rent), key=lambda one: one.residual)
        if lessons:
            return found, lessons.anticipated(response, stocks, found)
        return found, point.due if foreseen else point.past

    def lessons(self, world: int, point: Point) -> Lessons | None:
        """What a world learns from a point on; None where nobody does."""
        past = self.pasts[world]
        return Lessons(past, point, self.rows, self.columns) if past.learns else None

    def _orders(self, world: int, point: Point, target: AffineAnswer) -> Orders | None:
        """What would be bought ahead at a plan's rents."""
        holders = self.holders[world]
        if not holders or point.seen is None:
            return None
        return holders.answer(holders.at_rents(point.seen, target.rent - point.rent), target.additions)[0]

    def _learn(self, world: int, old: Point, new: Point, span: slice) -> None:
        """Correct the slopes of use by what a step showed."""
        slopes, holders = self._slopes[world], self.holders[world]
        if slopes is None or not (old.converged[span] & new.converged[span]).all():
            return
        asked = np.zeros_like(new.use)
        if holders and new.seen is not None:
            after, before = (holders.use(holders.purchases(p.orders, p.additions), new.seen) for p in (new, old))
            asked = after - before
        if lessons := self.lessons(world, old):
            asked = asked + np.einsum("tgh,ht->gt", slopes.use_by_rent, lessons.easing(new.past))
        size = np.maximum(capacity_path(self.nodes[world], new.additions).max(1), 1e-9)
        self._slopes[world] = learned(slopes, old, new, asked, size, span)

    def _far(self, world: int, point: Point, span: slice) -> np.ndarray:
        """Periods of ``span`` that are furthest from a solution; all of them where a market has no answer."""
        gaps = self.gaps(world, point)
        by_period = np.maximum(gaps.scarcity.max(0), gaps.building.max((0, 1)))[span]
        far = ~(by_period <= SMALL * by_period.max()) | (not point.converged[span].all())
        return np.arange(self.periods)[span][far]

    def _differentiate(self, points: Mapping[int, Point], periods: Mapping[int, np.ndarray]) -> None:
        """Renew the markets' slopes at the points of some worlds in chosen periods."""
        lane, vectors = self.lane(points, periods)
        sites = jax.tree.map(lambda *parts: np.concatenate(parts), *(self.sites[w].at(periods[w]) for w in points))
        added = np.concatenate([point.additions[..., periods[w]].transpose(2, 0, 1) for w, point in points.items()])
        fresh = sensitivity.plan_slopes(self.economy.structure, lane, vectors, self.need, sites, added)
        first = 0
        for world in points:
            own = slice(first, first := first + len(periods[world]))
            part = sensitivity.PlanSlopes(*(x[own] for x in fresh))
            self._slopes[world] = renewed(self._slopes[world], part, periods[world], self.periods)

"""One solved world made linear: how markets, plans and orders move together along directions of the policy (section 10).

At a solved world the market's unknowns ``x``, rents ``r``, additions ``I``, orders ``o`` and what the past brings in ``z``
satisfy, on the sets of limits that bind,

    x = F(x; r, I, o, z, theta),                           K(I) - u = 0  or  r = 0,
    I = (PV(r) - b - tools + saving) share / psi  or  0,    o = O(x, I),    z = Z(x)

and by the implicit function theorem their change along a direction of the policy solves the same equations made linear. The
markets' part is exact (`backfill.trade.tangents`); what is explicit besides, at most quadratic in most places, enters by central
differences along the tangent, whose error is of the order of the square of the step. The linear system is solved by
corrections: the slopes of the coupling answer what is left of rents and additions, orders and the past follow, and a memory of
earlier corrections extrapolates (Anderson). What is left at the end is checked: old slopes cost corrections, not accuracy.

Where controls that coincide would part, a route closes or opens, or two sides of a complementarity are zero at once, there is no
derivative but one on each side; the first two are found and named (`Kink`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np

from backfill.accounts import terminal_value
from backfill.coupling import Coupling, sites_of
from backfill.coupling.points import with_periods
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import decided, present_value
from backfill.supply.inherited import departing, nodes_of
from backfill.supply.josephy import _Affine
from backfill.supply.nodes import Array, Nodes, capacity_path
from backfill.supply.orders import Orders, Seen
from backfill.supply.past import Carried, Past, Record
from backfill.supply.stockpile import Stockholders
from backfill.trade.barriers import Barriers, access_to, in_round_numbers, lanes
from backfill.trade.delivery import legs
from backfill.trade.equilibrium import outcomes
from backfill.trade.market import Plan
from backfill.trade.sites import Sites
from backfill.trade.tangents import Observed, inverses, moved, observed

TOLERANCE = 1e-10
CORRECTIONS = 60
MEMORY = 6
NEARLY = 1e-6
"""Both sides of a complementarity below this: it may bind or not."""
PATTERN = (
    "column",
    "access",
    "leaf_open",
    "limit_flow",
    "limit_maker",
    "limit_owner",
    "limit_exporter",
    "limit_internalised",
)
SHARES = ("share", "builder_share", "user_share")


class Kink(Exception):
    """Directions along which wedges have no derivative at this point, by place."""

    def __init__(self, directions: Sequence[int]) -> None:
        super().__init__(f"no derivative along directions {list(directions)}")
        self.directions = tuple(directions)


@dataclass(frozen=True)
class Direction:
    """Wedges half a step ahead and half a step back, by place of the world; other worlds do not move."""

    ahead: Mapping[int, Wedges]
    back: Mapping[int, Wedges]


@dataclass(frozen=True)
class _Side:
    """What is explicit in the policy, half a step to one side along one direction."""

    sign: float
    nodes: Nodes
    holders: Stockholders
    sites: Sites
    past: Past


class _Tangent(NamedTuple):
    """A direction's change of the plan and of what the past brings in."""

    rent: Array
    additions: Array
    kits: Array
    goods: Array
    relief: Array
    skill: Array
    saved: Array

    @property
    def orders(self) -> Orders:
        return Orders(self.kits, self.goods, self.relief)


class Stage:
    """One world from its own first period on, and its tangents along every direction."""

    def __init__(
        self, coupling: Coupling, place: int, directions: Sequence[Direction], half: float, before: Stage | None
    ) -> None:
        self.coupling, self.place, self.half, self.before = coupling, place, half, before
        self.point, self.nodes = coupling.points[place], coupling.nodes[place]
        self.other, self.first = coupling.departs.get(place, (place, 0))
        self.span = slice(self.first, coupling.periods)
        self.years = np.arange(coupling.periods)[self.span]
        self.lane, self.vector = coupling.lane({place: self.point}, {place: self.years})
        shape = coupling.economy.structure
        self.base = observed(shape, outcomes(shape, self.lane, self.vector))
        self.barriers, self.sides = self._sides(directions)
        self.saved = coupling.holders[place].answer(self._seen(self.base, 0.0), self.point.additions)[1]
        self._active()
        self.weights = self._weights()
        self.seen: Observed = self.base
        self.left, self.corrections = np.inf, 0

    def _sides(self, directions: Sequence[Direction]) -> tuple[Barriers, list[tuple[_Side, _Side]]]:
        """Change of barriers by unit of each direction, and what is explicit on both of its sides."""
        coupling, own = self.coupling, self.coupling.worlds[self.place]
        wedges = [(one.ahead.get(self.place, own), one.back.get(self.place, own)) for one in directions]
        stacked = in_round_numbers(
            lanes(coupling.economy.structure, [*coupling.worlds, *(w for pair in wedges for w in pair)])
        )
        first = coupling.count * coupling.periods
        by_world = jax.tree.map(lambda x: x[first:].reshape(len(wedges), 2, coupling.periods, *x.shape[1:]), stacked)
        self._check(stacked, by_world)
        change = jax.tree.map(lambda x: np.moveaxis(_slope(x[:, 0], x[:, 1], self.half)[:, self.span], 0, 1), by_world)
        sides = [
            tuple(self._side(n, s, pair[s], jax.tree.map(lambda x, n=n, s=s: x[n, s], by_world)) for s in (0, 1))
            for n, pair in enumerate(wedges)
        ]
        return change, sides  # type: ignore[return-value]

    def _check(self, stacked: Barriers, by_world: Barriers) -> None:
        """Compare the pattern of closed routes and of classes with the world's own."""
        own = slice(self.place * self.coupling.periods, (self.place + 1) * self.coupling.periods)
        kinked: set[int] = set()
        for name in (*PATTERN, *SHARES):
            parts = zip(*(jax.tree.leaves(getattr(one, name)) for one in (stacked, by_world)), strict=True)
            for mine, its in parts:
                mine, its = mine[own][self.span], its[:, :, self.span]
                if name in SHARES:
                    mine, its = mine > 0, its > 0
                differs = (its != mine).reshape(len(its), -1).any(1)
                kinked |= set(np.flatnonzero(differs).tolist())
        shapes, its = (
            [part.shape[2:] for part in (one.share, *one.access)] for one in (stacked, self.coupling.barriers)
        )
        if kinked or shapes != its:
            raise Kink(sorted(kinked) or range(len(by_world.tariff)))

    def _side(self, direction: int, side: int, wedges: Wedges, barriers: Barriers) -> _Side:
        coupling, sign = self.coupling, 1.0 if side == 0 else -1.0
        economy, ahead = coupling.economy, coupling.foresight.looks_ahead
        share = np.asarray(barriers.builder_share)
        nodes = nodes_of(economy, share.transpose(2, 1, 0), wedges)
        nodes = coupling.foresight.anchored(nodes, np.asarray(economy.capacity.rent).T)
        before = None
        if self.other != self.place:
            its, holders = coupling.points[self.other], coupling.holders[self.other]
            orders, additions = its.orders, its.additions
            if self.before is not None:
                other = self.before.tangents[direction]
                holders = self.before.sides[direction][side].holders
                orders = _shifted(orders, other.orders, sign * self.half)
                additions = additions + sign * self.half * other.additions
            nodes = departing(nodes, additions, self.first)
            before = holders, orders, additions
        access = access_to(economy.structure, barriers, economy.structure.tools)
        found = Stockholders(economy, wedges, access, share, self.first, ahead, before)
        mine = coupling.holders[self.place]
        if found.kits != mine.kits or found.goods != mine.goods:
            raise Kink([direction])
        return _Side(sign, nodes, found, sites_of(economy, nodes.class_share, wedges), Past(economy, wedges))

    def _active(self) -> None:
        """Which limits bind and who builds; slopes of the plan on these sets."""
        coupling, point, nodes = self.coupling, self.point, self.nodes
        capacity = capacity_path(nodes, point.additions)
        size = np.where(capacity > 0, capacity, np.maximum(np.abs(point.use), 1e-300))
        scarce, idle = point.rent / point.mill, (capacity - point.use) / size
        self.price, self.size = point.mill, np.maximum(capacity.max(1), 1e-300)
        self.binding = (scarce > idle)[:, self.span] if len(size) else np.zeros((0, len(self.years)), bool)
        share = np.where(nodes.class_share > 0, nodes.class_share, 1.0)
        cost = nodes.site_cost[:, None] + point.tool_cost + nodes.slope[:, None] * point.additions / share
        loss = (cost - present_value(nodes, point.rent, coupling.foresight)[:, None]) / point.mill[:, None]
        built = point.additions / self.size[:, None, None]
        self.decides = decided(nodes, coupling.foresight)
        self.builds = self.decides & (built > loss)
        near = np.maximum(scarce, idle)[:, self.span] < NEARLY
        self.degenerate = int(near.sum()) + int(
            (self.decides & (np.maximum(built, loss) < NEARLY))[..., self.span].sum()
        )
        self.affine = None
        if len(size):
            market, slopes = coupling.response(self.place), coupling._slopes[self.place]
            assert slopes is not None
            cost_slope = slopes.cost_by_rent.transpose(1, 2, 0, 3)
            holders = coupling.holders[self.place]
            stocks = holders.slopes(self._seen(self.base, 0.0), point.wanted, point.additions) if holders else None
            if lessons := coupling.lessons(self.place, point):
                learned = lessons.slopes(market.jacobian)
                stocks = learned if stocks is None else stocks + learned
            self.affine = _Affine(nodes, market, cost_slope, point.mill, coupling.foresight, self.span, stocks)
            matrix = self.affine.slopes(np.where(self.builds, 1.0, -1.0)[..., self.span])
            on = self.binding.ravel()
            self.solver = np.linalg.inv(matrix[np.ix_(on, on)])

    def solved(self) -> Stage:
        """Correct the tangents until nothing is left."""
        shape = self.coupling.economy.structure
        inverse = inverses(shape, self.lane, self.vector)
        self.tangents = [self._start(pair) for pair in self.sides]
        memory = [_Memory() for _ in self.sides]
        for self.corrections in range(1, CORRECTIONS + 1):
            plans = [self._plan_change(pair, t) for pair, t in zip(self.sides, self.tangents, strict=True)]
            plan = jax.tree.map(lambda *parts: np.stack(parts, axis=1), *plans)
            _, self.seen = moved(shape, self.lane, self.vector, inverse, self._barriers_change(), plan)
            missed = [self._correction(n) for n in range(len(self.sides))]
            self.left = max((self._largest(gap, t) for gap, t in zip(missed, self.tangents, strict=True)), default=0.0)
            if self.left <= TOLERANCE:
                break
            steps = zip(self.tangents, missed, memory, strict=True)
            self.tangents = [self._unpacked(kept.next(self._packed(t), self._packed(gap))) for t, gap, kept in steps]
        return self

    def ends(self, direction: int) -> tuple[Array, Array]:
        """Change of capacities in reported periods ``[period, node]`` and of what is left after them ``[node]``."""
        economy, tangent = self.coupling.economy, self.tangents[direction]

        def at(side: _Side) -> tuple[Array, Array]:
            move = side.sign * self.half
            additions = self.point.additions + move * tangent.additions
            path = capacity_path(side.nodes, additions).T
            return path[: economy.reported], terminal_value(economy, side.nodes, additions)

        ahead, back = (at(side) for side in self.sides[direction])
        return _slope(ahead[0], back[0], self.half), _slope(ahead[1], back[1], self.half)

    def _start(self, pair: tuple[_Side, _Side]) -> _Tangent:
        """Nothing moves but what is given: additions of earlier periods and of those who do not decide."""
        given = _slope(pair[0].nodes.reference_additions, pair[1].nodes.reference_additions, self.half)
        past = np.arange(self.coupling.periods) < self.first
        additions = np.where(past | ~self.decides, given, 0.0)
        nothing, past = self.coupling.holders[self.place].none(), self.coupling.pasts[self.place].none
        return _Tangent(np.zeros(self.point.rent.shape), additions, nothing.kits, nothing.goods, nothing.relief, *past)

    def _at(self, side: _Side, tangent: _Tangent) -> tuple[Array, Array, Orders]:
        """Rents, additions and orders half a step to one side."""
        move, point = side.sign * self.half, self.point
        orders = _shifted(point.orders, tangent.orders, move)
        return point.rent + move * tangent.rent, point.additions + move * tangent.additions, orders

    def _barriers_change(self) -> Barriers:
        """Change of barriers along every direction, what the past brings in included, ``[period, direction, ...]``."""
        if not any(side.past for side in self.sides[0]):
            return self.barriers
        skill, saved = (
            np.stack([part[self.span] for part in parts], 1)
            for parts in zip(*(t[5:] for t in self.tangents), strict=True)
        )
        productivity = np.asarray(self.lane.barriers.productivity)[:, None] * skill
        return eqx.tree_at(
            lambda x: (x.productivity, x.maker_real_cost),
            self.barriers,
            (self.barriers.productivity + productivity, self.barriers.maker_real_cost - saved),
        )

    def recorded(self, n: int) -> Record:
        """Change along direction ``n`` of what has been made and bought, those periods included that another world shares."""
        quantity, shipped = (np.asarray(part)[:, n] for part in (self.seen.quantity, self.seen.shipped))
        at_home = np.einsum("tkii->tki", quantity)
        leg = legs(self.coupling.economy.structure)
        delivered = np.einsum("tl,lm,lj->tmj", shipped, leg.maker, leg.site)
        found = quantity.sum(3), quantity.sum(2) - at_home, delivered
        record = self.point.record
        before = self.before.recorded(n) if self.before else Record(*(np.zeros_like(part) for part in record))
        return Record(*(with_periods(old, self.span, new) for old, new in zip(before, found, strict=True)))

    def _plan_change(self, pair: tuple[_Side, _Side], tangent: _Tangent) -> Plan:
        """Change of what the markets take as given, ``[period, ...]``."""
        coupling = self.coupling

        def at(side: _Side) -> Plan:
            rent, additions, orders = self._at(side, tangent)
            world = replace(self.point, rent=rent, additions=additions)
            stored = side.holders.purchases(orders, additions)
            return Plan(
                rent[:, self.span].T,
                coupling.bought(world, self.years) + stored.tools[self.years],
                stored.goods[self.years],
                stored.compute[self.years],
                coupling.outlays(side.sites, world, self.years),
            )

        return jax.tree.map(lambda a, b: _slope(a, b, self.half), at(pair[0]), at(pair[1]))

    def _correction(self, n: int) -> _Tangent:
        """What is missing from the tangent along direction ``n``, by the plan's slopes."""
        coupling, tangent = self.coupling, self.tangents[n]
        seen = Observed(*(part[:, n] for part in self.seen))
        columns = coupling.columns
        tools = np.moveaxis(np.einsum("gk,tkcg->tgc", coupling.need, seen.by_class[..., columns]), 0, -1)
        record = self.recorded(n)
        sides = [self._answers(side, tangent, seen, tools) for side in self.sides[n]]
        carried = [self._carried(side, record) for side in self.sides[n]]
        brought = (_slope(ahead, back, self.half) for ahead, back in zip(*carried, strict=True))
        orders, additions, idle = (_slope_of(ahead, back, self.half) for ahead, back in zip(*sides, strict=True))
        past = np.arange(coupling.periods) < self.first
        held = past | ~self.builds
        gap = np.where(held, 0.0, additions - tangent.additions)
        follow = (a - b for a, b in zip((*orders, *brought), tangent[2:], strict=True))
        kept = _Tangent(np.zeros_like(tangent.rent), gap, *follow)
        if self.affine is None or not self.binding.any():
            return kept
        problem, scale = self.affine, self.affine.scale
        more = problem.idle(self.point.rent, problem.market.additions + gap) - problem.idle(
            self.point.rent, problem.market.additions
        )
        missing = ((idle + more)[:, self.span] / scale)[self.binding]
        rent = np.zeros_like(tangent.rent)
        rent[:, self.span][self.binding] = -self.solver @ missing
        gains = problem.gains(self.point.rent + rent) - problem.gains(self.point.rent)
        more = np.zeros_like(gap)
        more[..., self.span] = np.where(self.builds[..., self.span], gains * problem.pace, 0.0)
        return kept._replace(rent=rent, additions=gap + more)

    def _carried(self, side: _Side, change: Record) -> Carried:
        """What the past brings in half a step to one side, in periods of this stage."""
        if not side.past:
            return side.past.none
        move = side.sign * self.half
        found = side.past.carried(Record(*(a + move * b for a, b in zip(self.point.record, change, strict=True))))
        return Carried(*(np.where(_periods(self.years, part), part, 0.0) for part in found))

    def _answers(
        self, side: _Side, tangent: _Tangent, seen: Observed, tools: Array
    ) -> tuple[tuple[Array, ...], Array, Array]:
        """Orders, additions of those who build and idle capacity that the markets' answer asks for, half a step to one side."""
        coupling, point = self.coupling, self.point
        rent, additions, _ = self._at(side, tangent)
        move = side.sign * self.half
        wanted, saving = side.holders.answer(self._seen(seen, move), additions)
        cost = point.tool_cost.copy()
        cost[..., self.span] += move * tools - (saving - self.saved)[..., self.span]
        gain = (present_value(side.nodes, rent, coupling.foresight) - side.nodes.site_cost)[:, None] - cost
        asked = gain * side.nodes.class_share / side.nodes.slope[:, None]
        use = point.use.copy()
        use[:, self.span] += move * seen.use.T
        return (wanted.kits, wanted.goods, wanted.relief), asked, capacity_path(side.nodes, additions) - use

    def _seen(self, change: Observed, move: float) -> Seen:
        """What stockholders see a step along the tangent; periods that are over have prices of one."""
        names = ("by_class", "mean", "used", "compute_price", "compute")

        def whole(name: str) -> Array:
            base = getattr(self.base, name)
            out = np.ones((self.coupling.periods, *base.shape[1:]))
            out[self.span] = base + move * getattr(change, name)
            return out

        assert self.point.seen is not None
        return replace(self.point.seen, **{name: whole(name) for name in names})

    def _weights(self) -> _Tangent:
        """Units in which corrections are compared: prices, capacities, needs."""
        holders, seen = self.coupling.holders[self.place], self._seen(self.base, 0.0)
        need = np.array([np.maximum(holders._of(seen, *good)[1], 1e-300) for good in holders.goods])
        need = need.reshape(len(holders.goods), self.coupling.periods)
        kits = np.ones(self.point.orders.kits.shape[:1] + (1,) * 4)
        one = np.ones((1, 1, 1))
        return _Tangent(self.price, self.size[:, None, None], kits, need[:, None], need, one, one)

    def _largest(self, gap: _Tangent, tangent: _Tangent) -> float:
        parts = [np.abs(one / unit).max(initial=0.0) for one, unit in zip(gap, self.weights, strict=True)]
        size = [np.abs(one / unit).max(initial=0.0) for one, unit in zip(tangent, self.weights, strict=True)]
        return float(max(parts) / max(1.0, *size))

    def _packed(self, tangent: _Tangent) -> Array:
        return np.concatenate([(one / unit).ravel() for one, unit in zip(tangent, self.weights, strict=True)])

    def _unpacked(self, vector: Array) -> _Tangent:
        point, parts, first = self.point, [], 0
        shapes = (point.rent, point.additions, point.orders.kits, point.orders.goods, point.orders.relief, *point.past)
        for like, unit in zip(shapes, self.weights, strict=True):
            parts.append(vector[first : first + like.size].reshape(like.shape) * unit)
            first += like.size
        return _Tangent(*parts)


class _Memory:
    """Anderson's extrapolation of ``x + g(x)`` for a linear ``g``."""

    def __init__(self) -> None:
        self.points: list[Array] = []
        self.gaps: list[Array] = []

    def next(self, point: Array, gap: Array) -> Array:
        self.points, self.gaps = [*self.points, point][-MEMORY:], [*self.gaps, gap][-MEMORY:]
        if len(self.points) == 1:
            return point + gap
        moves = np.stack([point - old for old in self.points[:-1]], 1)
        changes = np.stack([gap - old for old in self.gaps[:-1]], 1)
        weight = np.linalg.lstsq(changes, gap, rcond=1e-12)[0]
        return point + gap - (moves + changes) @ weight


def _periods(years: np.ndarray, part: Array) -> np.ndarray:
    """Whether a period is among ``years``, along the first axis of ``part``."""
    return np.isin(np.arange(len(part)), years).reshape(-1, *[1] * (part.ndim - 1))


def _slope(ahead: Array, back: Array, half: float) -> Array:
    """Central difference; what is infinite on both sides does not move."""
    ahead, back = np.asarray(ahead, float), np.asarray(back, float)
    return np.subtract(ahead, back, out=np.zeros(ahead.shape), where=ahead != back) / (2 * half)


def _slope_of(ahead, back, half: float):
    if isinstance(ahead, tuple):
        return tuple(_slope(a, b, half) for a, b in zip(ahead, back, strict=True))
    return _slope(ahead, back, half)


def _shifted(orders: Orders, change: Orders, by: float) -> Orders:
    pairs = ((orders.kits, change.kits), (orders.goods, change.goods), (orders.relief, change.relief))
    return Orders(*(mine + by * its for mine, its in pairs))

"""Many worlds of one period: markets and builders solved together, suppliers' rents being those of the reference plan.

What worlds share is prepared once: what tools cost in the reference, and the inverse of ``I - F_x`` of the markets there and in
worlds typical of those to come, which tells how far a change of the map asks the unknowns to move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from backfill.economy.economy import Economy, Structure
from backfill.policy.wedges import Wedges
from backfill.programs import forget
from backfill.static.compiled import Seen, Shared, Solved, from_anchors, slopes, solved
from backfill.threads import single_threaded_algebra
from backfill.trade.anderson import TRUSTED
from backfill.trade.barriers import Barriers, can_buy, in_round_numbers, lanes
from backfill.trade.equilibrium import CHUNK, TOLERANCE
from backfill.trade.factors import used_in
from backfill.trade.market import NO_SWEEPS, SWEEPS, Outcome
from backfill.trade.pieces import held, in_pieces

NEAR = 12
"""Evaluations after which worlds still unsolved are put together, so that none of the others waits for them."""

FAR = 60
"""Evaluations after which a world is too far from the reference for its slopes and is solved without them."""

LAST = 400
"""Evaluations after which a world is given up."""

ANCHORS = (1, 3, 6, 18)
"""Numbers of worlds to start from for which programs are compiled; the last one stands in for those that are missing."""

UNSOLVED = "the markets have no answer"


@dataclass(frozen=True)
class StaticWorlds:
    """Solved worlds of one period, one row a world, as NumPy arrays.

    Attributes:
        seen: what was asked of each world's `Outcome`; all of it by default.
        additions: what builders of each capacity and class add.
        vector: the markets' unknowns (see `backfill.trade.state.State`).
        residual: largest change that another evaluation of the markets makes.
        steps: evaluations used.
        converged: whether the residual is within tolerance.
    """

    seen: Any
    additions: Float[np.ndarray, "world node class"]
    vector: Float[np.ndarray, "world unknown"]
    residual: Float[np.ndarray, " world"]
    steps: np.ndarray
    converged: np.ndarray

    @property
    def failures(self) -> tuple[str, ...]:
        """Why a world is not solved; empty if it is."""
        return tuple("" if fine else UNSOLVED for fine in self.converged)


def whole(structure: Structure, outcome: Outcome) -> Outcome:
    """All of an outcome."""
    return outcome


class Anchor(NamedTuple):
    """A solved world from which others start.

    Attributes:
        state: its unknowns.
        inverse: ``(I - F_x)^-1`` there.
    """

    state: Float[np.ndarray, " unknown"]
    inverse: Float[np.ndarray, "unknown unknown"]


class Start(NamedTuple):
    """Where worlds start.

    Attributes:
        nearest: place among `StaticPeriod.anchors` of the one whose slopes each follows, those of one best side by side.
        state: unknowns, as many as in `StaticPeriod.around`.
    """

    nearest: np.ndarray
    state: Float[np.ndarray, "world unknown"]


class StaticPeriod:
    """One period of an economy, ready to solve worlds in.

    Args:
        economy: the calibrated economy.
        at: place of the period in it.
        around: a few worlds typical of those to come, such as the corners of what is varied, the most typical first. Each world
            starts from the nearest of them or of the reference. Answers do not depend on them, within the tolerance.
        piece: worlds in a compiled program; fewer for those who ask for one or two at a time.
        seen: what will be seen of worlds (see `static_worlds`), so that these share its program.

    Attributes:
        around: those worlds, solved.
    """

    around: StaticWorlds

    def __init__(
        self,
        economy: Economy,
        at: int,
        around: Sequence[Wedges] = (),
        piece: int = CHUNK,
        seen: Callable[[Structure, Outcome], Any] = whole,
    ) -> None:
        self.piece = piece
        self.structure, capacity = economy.structure, economy.capacity
        given = economy.parameters, capacity.rent, capacity.additions, capacity.slope, capacity.site_cost
        parameters, rent, added, slope, site_cost = jax.tree.map(lambda x: np.asarray(x)[at], given)
        need = np.asarray(capacity.tool_need)[:, list(self.structure.tools)]
        self.shared = Shared(parameters, rent, need, added, slope, np.zeros(len(added)), site_cost)
        none = Wedges.none(self.structure.vocabulary, economy.periods[at : at + 1])
        self._like: Barriers | None = None
        self._like = walls = self.barriers([none, *around])
        neutral, walls = (jax.tree.map(lambda x, part=part: x[part], walls) for part in (slice(1), slice(1, None)))
        state = np.asarray(economy.reference_state)[at]
        self.count = len(state)
        state = np.pad(state, (0, neutral.limit_quantity.shape[1]))
        cost, inverse = self._slopes(neutral, state[None])
        self.shared = eqx.tree_at(lambda x: x.cost, self.shared, cost[0])
        self._held = held(self.shared)
        plain = Anchor(state, inverse[0])
        self.anchors = [plain] * (1 + len(around))
        self._padded: dict[int, tuple[np.ndarray, Any]] = {}
        if around:
            alike = Start(np.zeros(len(around), int), np.tile(state, (len(around), 1)))
            self.around = self.solve(walls, seen=seen, start=alike)
            _, inverse = self._slopes(walls, self.around.vector)
            found = zip(self.around.vector, inverse, self.around.converged, strict=True)
            self.anchors[1:] = [Anchor(vector, its) if fine else plain for vector, its, fine in found]
            self._padded.clear()

    def release(self) -> None:
        """Drop from memory what only preparing needs."""
        for function in (slopes, from_anchors):
            forget(function)

    def _slopes(self, barriers: Barriers, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tool cost of a unit of capacity at class 0, and the inverse of the slopes, of each world."""
        given = (barriers, self.share(barriers), vectors)
        with single_threaded_algebra():
            return in_pieces(slopes, (self.structure,), 1, given, (self.shared,))

    def barriers(self, worlds: Sequence[Wedges] | Wedges) -> Barriers:
        """The worlds' wedges in the markets' axes, with classes and columns of buyers for those around at least."""
        found = lanes(self.structure, [worlds] if isinstance(worlds, Wedges) else worlds)
        return in_round_numbers(found, self._like)

    def solve(
        self,
        worlds: Sequence[Wedges] | Wedges | Barriers,
        *,
        tolerance: float = TOLERANCE,
        seen: Callable[[Structure, Outcome], Any] = whole,
        start: Start | None = None,
    ) -> StaticWorlds:
        """Solve worlds; see `static_worlds`.

        Args:
            worlds: as there, or as `barriers` makes them.
            tolerance, seen: as there.
            start: where worlds start; None finds the nearest of `anchors` by one evaluation.
        """
        barriers = worlds if isinstance(worlds, Barriers) else self.barriers(worlds)
        count, limits = barriers.limit_quantity.shape
        share, settings = self.share(barriers), (self.structure, used_in(self.structure, barriers), Seen(seen))
        states, inverses = self._at_limits(limits)
        if start is None:
            nearest, way = self._nearest(settings[:2], barriers, share, states, inverses[min(1, len(self.anchors) - 1)])
            state, order = states[nearest], np.lexsort((way, nearest))
        else:
            nearest, order = start.nearest, np.arange(count)
            state = start.state if start.state.shape[1] == states.shape[1] else self._with_rents(start.state, limits)
        found = _Found(count)
        found.place(order, self._attempt(settings, (barriers, share, state, nearest), order, inverses, NEAR, tolerance))
        left = order[found.unsolved[order]]
        given = (barriers, share, found.points, nearest)
        found.place(left, self._attempt(settings, given, left, inverses, FAR, tolerance))
        left = np.flatnonzero(found.unsolved)
        given = (barriers, share, states[nearest], np.zeros_like(nearest))
        found.place(left, self._attempt(settings, given, left, np.eye(states.shape[1])[None], LAST, tolerance))
        return found.worlds()

    def _at_limits(self, limits: int) -> tuple[Float[np.ndarray, "anchor unknown"], Any]:
        """States of the anchors and their inverses, held on the device, as many as programs take, with so many limits."""
        if limits not in self._padded:
            states = np.array([self._with_rents(anchor.state, limits) for anchor in self.anchors])
            inverses = np.tile(np.eye(states.shape[1]), (len(states), 1, 1))
            for inverse, anchor in zip(inverses, self.anchors, strict=True):
                same = len(anchor.state) if len(anchor.state) == len(inverse) else self.count
                inverse[:same, :same] = anchor.inverse[:same, :same]
            wanted = next((size for size in ANCHORS if size >= len(states)), len(states)) - len(states)
            more = np.concatenate([inverses, np.repeat(inverses[-1:], wanted, axis=0)])
            self._padded[limits] = np.concatenate([states, np.repeat(states[-1:], wanted, axis=0)]), held(more)
        return self._padded[limits]

    def _with_rents(self, state: Float[np.ndarray, "*world unknown"], limits: int) -> Float[np.ndarray, "*world unknown"]:
        """Unknowns where there are so many limits; where there were others, rents are nothing at first, moved by the map."""
        if state.shape[-1] == self.count + limits:
            return state
        return np.concatenate([state[..., : self.count], np.zeros((*state.shape[:-1], limits))], axis=-1)

    def _attempt(
        self,
        settings: tuple,
        given: tuple[Barriers, np.ndarray, np.ndarray, np.ndarray],
        chosen: np.ndarray,
        inverses: Any,
        most: int,
        tolerance: float,
    ) -> Solved | None:
        """Solve the chosen worlds, if there are any."""
        if not len(chosen):
            return None
        if not np.array_equal(chosen, np.arange(len(given[1]))):
            given = jax.tree.map(lambda x: np.asarray(x)[chosen], given)
        trusted = TRUSTED if most == NEAR else 0.0
        shared = (self._held, inverses, np.int32(most), np.float64(tolerance), np.float64(trusted))
        settings = (*settings, SWEEPS if most == LAST else NO_SWEEPS)
        with single_threaded_algebra():
            return in_pieces(solved, settings, self.piece, given, shared)

    def _nearest(
        self, settings: tuple, barriers: Barriers, share: np.ndarray, states: np.ndarray, inverse: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Place of the anchor nearest to where one evaluation and the slopes of a typical world expect each, and how far that is.

        Pieces of worlds about as far wait for none.
        """
        if len(states) == 1 and len(share) <= self.piece:
            return np.zeros(len(share), int), np.zeros(len(share))
        with single_threaded_algebra():
            way = in_pieces(from_anchors, settings, self.piece, (barriers, share), (self._held, states, inverse))
        way = np.where(np.isnan(way), np.inf, way)
        return way.argmin(axis=1), way.min(axis=1)

    def share(self, barriers: Barriers) -> Float[np.ndarray, "world node class"]:
        """Share of each capacity's builders in a class, nothing where a tool they need cannot be had."""
        tools, need = list(self.structure.tools), self.shared.need > 0
        had = can_buy(self.structure, barriers, tools, np.asarray(self.shared.parameters.preferences.weight)[tools] > 0)
        sites = [self.structure.region(region) for _, region in self.structure.nodes]
        lacks = (need.T[None, :, None] & ~had[..., sites]).any(axis=1)
        return np.where(lacks, 0.0, barriers.builder_share).swapaxes(1, 2)


class _Found:
    """What is known of some worlds, round after round."""

    def __init__(self, count: int) -> None:
        self.unsolved, self.steps = np.ones(count, bool), np.zeros(count, int)
        self.parts: Any = None

    def place(self, places: np.ndarray, solved: Solved | None) -> None:
        """Put what was solved in the place of what was known."""
        if solved is None:
            return
        if self.parts is None and np.array_equal(places, np.arange(len(self.steps))):
            self.parts = solved
        elif self.parts is None:
            self.parts = jax.tree.map(lambda x: np.zeros((len(self.steps), *x.shape[1:]), x.dtype), solved)
        jax.tree.map(lambda mine, its: mine is its or mine.__setitem__(places, its), self.parts, solved)
        self.steps[places] += np.asarray(solved.point.steps)
        self.unsolved[places] = ~np.asarray(solved.point.converged)

    @property
    def points(self) -> np.ndarray:
        """Where each world stands."""
        return self.parts.point.point

    def worlds(self) -> StaticWorlds:
        """All of it."""
        point, seen, additions = self.parts
        return StaticWorlds(seen, additions, point.point, point.residual, self.steps, point.converged)


def static_worlds(
    economy: Economy,
    worlds: Sequence[Wedges] | Wedges,
    at: int,
    *,
    tolerance: float = TOLERANCE,
    seen: Callable[[Structure, Outcome], Any] = whole,
) -> StaticWorlds:
    """Solve worlds of one period at the rents of the reference plan.

    Capacity sells what is asked of it at the reference's rents. Builders answer what their tools cost, in the same fixed point
    as the markets: with ``I0`` and ``T0`` additions and tool cost in the reference, builders of class ``c`` add
    ``max(0, I0 + (T0 - T_c) / psi)`` times their share, nothing where a tool cannot be had. What capacity is worth later is left
    out. A world that fails is reported in its row; it never stops the others.

    Args:
        economy: the calibrated economy.
        worlds: wedges over that one period, one a world; or one `Wedges` whose leading axis is the world instead of the
            period (see `backfill.policy.wedges.stacked`), which costs no Python work a world.
        at: place of that period in the economy.
        tolerance: largest change of a logarithm that another evaluation of the markets may make.
        seen: function of a module that takes a structure and one world's outcome and returns arrays; it is compiled with the
            markets, and only what it returns leaves the program. All of the outcome by default.

    Raises:
        UnsolvedError: where every way to acquire compute is closed to some users.
    """
    return StaticPeriod(economy, at).solve(worlds, tolerance=tolerance, seen=seen)

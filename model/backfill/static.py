"""Many worlds of one period: markets and builders solved together, suppliers' rents being those of the reference plan.

What worlds share is prepared once: the reference, what tools cost there, and the inverse of ``I - F_x`` of the markets at the
reference, which tells how far a change of the map asks the unknowns to move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Economy, Parameters, Structure
from backfill.policy.wedges import Wedges
from backfill.programs import program
from backfill.threads import single_threaded_algebra
from backfill.trade import anderson
from backfill.trade.barriers import Barriers, lanes
from backfill.trade.builders import Builders, tool_cost
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import CHUNK, PATIENCE, TOLERANCE, floor
from backfill.trade.factors import Buyers, Factors, Used, buyers, factors, used_in
from backfill.trade.market import Outcome, Plan, market
from backfill.trade.pieces import in_pieces

NEAR = 14
"""Evaluations after which worlds still unsolved are put together, so that none of the others waits for them."""

FAR = 60
"""Evaluations after which a world is too far from the reference for its slopes and is solved without them."""

LAST = 400
"""Evaluations after which a world is given up."""

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


class Shared(eqx.Module):
    """What the worlds of a period have in common.

    Attributes:
        parameters: of the period.
        rent: of planned capacities, per unit of output.
        need, added, slope, cost: of builders, see `Builders`.
    """

    parameters: Parameters
    rent: Float[Array, " node"]
    need: Float[Array, "node tool"]
    added: Float[Array, " node"]
    slope: Float[Array, " node"]
    cost: Float[Array, " node"]

    def builders(self, share: Float[Array, "node class"]) -> Builders:
        """Builders by class."""
        return Builders(self.need, self.added, self.slope, self.cost, share)

    def plan(self, structure: Structure, classes: int) -> Plan:
        """Rents of the plan; what tools are bought depends on what they cost."""
        nothing = jnp.zeros((len(structure.products), classes, len(structure.regions)))
        return Plan(self.rent, nothing, nothing[:, 0], nothing[0, 0])


def whole(structure: Structure, outcome: Outcome) -> Outcome:
    """All of an outcome."""
    return outcome


@dataclass(frozen=True)
class Seen:
    """A function of a module, told apart by its name."""

    function: Callable[[Structure, Outcome], Any]

    def __repr__(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"


class StaticPeriod:
    """One period of an economy, ready to solve worlds in.

    Args:
        economy: the calibrated economy.
        at: place of the period in it.
    """

    def __init__(self, economy: Economy, at: int) -> None:
        self.structure, capacity = economy.structure, economy.capacity
        self.periods = economy.periods[at : at + 1]
        parameters, rent, added, slope = jax.tree.map(
            lambda x: np.asarray(x)[at], (economy.parameters, capacity.rent, capacity.additions, capacity.slope)
        )
        need = np.asarray(capacity.tool_need)[:, list(self.structure.tools)]
        self.state = np.asarray(economy.reference_state)[at]
        neutral = lanes(self.structure, [Wedges.none(self.structure.vocabulary, self.periods)])
        alone = jax.tree.map(lambda x: np.asarray(x)[0], neutral)
        shared = Shared(parameters, rent, need, added, slope, np.zeros(len(added)))
        with single_threaded_algebra():
            find = program(_reference, (self.structure,), shared, alone, self.state)
            cost, self.inverse = find(shared, alone, self.state)
        self.shared = eqx.tree_at(lambda x: x.cost, shared, cost)

    def barriers(self, worlds: Sequence[Wedges] | Wedges) -> Barriers:
        """The worlds' wedges in the markets' axes, classes and columns of buyers in round numbers."""
        found = lanes(self.structure, [worlds] if isinstance(worlds, Wedges) else worlds)
        return in_round_numbers(found)

    def solve(
        self,
        worlds: Sequence[Wedges] | Wedges | Barriers,
        *,
        tolerance: float = TOLERANCE,
        seen: Callable[[Structure, Outcome], Any] = whole,
    ) -> StaticWorlds:
        """Solve worlds; see `static_worlds`."""
        barriers = worlds if isinstance(worlds, Barriers) else self.barriers(worlds)
        count, limits = barriers.limit_quantity.shape
        reference = np.concatenate([self.state, np.zeros(limits)])
        plain = np.eye(len(reference))
        slopes = plain.copy()
        slopes[: len(self.state), : len(self.state)] = self.inverse
        share, settings = self._share(barriers), (self.structure, used_in(barriers), Seen(seen))
        start = np.tile(reference, (count, 1))
        found = self._attempt(settings, (barriers, share, start), slopes, NEAR, tolerance)
        steps = found.point.steps.copy()
        for inverse, most, afresh in ((slopes, FAR, False), (plain, LAST, True)):
            left = np.flatnonzero(~found.point.converged)
            if len(left):
                begin = start if afresh else found.point.point
                given = jax.tree.map(lambda x, left=left: np.asarray(x)[left], (barriers, share, begin))
                again = self._attempt(settings, given, inverse, most, tolerance)
                jax.tree.map(lambda mine, its, left=left: mine.__setitem__(left, its), found, again)
                steps[left] += again.point.steps
        point = found.point
        return StaticWorlds(found.seen, found.additions, point.point, point.residual, steps, point.converged)

    def _attempt(
        self, settings: tuple, given: tuple[Barriers, np.ndarray, np.ndarray], inverse: np.ndarray, most: int, tolerance: float
    ) -> Solved:
        with single_threaded_algebra():
            return in_pieces(
                _solve, settings, CHUNK, given, (self.shared, inverse, np.int32(most), np.float64(tolerance))
            )

    def _share(self, barriers: Barriers) -> Float[np.ndarray, "world node class"]:
        """Share of each capacity's builders in a class, nothing where a tool they need cannot be had."""
        tools, need = list(self.structure.tools), self.shared.need > 0
        sold = np.asarray(self.shared.parameters.preferences.weight)[tools] > 0
        had = ((np.asarray(barriers.open)[:, tools] > 0) & sold[:, None]).any(axis=3)
        sites = [self.structure.region(region) for _, region in self.structure.nodes]
        lacks = (need.T[None, :, None] & ~had[..., sites]).any(axis=1)
        return np.where(lacks, 0.0, barriers.builder_share).swapaxes(1, 2)


class Solved(NamedTuple):
    """What a compiled program returns of its worlds."""

    point: anderson.FixedPoint
    seen: Any
    additions: Float[Array, "lane node class"]


def _solve(
    structure: Structure,
    used: Used,
    seen: Seen,
    barriers: Barriers,
    share: Array,
    start: Array,
    shared: Shared,
    inverse: Array,
    most: Array,
    tolerance: Array,
) -> Solved:
    limits, classes = barriers.limit_quantity.shape[-1], barriers.share.shape[-2]
    plan = shared.plan(structure, classes)

    def prepare(walls: Barriers) -> tuple[Factors | None, Buyers]:
        fixed = None if used.limited_goods else factors(shared.parameters, walls, jnp.zeros(limits), used)
        return fixed, buyers(walls, plan.purchases)

    prepared = jax.vmap(prepare)(barriers)

    def one(walls: Barriers, share: Array, point: Array, fixed: Factors | None, groups: Buyers) -> tuple[Array, Outcome]:
        given = (shared.parameters, walls, plan, Tastes(), point, fixed, groups, shared.builders(share))
        return market(structure, *given)

    def evaluate(points: Array) -> Array:
        return jax.vmap(one)(barriers, share, points, *prepared)[0]

    found = anderson.solve(
        evaluate,
        start,
        floor=floor(structure, start.shape[1], limits),
        tolerance=tolerance,
        max_steps=most,
        patience=PATIENCE,
        precondition=lambda change: change @ inverse.T,
    )
    outcome = jax.vmap(one)(barriers, share, found.point, *prepared)[1]

    def told(outcome: Outcome, share: Array) -> tuple[Any, Array]:
        added = shared.builders(share).additions(structure, outcome.buying.by_class)
        return seen.function(structure, outcome), added

    return Solved(found, *jax.vmap(told)(outcome, share))


def _reference(structure: Structure, shared: Shared, neutral: Barriers, state: Array) -> tuple[Array, Array]:
    """What tools for a unit of capacity cost in the reference, and ``(I - F_x)^-1`` there."""
    share = jnp.swapaxes(neutral.builder_share, 0, 1)
    plan, used = shared.plan(structure, share.shape[1]), Used(limited_goods=False)
    walls = factors(shared.parameters, neutral, jnp.zeros(0), used)
    groups = buyers(neutral, plan.purchases)

    def again(shared: Shared, point: Array) -> tuple[Array, Outcome]:
        given = (shared.parameters, neutral, plan, Tastes(), point, walls, groups, shared.builders(share))
        return market(structure, *given)

    cost = tool_cost(structure, shared.need, again(shared, state)[1].buying.by_class)[:, 0]
    known = eqx.tree_at(lambda x: x.cost, shared, cost)
    slopes = jax.jacfwd(lambda point: again(known, point)[0])(state)
    return cost, jnp.linalg.inv(jnp.eye(len(state)) - slopes)


CLASSES, COLUMNS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32), (0, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Numbers of classes and columns of buyers for which programs are compiled."""


def in_round_numbers(barriers: Barriers) -> Barriers:
    """The same with empty classes and columns of buyers, so that batches of worlds share compiled programs."""

    def more(sizes: tuple[int, ...], count: int) -> int:
        return next((size - count for size in sizes if size >= count), 0)

    classes, columns = more(CLASSES, barriers.share.shape[2]), more(COLUMNS, barriers.slot.shape[2])

    def padded(table: Array, value: float, **axes: int) -> np.ndarray:
        widths = [(0, axes.get(f"axis_{n}", 0)) for n in range(np.ndim(table))]
        return np.pad(np.asarray(table), widths, constant_values=value)

    if not classes and not columns:
        return barriers
    return eqx.tree_at(
        lambda x: (x.open, x.share, x.builder_share, x.slot),
        barriers,
        (
            padded(barriers.open, 1.0, axis_2=classes),
            padded(barriers.share, 0.0, axis_2=classes),
            padded(barriers.builder_share, 0.0, axis_1=classes),
            padded(barriers.slot, 0.0, axis_2=columns, axis_3=classes),
        ),
    )


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

"""What is compiled of the worlds of one period: solving them, how far they are from others, and their slopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Parameters, Structure
from backfill.trade.anderson import Anderson, FixedPoint
from backfill.trade.barriers import Barriers
from backfill.trade.builders import Builders, tool_cost
from backfill.trade.buyers import Buyers, buyers
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import PATIENCE, floor
from backfill.trade.factors import Factors, Used, factors
from backfill.trade.market import NO_SWEEPS, Outcome, Plan, market

STEP = 1e-6
"""Step of an unknown in differences that stand for slopes; what follows from slopes need only be near."""


class Shared(eqx.Module):
    """What the worlds of a period have in common.

    Attributes:
        parameters: of the period.
        rent: of planned capacities, per unit of output.
        need, added, slope, cost, site_cost: of builders, see `Builders`.
    """

    parameters: Parameters
    rent: Float[Array, " node"]
    need: Float[Array, "node tool"]
    added: Float[Array, " node"]
    slope: Float[Array, " node"]
    cost: Float[Array, " node"]
    site_cost: Float[Array, " node"]

    def builders(self, share: Float[Array, "node class"]) -> Builders:
        """Builders by class."""
        return Builders(self.need, self.added, self.slope, self.cost, self.site_cost, share)

    def plan(self, structure: Structure, classes: int) -> Plan:
        """Rents of the plan; what tools are bought depends on what they cost."""
        nothing = jnp.zeros((len(structure.products), classes, len(structure.regions)))
        return Plan(self.rent, nothing, nothing[:, 0], nothing[0, 0])


@dataclass(frozen=True)
class Seen:
    """A function of a module, told apart by its name."""

    function: Callable[[Structure, Outcome], Any]

    def __repr__(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"


class Solved(NamedTuple):
    """What a compiled program returns of its worlds."""

    point: FixedPoint
    seen: Any
    additions: Float[Array, "lane node class"]


def maps(
    structure: Structure, used: Used, sweeps: int, barriers: Barriers, share: Array, shared: Shared
) -> Callable[[Array], tuple[Array, Outcome]]:
    """The markets of several worlds as a function of their unknowns, what does not change being computed once.

    Sweeps within an evaluation are for those who know no slopes.
    """
    plan = shared.plan(structure, barriers.share.shape[-2])

    def prepare(walls: Barriers) -> tuple[Factors, tuple[Buyers, ...]]:
        return factors(structure, shared.parameters, walls, used), buyers(structure, walls, plan.purchases)

    prepared = jax.vmap(prepare)(barriers)

    def one(
        walls: Barriers, share: Array, point: Array, made: Factors, groups: tuple[Buyers, ...]
    ) -> tuple[Array, Outcome]:
        given = (shared.parameters, walls, plan, Tastes(), point, made, groups, shared.builders(share), sweeps)
        return market(structure, *given)

    return lambda points: jax.vmap(one)(barriers, share, points, *prepared)


def solved(
    structure: Structure,
    used: Used,
    seen: Seen,
    sweeps: int,
    barriers: Barriers,
    share: Array,
    start: Array,
    nearest: Array,
    shared: Shared,
    inverses: Array,
    most: Array,
    tolerance: Array,
    trusted: Array,
) -> Solved:
    evaluate = maps(structure, used, sweeps, barriers, share, shared)
    inverse = inverses[nearest[len(nearest) // 2]]

    def told(outcome: Outcome, share: Array) -> tuple[Any, Array]:
        added = shared.builders(share).additions(structure, outcome.buying.by_class)
        return seen.function(structure, outcome), added

    def evaluated(points: Array) -> tuple[Array, Any]:
        values, outcome = evaluate(points)
        return values, jax.vmap(told)(outcome, share)

    search = Anderson(
        floor=floor(structure, start.shape[1], barriers.limit_quantity.shape[-1]),
        tolerance=tolerance,
        max_steps=most,
        patience=PATIENCE,
        precondition=lambda change: change @ inverse.T,
    )
    found, besides = search.solve_on_trust(evaluated, start, trusted)
    return Solved(found, *besides)


def from_anchors(
    structure: Structure, used: Used, barriers: Barriers, share: Array, shared: Shared, states: Array, inverse: Array
) -> Array:
    """Largest difference of an unknown between each anchor and where a world is expected, ``[lane, anchor]``.

    What is expected is ``x + (I - F_x)^-1 (F(x) - x)`` from the first anchor beside the reference, or from the reference where it
    is alone. Rents of limits are left out.
    """
    evaluate = maps(structure, used, NO_SWEEPS, barriers, share, shared)
    points = jnp.tile(states[min(1, len(states) - 1)], (len(share), 1))
    expected = points + (evaluate(points)[0] - points) @ inverse.T
    count = states.shape[1] - barriers.limit_quantity.shape[-1]
    return jnp.abs(expected[:, None, :count] - states[None, :, :count]).max(axis=2)


def slopes(
    structure: Structure, barriers: Barriers, share: Array, vectors: Array, shared: Shared
) -> tuple[Array, Array]:
    """What tools for a unit of capacity cost buyers of class 0, and ``(I - F_x)^-1``.

    Where the reference's tool cost is not known yet, what it is here stands for it.
    """

    def one(walls: Barriers, share: Array, vector: Array) -> tuple[Array, Array]:
        plan = shared.plan(structure, share.shape[1])
        made, groups = factors(structure, shared.parameters, walls), buyers(structure, walls, plan.purchases)

        def again(known: Shared, point: Array) -> tuple[Array, Outcome]:
            given = (known.parameters, walls, plan, Tastes(), point, made, groups, known.builders(share), NO_SWEEPS)
            return market(structure, *given)

        cost = tool_cost(structure, shared.need, again(shared, vector)[1].buying.by_class)[:, 0]
        known = eqx.tree_at(lambda x: x.cost, shared, jnp.where(shared.cost > 0, shared.cost, cost))
        every = jnp.eye(len(vector))
        values = jax.vmap(lambda point: again(known, point)[0])(jnp.concatenate([vector[None], vector + STEP * every]))
        slopes = ((values[1:] - values[0]) / STEP).T
        return cost, jnp.linalg.inv(every - slopes)

    return jax.lax.map(lambda lane: one(*lane), (barriers, share, vectors))

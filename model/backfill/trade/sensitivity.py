"""Derivatives of solved markets by the implicit function theorem, never through the iterations (section 6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from backfill.arrays import Array
from backfill.economy.economy import Structure
from backfill.trade.buyers import buyers
from backfill.trade.equilibrium import Lane
from backfill.trade.factors import Used, factors, used_in
from backfill.trade.market import NO_SWEEPS, Outcome, market, market_at, node_matrix
from backfill.trade.pieces import in_pieces
from backfill.trade.sites import Outlays, Sites
from backfill.trade.state import PRICES, Pieces, pieces, state_of

SLOPES_CHUNK, PAIRS = 4, 16
"""Lanes in a program, and the multiple of which its pairs of a capacity and a class of builders are."""


def _evaluate(structure: Structure, lane: Lane, vector: Array) -> tuple[Array, Outcome]:
    return market(structure, lane.parameters, lane.barriers, lane.plan, lane.demand, vector)


class PlanSlopes(NamedTuple):
    """How markets answer the plan, everything else adjusting.

    Attributes:
        use_by_rent: use of the first node by rent of the second.
        use_by_addition: use of the first node by additions of the second, by class of builders.
        cost_by_rent: tool cost of a unit of additions by rent of the last node.
        inverse: ``(I - F_x)^-1`` of the markets' map in single precision (see `equilibrium.solve`).
    """

    use_by_rent: Float[np.ndarray, "lane node node"]
    use_by_addition: Float[np.ndarray, "lane node node class"]
    cost_by_rent: Float[np.ndarray, "lane node class node"]
    inverse: Float[np.ndarray, "lane unknown unknown"]


class _Kits(NamedTuple):
    """Builders who buy tools: capacity and class of each pair of a lane, the last ones repeated to fill up."""

    node: Int[np.ndarray, "lane pair"]
    kind: Int[np.ndarray, "lane pair"]

    @classmethod
    def of(cls, share: Float[np.ndarray, "lane class node"], need: Float[np.ndarray, "node product"]) -> _Kits:
        """Those of classes in which somebody is, in round numbers."""
        lane, node, kind = np.nonzero((np.asarray(share) > 0).swapaxes(1, 2) & need.any(1)[:, None])
        counts = np.bincount(lane, minlength=len(share))
        most = -(-int(counts.max(initial=0)) // PAIRS) * PAIRS
        place = np.minimum(np.arange(most), np.maximum(counts[:, None] - 1, 0)) + (counts.cumsum() - counts)[:, None]
        return cls(node[place].astype(np.int32), kind[place].astype(np.int32))


def _plan_slopes(
    structure: Structure,
    bought: tuple[int, ...],
    limited: tuple[int, ...],
    lanes: Lane,
    kits: _Kits,
    outlays: Outlays | None,
    vectors: Array,
    need: Array,
) -> tuple:
    rows, columns = (jnp.array(x) for x in node_matrix(structure))
    nodes = len(structure.nodes)

    def one(lane: Lane, kits: _Kits, outlays: Outlays | None, vector: Array) -> tuple[Array, Array, Array, Array]:
        unknowns = vector.shape[0]
        walls = lane.walls
        if walls is None:
            walls = factors(structure, lane.parameters, lane.barriers, Used(limited=limited))
        groups = buyers(structure, lane.barriers, lane.plan.purchases)
        tools = {}
        for n in bought:
            column = groups[n].columns.column[:, kits.kind, columns[kits.node]]
            at = column[:, :, None] == jnp.arange(groups[n].purchases.shape[1])
            tools[n] = (need[kits.node][:, structure.ranges[n]].T[:, :, None] * at).swapaxes(0, 1)

        def answer(cut: Pieces, rent: Array, more: Array) -> tuple[Array, Array, Array]:
            buying = list(groups)
            for n in bought:
                buying[n] = groups[n]._replace(purchases=groups[n].purchases + jnp.tensordot(more, tools[n], 1))
            plan = eqx.tree_at(lambda plan: plan.rent, lane.plan, rent)
            if outlays is not None:
                paid = jax.tree.map(lambda base, part: base + jnp.tensordot(more, part, 1), plan.outlays, outlays)
                plan = eqx.tree_at(lambda plan: plan.outlays, plan, paid)
            given = (lane.parameters, lane.barriers, plan, lane.demand, state_of(structure, cut), walls, tuple(buying))
            new, outcome = market_at(structure, NO_SWEEPS, *given)
            paid = (jnp.tensordot(tools[n], outcome.buying.composites[n].by_column, 2) for n in bought)
            return new, outcome.output[rows, columns], sum(paid, jnp.zeros(len(kits.node)))

        at, nothing = pieces(structure, vector), jnp.zeros(len(kits.node))
        prices = {name: part for name, part in at._asdict().items() if name in PRICES}
        quantities = {name: part for name, part in at._asdict().items() if name not in PRICES}
        first = jax.jacfwd(lambda cut, rent: answer(at._replace(**cut), rent, nothing), (0, 1))(prices, lane.plan.rent)
        then = jax.jacfwd(lambda cut, more: answer(at._replace(**cut), lane.plan.rent, more), (0, 1))(quantities, nothing)
        new, use, cost = (
            (jnp.concatenate([{**mine[0], **its[0]}[name] for name in Pieces._fields], axis=1), mine[1], its[1])
            for mine, its in zip(first, then, strict=True)
        )
        inverse = jnp.linalg.inv(jnp.eye(unknowns) - new[0])
        moved = inverse @ jnp.concatenate(new[1:], axis=1)
        use = jnp.concatenate(use[1:], axis=1) + use[0] @ moved
        return (
            use[:, :nodes],
            use[:, nodes:],
            cost[1] + cost[0] @ moved[:, :nodes],
            inverse.astype(jnp.float32),
        )

    return jax.lax.map(lambda parts: one(*parts), (lanes, kits, outlays, vectors))


def plan_slopes(
    structure: Structure,
    lanes: Lane,
    vectors: Float[np.ndarray, "lane unknown"],
    need: Float[np.ndarray, "node product"],
    sites: Sites | None = None,
    additions: Float[np.ndarray, "lane node class"] | None = None,
) -> PlanSlopes:
    """Exact response of use and tool costs to rents and additions: ``dy = y_z + y_x (I - F_x)^-1 F_z``.

    What moves no price is differentiated apart from what does: it leaves most of a market where it is. Classes of builders in
    which nobody is have slopes of zero.

    Args:
        need: tool composites per unit of capacity added.
        sites, additions: what additions cost beside tools, and those at these solutions, of lanes whose plan has outlays.
    """
    kits = _Kits.of(np.asarray(lanes.barriers.builder_share), need)
    bought = tuple(n for n, rows in enumerate(structure.ranges) if need[:, rows].any())
    settings = (structure, bought, used_in(structure, lanes.barriers).limited)
    extra = None if sites is None or additions is None else sites.marginal(structure, need, additions, *kits)
    given = (lanes, kits, extra, vectors)
    by_rent, by_addition, cost, inverse = in_pieces(_plan_slopes, settings, SLOPES_CHUNK, given, (need,))
    nodes, classes = len(structure.nodes), lanes.plan.purchases.shape[2]
    use = np.zeros((len(vectors), nodes, nodes, classes))
    slope = np.zeros((len(vectors), nodes, classes, nodes))
    lane = np.arange(len(vectors))[:, None]
    use[lane, :, kits.node, kits.kind] = by_addition.swapaxes(1, 2)
    slope[lane, kits.node, kits.kind] = cost
    return PlanSlopes(by_rent, use, slope, inverse)


def use_jacobian(
    structure: Structure, lanes: Lane, vectors: Float[np.ndarray, "lane unknown"]
) -> Float[np.ndarray, "lane node node"]:
    """Response of the use of each capacity (rows) to each rent (columns), additions held; see `plan_slopes`."""
    need = np.zeros((len(structure.nodes), len(structure.products)))
    return plan_slopes(structure, lanes, vectors, need).use_by_rent


def gradient(
    structure: Structure,
    lane: Lane,
    vector: Float[np.ndarray, " unknown"],
    objective: Callable[[Outcome], Array],
) -> Lane:
    """Gradient of ``objective(outcome)`` at the solution with respect to everything the market takes as given.

    One adjoint system ``(I - F_x)' a = objective_x`` serves every parameter, wedge and limit at once. It is compiled, and kept in
    memory, for each ``objective``: pass the same function again.

    Returns:
        A `Lane` whose leaves hold the derivatives.
    """
    with jax.enable_x64(True):
        return _gradient(structure, objective, *jax.tree.map(jnp.asarray, (lane, vector)))


@partial(jax.jit, static_argnums=(0, 1))
def _gradient(structure: Structure, objective: Callable[[Outcome], Array], lane: Lane, vector: Array) -> Lane:
    inner = jax.jacfwd(lambda x: _evaluate(structure, lane, x)[0])(vector)
    direct, slope = jax.grad(lambda lane, x: objective(_evaluate(structure, lane, x)[1]), (0, 1))(lane, vector)
    adjoint = jnp.linalg.solve((jnp.eye(len(vector)) - inner).T, slope)
    _, pull = jax.vjp(lambda lane: _evaluate(structure, lane, vector)[0], lane)
    return jax.tree.map(jnp.add, direct, pull(adjoint)[0])

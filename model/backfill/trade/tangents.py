"""Solved markets along directions: what they answer when wedges and plans move a little (section 6).

At a solution ``x = F(x, z)`` of a market a direction ``dz`` of what it takes as given moves its unknowns by
``dx = (I - F_x)^-1 F_z dz`` and what is observed of it by ``dy = y_x dx + y_z dz``, all exact.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Structure
from backfill.trade.barriers import Barriers
from backfill.trade.buyers import Buyers, buyers
from backfill.trade.equilibrium import Lane
from backfill.trade.factors import Factors, Used, factors, used_in
from backfill.trade.market import Outcome, Plan, market, node_matrix
from backfill.trade.pieces import in_pieces

CHUNK = 4


class Observed(NamedTuple):
    """What suppliers, stockholders and measures of effect see of a market.

    Attributes:
        use, price: of planned capacities and their products at the mill.
        by_class, mean, used, compute_price, compute: what stockholders see.
        leaf, shipped: units acquired and shipped on each leaf, thousand H100e.
        maker_mill: mill price of each accelerator line.
        quantity, mill: Armington flows, and mill prices.
        income: items of `backfill.trade.income.Income`, in its order.
        index, absorption: price index and value of final absorption.
    """

    use: Float[Array, "*lane node"]
    price: Float[Array, "*lane node"]
    by_class: Float[Array, "*lane product class region"]
    mean: Float[Array, "*lane product region"]
    used: Float[Array, "*lane product region"]
    compute_price: Float[Array, "*lane region"]
    compute: Float[Array, "*lane region"]
    leaf: Float[Array, "*lane leaf"]
    shipped: Float[Array, "*lane leaf"]
    maker_mill: Float[Array, "*lane maker"]
    quantity: Float[Array, "*lane product origin destination"]
    mill: Float[Array, "*lane product origin"]
    income: Float[Array, "*lane item region"]
    index: Float[Array, "*lane region"]
    absorption: Float[Array, "*lane region"]


def observed(structure: Structure, outcome: Outcome) -> Observed:
    """What is observed of an outcome, of one market or stacked over lanes."""
    rows, columns = (np.array(x, int) for x in node_matrix(structure))
    buying = outcome.buying
    xp = np if isinstance(outcome.output, np.ndarray) else jnp
    return Observed(
        use=outcome.output[..., rows, columns],
        price=buying.mill[..., rows, columns],
        by_class=buying.by_class,
        mean=buying.mean,
        used=outcome.used,
        compute_price=outcome.compute_value,
        compute=outcome.absorption.compute,
        leaf=outcome.leaf,
        shipped=outcome.handling.shipped,
        maker_mill=outcome.delivered.mill,
        quantity=outcome.flows.quantity,
        mill=buying.mill,
        income=xp.stack(list(outcome.income), axis=-2),
        index=outcome.absorption.index,
        absorption=outcome.state.absorption,
    )


def _prepared(
    structure: Structure, lane: Lane, barriers: Barriers, plan: Plan, limited: tuple[int, ...]
) -> tuple[Factors, tuple[Buyers, ...]]:
    walls = factors(structure, lane.parameters, barriers, Used(limited=limited))
    return walls, buyers(structure, barriers, plan.purchases)


def _inverses(structure: Structure, limited: tuple[int, ...], lanes: Lane, vectors: Array) -> Array:
    def one(lane: Lane, vector: Array) -> Array:
        prepared = _prepared(structure, lane, lane.barriers, lane.plan, limited)

        def again(x: Array) -> Array:
            return market(structure, lane.parameters, lane.barriers, lane.plan, lane.demand, x, *prepared)[0]

        return jnp.linalg.inv(jnp.eye(vector.shape[0]) - jax.jacfwd(again)(vector))

    return jax.lax.map(lambda pair: one(*pair), (lanes, vectors))


def inverses(
    structure: Structure, lanes: Lane, vectors: Float[np.ndarray, "lane unknown"]
) -> Float[np.ndarray, "lane unknown unknown"]:
    """``(I - F_x)^-1`` of every lane at its solution."""
    return in_pieces(_inverses, (structure, used_in(structure, lanes.barriers).limited), CHUNK, (lanes, vectors))


def _moved(
    structure: Structure,
    limited: tuple[int, ...],
    lanes: Lane,
    vectors: Array,
    inverse: Array,
    barriers: Barriers,
    plan: Plan,
) -> tuple[Array, Observed]:
    def one(lane: Lane, vector: Array, inverse: Array, barriers: Barriers, plan: Plan) -> tuple[Array, Observed]:
        def evaluated(walls: Barriers, plans: Plan, x: Array) -> tuple[Array, Observed]:
            prepared = _prepared(structure, lane, walls, plans, limited)
            new, outcome = market(structure, lane.parameters, walls, plans, lane.demand, x, *prepared)
            return new, observed(structure, outcome)

        _, linear = jax.linearize(evaluated, lane.barriers, lane.plan, vector)

        def along(walls: Barriers, plans: Plan) -> tuple[Array, Observed]:
            unknowns = inverse @ linear(walls, plans, jnp.zeros_like(vector))[0]
            return unknowns, linear(walls, plans, unknowns)[1]

        return jax.vmap(along)(barriers, plan)

    return jax.lax.map(lambda parts: one(*parts), (lanes, vectors, inverse, barriers, plan))


def moved(
    structure: Structure,
    lanes: Lane,
    vectors: Float[np.ndarray, "lane unknown"],
    inverse: Float[np.ndarray, "lane unknown unknown"],
    barriers: Barriers,
    plan: Plan,
) -> tuple[Float[np.ndarray, "lane direction unknown"], Observed]:
    """Change of the unknowns and of what is observed along directions, everything else adjusting.

    Args:
        lanes, vectors: solved markets.
        inverse: see `inverses`.
        barriers, plan: directions ``[lane, direction, ...]``; what cannot move (open routes, whose limits) is zero.
    """
    settings = (structure, used_in(structure, lanes.barriers).limited)
    return in_pieces(_moved, settings, CHUNK, (lanes, vectors, inverse, barriers, plan))

"""Costs and prices: technology in each region, Armington composites in each destination (sections 3 and 4)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Production, Structure
from backfill.trade.barriers import Barriers


class Buying(NamedTuple):
    """Prices a destination pays for composites.

    Attributes:
        mill: mill price of each origin, ``[product, region]``.
        spread: ``sum_i W_i p_i^(1-sigma)`` of each class, ``[product, class, region]``.
        by_class: composite price of each class of buyers.
        mean: composite price over classes, ``(sum_c share_c P_c^(1-zeta))^(1/(1-zeta))``.
        cost: unit cost before margin and rent, ``[product, region]``.
    """

    mill: Float[Array, "product region"]
    spread: Float[Array, "product class region"]
    by_class: Float[Array, "product class region"]
    mean: Float[Array, "product region"]
    cost: Float[Array, "product region"]


def route_multiple(
    tariff: Array, levy: Array, real_cost: Array, exporter_rent: Array | float = 0.0, importer_rent: Array | float = 0.0
) -> Array:
    """Buyer price over mill price: ``((1+x) + delta)(1+rho_e)(1+t) + rho_m``.

    Levy ``x`` and real cost ``delta`` are shares of the FOB value, the tariff ``t`` of the CIF value; rents of limits are
    shares of the mill price, on the exporter's (``rho_e``) or the importer's side (``rho_m``).
    """
    return (1 + levy + real_cost) * (1 + exporter_rent) * (1 + tariff) + importer_rent


def armington(
    mill: Float[Array, "product region"],
    weight: Float[Array, "product class origin destination"],
    share: Float[Array, "product class destination"],
    sigma: Float[Array, " product"],
    rivalry: Float[Array, ""] | float,
) -> tuple[Array, Array, Array]:
    """Composite prices ``P_c = (sum_i W_ci p_i^(1-sigma))^(1/(1-sigma))`` and their mean over buyer classes.

    Covered and uncovered buyers compete for the same customers: ``P = (sum_c share_c P_c^(1-zeta))^(1/(1-zeta))`` with
    rivalry ``zeta``; at zero each class keeps its share of the composite.

    A class without any source gets a price that chokes its demand; whether that can happen is checked before solving.
    """
    power = jnp.exp((1 - sigma)[:, None] * jnp.log(mill))
    spread = (weight * power[:, None, :, None]).sum(2)
    closed = spread <= 0
    safe = jnp.where(closed, 1.0, spread)
    by_class = jnp.where(closed, CHOKE, jnp.exp(jnp.log(safe) / (1 - sigma)[:, None, None]))
    power = (share * jnp.exp((1 - rivalry) * jnp.log(by_class))).sum(1)
    return jnp.where(closed, jnp.inf, spread), by_class, jnp.exp(jnp.log(power) / (1 - rivalry))


CHOKE = 1e3


def core_cost(
    production: Production, wage: Float[Array, " region"], composite: Float[Array, "product region"], core: int
) -> tuple[Array, Array]:
    """CES unit cost of core goods relative to the benchmark, and the labour quantity per unit.

    ``c = (beta_0 w^(1-eps) + sum_s beta_s P_s^(1-eps))^(1/(1-eps))``.
    """
    exponent = (1 - production.elasticity)[:, None]
    power = jnp.exp(exponent[:, :, None] * jnp.log(composite)[None])
    labour = production.labour[:core] * jnp.exp(exponent * jnp.log(wage))
    total = labour + (jnp.swapaxes(production.inputs[:, :core], 0, 1) * power).sum(1)
    return jnp.exp(jnp.log(total) / exponent), power


def stack_prices(
    structure: Structure,
    production: Production,
    barriers: Barriers,
    weight: Float[Array, "product class origin destination"],
    sigma: Float[Array, " product"],
    rivalry: Float[Array, ""],
    wage: Float[Array, " region"],
    core_mill: Float[Array, "core region"],
    rent: Float[Array, "product region"],
) -> Buying:
    """Prices of every product given wages and core mill prices, suppliers before users.

    The stack's inputs are acyclic once core prices are known, so each level needs one pass and no iteration.
    """
    n = structure.core
    spread, by_class, mean = armington(core_mill, weight[:n], barriers.share[:n], sigma[:n], rivalry)
    mills, spreads, classes, means, costs = [core_mill], [spread], [by_class], [mean], []
    known = mean
    for first, last in structure.levels:
        inputs = production.inputs[:first, first:last]
        cost = production.labour[first:last] * wage + (inputs * known[:, None, :]).sum(0)
        mill = (
            production.cost[first:last] * cost / production.productivity[first:last]
            + production.margin[first:last] * wage
            + rent[first:last]
        )
        spread, by_class, mean = armington(
            mill, weight[first:last], barriers.share[first:last], sigma[first:last], rivalry
        )
        mills.append(mill)
        spreads.append(spread)
        classes.append(by_class)
        means.append(mean)
        costs.append(cost)
        known = jnp.concatenate([known, mean])
    core, _ = core_cost(production, wage, known, n)
    return Buying(
        jnp.concatenate(mills),
        jnp.concatenate(spreads),
        jnp.concatenate(classes),
        known,
        jnp.concatenate([core, *costs]),
    )

"""Costs and prices: technology in each region, Armington composites for each column of buyers (sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Production, Structure
from backfill.trade.buyers import Buyers
from backfill.trade.factors import Tables
from backfill.trade.logs import log

CHOKE = 1e3
"""Price of a composite to buyers without any source: it chokes what they buy."""


class Composites(NamedTuple):
    """Prices of a range of composites, the choice among buyers, and what choosing costs.

    Attributes:
        power: ``p_i^(1-sigma)`` of each origin.
        unit: price of a column's composite over ``sum_i W_i p_i^(1-sigma)``: spending per unit and unit of weight; zero
            where nothing can be bought.
        by_column: composite price of each column of buyers.
        chosen: share of each column in its region's use.
        mean: price of a unit of use, ``Pi``.
        adapting: ``Pi`` less the mean price paid: cost of adapting, per unit of use.
    """

    power: Float[Array, "product origin"]
    unit: Float[Array, "product column"]
    by_column: Float[Array, "product column"]
    chosen: Float[Array, "product column"]
    mean: Float[Array, "product region"]
    adapting: Float[Array, "product region"]


class Buying(NamedTuple):
    """Prices of every product.

    Attributes:
        mill: mill prices.
        mean: price of a unit of use.
        by_class: composite prices by class of buyers.
        cost: unit cost before margin and rent.
        composites: by range of products.
    """

    mill: Float[Array, "product region"]
    mean: Float[Array, "product region"]
    by_class: Float[Array, "product class region"]
    cost: Float[Array, "product region"]
    composites: tuple[Composites, ...]


def composites(
    mill: Float[Array, "product region"],
    value: Float[Array, "product origin column"],
    buyers: Buyers,
    sigma: Float[Array, " product"],
    slope: Float[Array, "product region"],
    services: Float[Array, " region"] | None = None,
) -> Composites:
    """Armington composites ``P_b = (sum_i W_bi p_i^(1-sigma))^(1/(1-sigma))`` and a logit among a region's buyers.

    Covered and uncovered buyers serve the same customers, and who serves whom conserves units:
    ``Pi = P_0 - (P_s/eta) ln sum_b share_b exp(-eta (P_b - P_0)/P_s)``, ``X_b = X share_b exp(...) / sum``, with
    ``Pi X = sum_b P_b X_b + z`` and the cost ``z`` of adapting bought as services (section 4). At ``eta = 0`` shares are fixed.

    Args:
        slope: ``eta``, substitution among buyers over the reference price in units of services.
        services: price ``P_s`` of services; the first column of the last product given if None.
    """
    columns, regions = buyers.columns, mill.shape[1]
    exponent = (1 - sigma)[:, None]
    power = jnp.exp(exponent * log(mill))
    spread = jnp.einsum("kib,ki->kb", value, power)
    closed = spread <= 0
    safe = jnp.where(closed, 1.0, spread)
    by_column = jnp.where(closed, CHOKE, jnp.exp(log(safe) / exponent))
    unit = jnp.where(closed, 0.0, by_column / safe)
    first = by_column[:, :regions]
    if value.shape[2] == regions:
        return Composites(power, unit, by_column, jnp.ones_like(first), first, jnp.zeros_like(first))
    services = first[-1] if services is None else services
    pace = slope / services
    further = by_column[:, regions:] - columns.of_home(first)
    gap = columns.of_home(pace) * further
    share = buyers.share[:, regions:]
    some = buyers.share[:, :regions] > 0
    dearer = columns.least_at_home(jax.lax.stop_gradient(jnp.where(share > 0, gap, jnp.inf)))
    least = jnp.where(some | jnp.isinf(dearer), 0.0, dearer)
    weighted = share * jnp.exp(columns.of_home(least) - gap)
    total = buyers.share[:, :regions] + columns.at_home(weighted)
    chosen = jnp.concatenate([buyers.share[:, :regions] / total, weighted / columns.of_home(total)], axis=1)
    paid = first + columns.at_home(chosen[:, regions:] * further)
    safe_pace = jnp.where(slope > 0, pace, 1.0)
    mean = jnp.where(slope > 0, first + (least - log(total)) / safe_pace, paid)
    return Composites(power, unit, by_column, chosen, mean, mean - paid)


def core_cost(
    structure: Structure,
    production: Production,
    wage: Float[Array, " region"],
    composite: Float[Array, "product region"],
) -> tuple[Array, Array]:
    """Unit cost of core goods relative to the benchmark, and the cost weight of each input.

    ``c = (beta_0 w^(1-eps) + sum_s beta_s P_s^(1-eps))^(1/(1-eps))``; Cobb-Douglas where ``structure`` says so. The
    quantity of an input per unit of cost is its weight times ``c^eps / P_s``.
    """
    core = structure.core
    inputs = jnp.swapaxes(production.inputs[:, :core], 0, 1)
    if structure.cobb_douglas:
        logs = production.labour[:core] * log(wage) + jnp.einsum("ksr,sr->kr", inputs, log(composite))
        return jnp.exp(logs), inputs
    exponent = (1 - production.elasticity)[:, None]
    power = jnp.exp(exponent[:, :, None] * log(composite)[None])
    weight = inputs * power
    total = production.labour[:core] * jnp.exp(exponent * log(wage)) + weight.sum(1)
    return jnp.exp(log(total) / exponent), weight


def stack_prices(
    structure: Structure,
    production: Production,
    tables: Sequence[Tables],
    buyers: Sequence[Buyers],
    sigma: Float[Array, " product"],
    slope: Float[Array, "product region"],
    wage: Float[Array, " region"],
    core_mill: Float[Array, "core region"],
    rent: Float[Array, "product region"],
) -> tuple[Buying, Float[Array, "core product region"]]:
    """Prices of every product given wages and core mill prices, suppliers before users; and core inputs' cost weights.

    The stack's inputs are acyclic once core prices are known, so each level needs one pass and no iteration.

    Args:
        tables, buyers: by range of products.
    """
    regions = len(structure.regions)
    services = structure.products.index("services") if "services" in structure.products else None

    def level(mill: Array, value: Array, group: Buyers, rows: slice, of_services: Array | None) -> Composites:
        return composites(mill, value, group, sigma[rows], slope[rows], of_services)

    core = structure.ranges[0]
    of_services = None
    if services is not None and any(table.value.shape[2] > regions for table in tables):
        row = slice(services, services + 1)
        mine = jax.tree.map(lambda part: part[row], buyers[0])
        of_services = level(core_mill[row], tables[0].value[row], mine, row, jnp.ones(regions)).by_column[0, :regions]
    mills, costs = [core_mill], []
    parts = [level(core_mill, tables[0].value, buyers[0], core, of_services)]
    known = parts[0].mean
    for rows, table, group in zip(structure.ranges[1:], tables[1:], buyers[1:], strict=True):
        inputs = production.inputs[: rows.start, rows]
        cost = production.labour[rows] * wage + jnp.einsum("skr,sr->kr", inputs, known)
        mills.append(
            production.cost[rows] * cost / production.productivity[rows] + production.margin[rows] * wage + rent[rows]
        )
        parts.append(level(mills[-1], table.value, group, rows, of_services))
        costs.append(cost)
        known = jnp.concatenate([known, parts[-1].mean])
    relative, weight = core_cost(structure, production, wage, known)
    by_class = [group.columns.by_class(part.by_column) for group, part in zip(buyers, parts, strict=True)]
    cost = jnp.concatenate([relative, *costs])
    return Buying(jnp.concatenate(mills), known, jnp.concatenate(by_class), cost, tuple(parts)), weight

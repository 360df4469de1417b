"""Prices and uses of accelerators on their way to users: mill, site, direct, diverted, remote (sections 3 and 8)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import CLOUD, DIVERSION, Accelerators, Diversion, Structure
from backfill.trade.logs import log

SURE = 0.95
"""Largest probability of detection."""


class Legs(NamedTuple):
    """Where each leaf starts, is delivered and ends, as one-hot matrices over leaves."""

    maker: np.ndarray
    site: np.ndarray
    user: np.ndarray
    hub: np.ndarray
    diverted: np.ndarray
    remote: np.ndarray
    lawful_at_hub: np.ndarray
    origin: np.ndarray
    place: tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=16)
def legs(structure: Structure) -> Legs:
    """Matrices that sum leaves by maker, site, user and hub."""
    n, regions = len(structure.leaves), len(structure.regions)
    maker, site, user = np.zeros((n, len(structure.makers))), np.zeros((n, regions)), np.zeros((n, regions))
    hub, lawful = np.zeros((n, len(structure.hubs))), np.zeros((n, len(structure.hubs)))
    diverted, remote = np.zeros(n), np.zeros(n)
    for row, leaf in enumerate(structure.leaves):
        maker[row, leaf.maker] = site[row, leaf.site] = user[row, leaf.user] = 1
        diverted[row], remote[row] = leaf.channel == DIVERSION, leaf.channel == CLOUD
        if leaf.site in structure.hubs:
            (hub if diverted[row] else lawful)[row, structure.hubs.index(leaf.site)] = 1
    origin = np.zeros((len(structure.makers), regions))
    for row, (_, region) in enumerate(structure.makers):
        origin[row, structure.region(region)] = 1
    place = np.array([(leaf.maker, leaf.site) for leaf in structure.leaves], int).reshape(-1, 2)
    return Legs(maker, site, user, hub, diverted, remote, lawful, origin, (place[:, 0], place[:, 1]))


class Delivered(NamedTuple):
    """Prices of accelerators (million USD per thousand H100e).

    Attributes:
        mill: mill price by line.
        site: buyer price by line and place of delivery.
        leaf: price to the user of each leaf.
        at_site: site price underlying each leaf.
        seizure: detection probability of each leaf (zero unless diverted).
        congestion: ``y^nu`` at the hub of each leaf.
    """

    mill: Float[Array, " maker"]
    site: Float[Array, "maker destination"]
    leaf: Float[Array, " leaf"]
    at_site: Float[Array, " leaf"]
    seizure: Float[Array, " leaf"]
    congestion: Float[Array, " leaf"]


def deliver(
    structure: Structure,
    accelerators: Accelerators,
    diversion: Diversion,
    composite: Float[Array, "product region"],
    goods_mill: Float[Array, "product region"],
    wage: Float[Array, " region"],
    multiple: Float[Array, "maker destination"],
    congestion: Float[Array, " hub"],
    enforcement: Float[Array, " hub"],
    detection: Float[Array, "maker hub"],
) -> Delivered:
    """Mill price ``p = bill P + home_bill p_home + l w + m w``; diverted units pay their hub's premium, remote ones a mark-up.

    ``premium = P_hub (mu0 + mu1 y^nu) + pi/(1-pi) P_hub (1 + F)``, ``pi = min(.95, 1 - (1 - pi0 budget^e)(1 - d))`` with
    ``d`` what other checks find: each finds among what the others let through.
    """
    leg = legs(structure)
    wages = leg.origin @ wage
    bought = accelerators.bill * (composite @ leg.origin.T) + accelerators.home_bill * (goods_mill @ leg.origin.T)
    mill = bought.sum(0) + (accelerators.labour + accelerators.margin) * wages
    site = mill[:, None] * multiple
    at_site = site[leg.place]
    power = jnp.exp(diversion.convexity * log(jnp.maximum(congestion, 1e-300)))
    budgeted = jnp.minimum(SURE, diversion.seizure * enforcement**diversion.budget_elasticity)
    found = jnp.minimum(SURE, 1 - (1 - budgeted) * (1 - detection))
    leaf_power, leaf_pi = leg.hub @ power, (leg.hub * (leg.maker @ found)).sum(1)
    premium = diversion.fixed_cost + diversion.slope * leaf_power + leaf_pi / (1 - leaf_pi) * (1 + diversion.fine)
    leaf = at_site * (1 + leg.diverted * premium + leg.remote * diversion.cloud_margin)
    return Delivered(mill, site, leaf, at_site, leaf_pi, leaf_power)


class Handling(NamedTuple):
    """What moving accelerators pays to whom.

    Attributes:
        shipped: units shipped on each leaf, seizures included.
        deliveries: units by line and place of delivery.
        congestion: diverted over lawful flow of each hub.
        services: services bought in each region (hub costs, remote mark-up), at current value.
        hub_rents: by region.
        fines: by region of the enforcing treasury (the designer's).
        premium: value of the premium paid on each leaf.
    """

    shipped: Float[Array, " leaf"]
    deliveries: Float[Array, "maker destination"]
    congestion: Float[Array, " hub"]
    services: Float[Array, " region"]
    hub_rents: Float[Array, " region"]
    fines: Float[Array, " region"]
    premium: Float[Array, " leaf"]


def handle(structure: Structure, diversion: Diversion, prices: Delivered, units: Float[Array, " leaf"]) -> Handling:
    """Account for units acquired by leaf (section 8): real cost ``mu0 + mu1 y^nu/(1+nu)``, rent, fines, seizures."""
    leg = legs(structure)
    shipped = units / (1 - leg.diverted * prices.seizure)
    deliveries = leg.maker.T @ (shipped[:, None] * leg.site)
    diverted = units * leg.diverted
    congestion = leg.hub.T @ diverted / (leg.lawful_at_hub.T @ units + diversion.scale)
    value = diverted * prices.at_site
    slope = diversion.slope * prices.congestion
    cost = value * (diversion.fixed_cost + slope / (1 + diversion.convexity))
    rent = value * slope * diversion.convexity / (1 + diversion.convexity)
    fine = value * prices.seizure / (1 - prices.seizure) * diversion.fine
    markup = units * leg.remote * prices.at_site * diversion.cloud_margin
    return Handling(
        shipped,
        deliveries,
        congestion,
        leg.site.T @ (cost + markup),
        leg.site.T @ rent,
        leg.origin.T @ (leg.maker.T @ fine),
        units * prices.leaf - shipped * prices.at_site,
    )

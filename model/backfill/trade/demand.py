"""Final absorption and demand for compute (section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Accelerators, Parameters, Preferences, Structure
from backfill.trade.acquisition import acquire, branch, tree
from backfill.trade.barriers import Barriers
from backfill.trade.logs import log


class Flows(NamedTuple):
    """Flows of Armington goods: value at buyer's prices, and quantity in the origin's units."""

    value: Float[Array, "product origin destination"]
    quantity: Float[Array, "product origin destination"]


class Absorption(NamedTuple):
    """Final absorption: its price index, the quantity of each composite, and units of compute."""

    index: Float[Array, " region"]
    goods: Float[Array, "product region"]
    compute: Float[Array, " region"]


def goods_bundle(
    structure: Structure, preferences: Preferences, composite: Float[Array, "product region"]
) -> tuple[Array, Array]:
    """Price of the bundle of final goods and the quantity of each composite in a unit of it (CES)."""
    if structure.cobb_douglas:
        index = jnp.exp((preferences.final * log(composite)).sum(0))
        return index, preferences.final * index / composite
    exponent = 1 - preferences.final_elasticity
    power = preferences.final * jnp.exp(exponent * log(composite))
    total = power.sum(0)
    index = jnp.exp(log(total) / exponent)
    return index, power / total * index / composite


def absorb_goods(spending: Array, bundle: Array, unit: Array) -> Absorption:
    """Absorption of goods alone, in economies where nobody uses compute."""
    return Absorption(bundle, unit * (spending / bundle), jnp.zeros_like(bundle))


@runtime_checkable
class ComputeDemand(Protocol):
    """How users' demand for compute is determined: by tastes, or given when the economy is calibrated."""

    def acquire(
        self, structure: Structure, accelerators: Accelerators, leaf_value: Array, barriers: Barriers
    ) -> tuple[Array, Callable[[Array], Array]]:
        """Mean real price of a unit by user, and units by user -> quantity by leaf."""
        ...

    def absorb(self, preferences: Preferences, spending: Array, bundle: Array, unit: Array, price: Array) -> Absorption:
        """Split absorption between compute at ``price`` and the bundle of goods at ``bundle``."""
        ...


class Tastes(eqx.Module):
    """Demand from tastes: CES between compute services and goods, the logit nest below it.

    ``P_U^(1-eps) = P_G^(1-eps) + a P_C^(1-eps)``. Covered and uncovered users (shares ``phi``) form one more logit nest,
    ``Pi = -(1/eta) ln sum_g phi_g exp(-eta Pi_g)``: who can still buy serves customers of who cannot.
    """

    def acquire(
        self, structure: Structure, accelerators: Accelerators, leaf_value: Array, barriers: Barriers
    ) -> tuple[Array, Callable[[Array], Array]]:
        chosen = acquire(structure, accelerators, leaf_value, barriers.leaf_open)
        nest = tree(structure)
        owner = nest.tier @ nest.family @ nest.ownership @ nest.user
        weighted = barriers.user_share * jnp.exp(-accelerators.rivalry_slope * (chosen.value - chosen.value[0]))
        total = weighted.sum(0)

        def by_leaf(units: Array) -> Array:
            return ((weighted / total * units) @ owner.T * chosen.share).sum(0)

        slope = jnp.where(accelerators.rivalry_slope > 0, accelerators.rivalry_slope, 1.0)
        pooled = chosen.value[0] - log(total) / slope
        return jnp.where(accelerators.rivalry_slope > 0, pooled, (barriers.user_share * chosen.value).sum(0)), by_leaf

    def absorb(self, preferences: Preferences, spending: Array, bundle: Array, unit: Array, price: Array) -> Absorption:
        exponent = 1 - preferences.compute_elasticity
        goods = jnp.exp(exponent * log(bundle))
        compute = preferences.compute_taste * jnp.exp(exponent * log(price))
        total = goods + compute
        share = compute / total
        return Absorption(
            jnp.exp(log(total) / exponent), unit * ((1 - share) * spending / bundle), share * spending / price
        )


class GivenQuantities(eqx.Module):
    """Demand fixed at reference quantities by tier; only the route within a tier responds (calibration).

    Attributes:
        tier: units by tier of the nest.
        reference: 1 for leaves used in the reference, 0 for latent ones.
        mean: shares of reference leaves in their tier, ``[leaf, tier]``.
        user: one-hot user of each tier.
        sigma_route, sigma_tier, sigma_family, sigma_remote, sigma_coverage: substitution among routes of a line, lines of
            a family, families, owned or remote compute, and covered or uncovered users.
    """

    tier: Float[Array, "*period tier"]
    reference: Float[Array, "*period leaf"]
    mean: Float[Array, "*period leaf tier"]
    user: Float[Array, "*period tier region"]
    sigma_route: Float[Array, "*period"]
    sigma_tier: Float[Array, "*period"]
    sigma_family: Float[Array, "*period"]
    sigma_remote: Float[Array, "*period"]
    sigma_coverage: Float[Array, "*period"]

    def routes(
        self, accelerators: Accelerators, leaf_value: Array, shape: np.ndarray
    ) -> tuple[Array, Array, Array, Array]:
        """Value of each tier, share of each leaf, log weight of each leaf, slope of each tier.

        Reference leaves get ``ln b = ln s0 + eta (v - mean)``, latent ones keep their weight, with ``eta = sigma / mean``.
        """
        mean = leaf_value @ self.mean
        slope = self.sigma_route / jnp.where(mean > 0, mean, 1.0)
        weight = accelerators.route_weight + self.reference * (shape @ slope) * (leaf_value - shape @ mean)
        value, share = branch(leaf_value[None], weight, slope, shape)
        return value[0], share[0], weight, slope

    def acquire(
        self, structure: Structure, accelerators: Accelerators, leaf_value: Array, barriers: Barriers
    ) -> tuple[Array, Callable[[Array], Array]]:
        shape = tree(structure)
        value, share, _, _ = self.routes(accelerators, leaf_value, shape.tier)
        total = self.tier @ self.user
        mean = jnp.where(total > 0, (self.tier * value) @ self.user / jnp.where(total > 0, total, 1.0), 1.0)
        return mean, lambda units: share * (shape.tier @ self.tier)

    def absorb(self, preferences: Preferences, spending: Array, bundle: Array, unit: Array, price: Array) -> Absorption:
        units = self.tier @ self.user
        return Absorption(bundle, unit * ((spending - price * units) / bundle), units)

    def tastes(self, structure: Structure, parameters: Parameters, leaf_value: Array) -> Accelerators:
        """Weights and slopes of the whole nest that reproduce the given quantities at these prices.

        At every level ``eta = sigma / mean`` and ``ln b = ln s0 + eta (v - mean)``, so that the composite's value is the mean
        and volumes are as given.
        """
        shape = tree(structure)
        accelerators = parameters.accelerators
        value, _, route_weight, route_slope = self.routes(accelerators, leaf_value, shape.tier)
        quantity = self.tier
        levels = []
        for parents, sigma in (
            (shape.family, self.sigma_tier),
            (shape.ownership, self.sigma_family),
            (shape.user, self.sigma_remote),
        ):
            total = quantity @ parents
            within = parents @ total
            share = quantity / jnp.where(within > 0, within, 1.0)
            mean = (share * value) @ parents
            slope = sigma / jnp.where(mean > 0, mean, 1.0)
            levels.append((jnp.log(share) + (parents @ slope) * (value - parents @ mean), slope))
            quantity, value = total, mean
        (tier, tier_slope), (family, family_slope), (ownership, ownership_slope) = levels
        rivalry_slope = self.sigma_coverage / jnp.where(value > 0, value, 1.0)
        return Accelerators(
            bill=accelerators.bill,
            home_bill=accelerators.home_bill,
            labour=accelerators.labour,
            margin=accelerators.margin,
            tariff=accelerators.tariff,
            route_weight=route_weight,
            tier_weight=tier,
            family_weight=family,
            ownership_weight=ownership,
            route_slope=route_slope,
            tier_slope=tier_slope,
            family_slope=family_slope,
            ownership_slope=ownership_slope,
            rivalry_slope=rivalry_slope,
        )

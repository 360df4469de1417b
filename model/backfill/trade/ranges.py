"""A range of products once their prices are known: what buyers spend, what origins sell, who pays duties (section 4)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.trade.buyers import Buyers
from backfill.trade.factors import Tables
from backfill.trade.prices import Composites


class Traded(NamedTuple):
    """A range of products once the buyers' needs are known.

    Attributes:
        weight: ``F``, spending of a column of buyers per unit of weight.
        output: units that origins sell.
        services: real trade costs by origin and costs of adapting by destination, at current value.
        tariff_revenue, levy_revenue: by region.
    """

    weight: Float[Array, "product column"]
    output: Float[Array, "product region"]
    services: Float[Array, " region"]
    tariff_revenue: Float[Array, " region"]
    levy_revenue: Float[Array, " region"]


class Range(NamedTuple):
    """A range of products once their prices are known."""

    mill: Float[Array, "product region"]
    prices: Composites
    table: Tables
    buyers: Buyers

    def weight(self, bought: Float[Array, "product region"]) -> Float[Array, "product column"]:
        """``F = P_b X_b / sum_i W_i p_i^(1-sigma)``: what each column spends per unit of weight."""
        quantity = self.prices.chosen * jnp.concatenate([bought, self.buyers.columns.of_home(bought)], axis=1)
        return self.prices.unit * (quantity + self.buyers.purchases)

    def output(self, weight: Float[Array, "product column"]) -> Float[Array, "product region"]:
        """Units sold by each origin, ``p^(-sigma) sum_b (W/mu)_b F_b``."""
        return self.prices.power / self.mill * jnp.einsum("kib,kb->ki", self.table.quantity, weight)

    def traded(self, bought: Float[Array, "product region"]) -> Traded:
        """Sales, public revenue and services."""
        weight, power = self.weight(bought), self.prices.power
        paid = weight * jnp.einsum("kib,ki->kb", self.table.tariff, power)

        def at_origin(share: Array | None) -> Array:
            if share is None:
                return jnp.zeros(bought.shape[1])
            return (power * jnp.einsum("kib,kb->ki", share, weight)).sum(0)

        services = at_origin(self.table.real_cost) + (self.prices.adapting * bought).sum(0)
        tariff, levy = self.at_home(paid).sum(0), at_origin(self.table.levy)
        return Traded(weight, self.output(weight), services, tariff, levy)

    def at_home(self, amounts: Float[Array, "product column"]) -> Float[Array, "product region"]:
        """Sums of columns' amounts by region."""
        regions = self.mill.shape[1]
        return amounts[:, :regions] + self.buyers.columns.at_home(amounts[:, regions:])

    def by_region(
        self, table: Float[Array, "product origin column"], weight: Float[Array, "product column"]
    ) -> Float[Array, "product origin destination"]:
        """A table's flows by origin and destination."""
        spent, regions = table * weight[:, None], self.mill.shape[1]
        further = jnp.einsum("kis,ksj->kij", spent[:, :, regions:], self.buyers.columns.is_home.astype(spent.dtype))
        return (spent[:, :, :regions] + further) * self.prices.power[:, :, None]

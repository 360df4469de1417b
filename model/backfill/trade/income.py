"""Incomes and outlays of the regions (section 4, "Income")."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Endowment, Structure


class Income(NamedTuple):
    """Incomes and outlays of each region, million USD."""

    labour: Float[Array, " region"]
    profits: Float[Array, " region"]
    capacity_rents: Float[Array, " region"]
    limit_rents: Float[Array, " region"]
    tariff_revenue: Float[Array, " region"]
    levy_revenue: Float[Array, " region"]
    fines: Float[Array, " region"]
    hub_rents: Float[Array, " region"]
    deficit: Float[Array, " region"]
    outlay: Float[Array, " region"]
    investment: Float[Array, " region"]

    def absorption(self) -> Float[Array, " region"]:
        """What is left for final absorption: all incomes and the deficit, less public outlays on policy and investment."""
        return sum(self[:-2], start=-self.investment - self.outlay)

    def own(self) -> Float[Array, "*lane region"]:
        """All incomes but the deficit."""
        return sum(self[1:-3], start=self.labour)


def closed(income: Income, endowment: Endowment) -> Income:
    """Incomes with the deficits that close the world.

    With ``Y`` own incomes and ``L`` labour, deficits are ``D_j = d_j sum L``, or where expenditure follows income, with
    ``r_j`` its ratio to income on the reference path and one factor for the world,

        D_j = r_j Y_j sum(Y) / sum(r Y) - Y_j

    Both sum to zero. The numeraire is world labour income, so that the first stay what they are whatever the policy.
    """
    if not endowment.ratio.shape[-1]:
        return income._replace(deficit=endowment.deficit * endowment.labour.sum())
    own = income.own()
    spent = endowment.ratio * own
    return income._replace(deficit=spent * (own.sum() / spent.sum()) - own)


def owner_matrix(structure: Structure) -> Float[Array, "node region"]:
    """One-hot matrix from planned capacities to the regions that receive their rents."""
    owner = jnp.array([structure.region(code) for code in structure.owners], int)
    return jnp.eye(len(structure.regions))[owner]

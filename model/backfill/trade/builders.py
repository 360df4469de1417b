"""Builders of capacity in one period of the reference plan: they answer what their tools cost (section 7)."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import Structure
from backfill.trade.buyers import Buyers
from backfill.trade.sites import Outlays, Sites


class Builders(eqx.Module):
    """What builders would do at the reference's tool costs, and how they depart from it.

    Attributes:
        need: tool composites per unit of capacity added, ``[node, tool]``.
        added: additions in the reference.
        slope: rise of the marginal cost per unit added, ``psi``.
        cost: tool cost of a unit in the reference.
        site_cost: cost of a unit beside tools and haste.
        share: share of a capacity's builders in each class; zero in classes that cannot have every tool they need.
    """

    need: Float[Array, "*lane node tool"]
    added: Float[Array, "*lane node"]
    slope: Float[Array, "*lane node"]
    cost: Float[Array, "*lane node"]
    site_cost: Float[Array, "*lane node"]
    share: Float[Array, "*lane node class"]

    def additions(
        self, structure: Structure, by_class: Float[Array, "product class region"]
    ) -> Float[Array, "node class"]:
        """``max(0, I0 + (T0 - T_c) / psi)`` times the share of class ``c``; nothing where the reference adds nothing."""
        paid = tool_cost(structure, self.need, by_class)
        wanted = self.added[:, None] + (self.cost[:, None] - paid) / self.slope[:, None]
        return jnp.where(self.added[:, None] > 0, jnp.maximum(wanted, 0.0), 0.0) * self.share

    def purchases(
        self, structure: Structure, additions: Float[Array, "node class"], buyers: Sequence[Buyers]
    ) -> tuple[Buyers, ...]:
        """The buyers with tool composites that the additions take."""
        at = np.eye(len(structure.regions))[_sites(structure)]
        bought = jnp.einsum("gk,gc,gj->kcj", self.need, additions, at)
        found = []
        for rows, group in zip(structure.ranges, buyers, strict=True):
            mine = [n for n, tool in enumerate(structure.tools) if rows.start <= tool < rows.stop]
            if mine:
                tools = np.array([structure.tools[n] - rows.start for n in mine])
                columns = jax.tree.map(lambda part, tools=tools: part[tools], group.columns)
                more = columns.by_column(bought[np.array(mine)])
                group = group._replace(purchases=group.purchases.at[tools].add(more))
            found.append(group)
        return tuple(found)

    def outlays(self, structure: Structure, additions: Float[Array, "node class"]) -> Outlays:
        """What the additions cost beside tools."""
        need = jnp.zeros((len(self.added), len(structure.products))).at[:, np.array(structure.tools, int)].set(self.need)
        sites = Sites(self.site_cost, self.slope, jnp.zeros_like(self.slope), self.share)
        return sites.outlays(structure, need, additions)


def tool_cost(
    structure: Structure, need: Float[Array, "node tool"], by_class: Float[Array, "product class region"]
) -> Float[Array, "node class"]:
    """What the tools for a unit of each capacity cost each class of builders."""
    return jnp.einsum("gk,kcg->gc", need, by_class[np.array(structure.tools, int)][..., _sites(structure)])


def _sites(structure: Structure) -> np.ndarray:
    """Region of each planned capacity."""
    return np.array([structure.region(region) for _, region in structure.nodes], int)

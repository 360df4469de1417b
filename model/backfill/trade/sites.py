"""What additions to capacity cost beside tools, what of it is bought, and who pays (section 4, "Income")."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from backfill.arrays import Array
from backfill.economy.economy import Structure


class Outlays(NamedTuple):
    """Outlays on additions beside tools, million USD, and tools that builders from elsewhere buy.

    Attributes:
        bought: spent on services by owners, at home.
        paid: the same and public transfers to owners, by who pays.
        abroad: tool composites bought for capacities whose owner is of another region, in the order of `abroad`.
    """

    bought: Float[Array, "*lane region"]
    paid: Float[Array, "*lane region"]
    abroad: Float[Array, "*lane foreign product class"]


class Sites(eqx.Module):
    """Builders' costs beside tools.

    The marginal cost of site and haste of class ``c`` is ``m_c(x) = b + psi x / s_c``. What is positive of it is resources,
    what is negative the treasury of the site gives to the owner, and a subsidy ``sigma`` a unit too:

        bought = sum_c int_0^I_c max(0, m_c(x)) dx,        paid by owners = sum_c int_0^I_c (m_c(x) - sigma) dx

    Attributes:
        site_cost: ``b`` of the calibrated economy, million USD per unit.
        slope: ``psi``.
        subsidy: ``sigma``, million USD per unit.
        share: ``s_c``, share of a capacity's builders in each class.
    """

    site_cost: Float[Array, "*lane node"]
    slope: Float[Array, "*lane node"]
    subsidy: Float[Array, "*lane node"]
    share: Float[Array, "*lane node class"]

    def at(self, periods: Array) -> Sites:
        """The costs of some lanes."""
        return Sites(self.site_cost[periods], self.slope[periods], self.subsidy[periods], self.share[periods])

    def outlays(
        self, structure: Structure, need: Float[Array, "node product"], additions: Float[Array, "*lane node class"]
    ) -> Outlays:
        """What additions cost; ``need`` are tool composites per unit of capacity added."""
        xp = np if isinstance(additions, np.ndarray) else jnp
        base = self.site_cost[..., None]
        steep = self.slope[..., None] / xp.where(self.share > 0, self.share, 1.0)
        marginal = base + steep * additions
        resources = (xp.maximum(marginal, 0.0) ** 2 - xp.maximum(base, 0.0) ** 2) / (2 * steep)
        private = (base - self.subsidy[..., None] + steep * additions / 2) * additions
        return _outlays(structure, need, resources.sum(-1), private.sum(-1), additions)

    def marginal(
        self,
        structure: Structure,
        need: Float[np.ndarray, "node product"],
        additions: Float[np.ndarray, "lane node class"],
        nodes: Int[np.ndarray, "lane pair"],
        classes: Int[np.ndarray, "lane pair"],
    ) -> Outlays:
        """What another unit that a class of builders adds at a node costs at given additions, ``[lane, pair, ...]``."""
        lanes, pairs = np.indices(nodes.shape)
        share = np.where(self.share > 0, self.share, 1.0)
        rise = self.site_cost[..., None] + self.slope[..., None] / share * additions
        rise, given = rise[lanes, nodes, classes], self.subsidy[lanes, nodes]
        one = np.zeros((*nodes.shape, *additions.shape[1:]))
        one[lanes, pairs, nodes, classes] = 1.0
        apart = one.sum(-1)
        resources, private = (part[..., None] * apart for part in (np.maximum(rise, 0.0), rise - given))
        return _outlays(structure, need, resources, private, one)


def _outlays(structure: Structure, need: Array, resources: Array, private: Array, additions: Array) -> Outlays:
    """Outlays by region, from resources and owners' outlays by node."""
    regions, places = np.eye(len(structure.regions)), np.array(abroad(structure), int)
    at = np.array([structure.region(region) for _, region in structure.nodes], int)
    owner = np.array([structure.region(region) for region in structure.owners], int)
    sites, owners = regions[at], regions[owner]
    tools = need[places][:, :, None] * additions[..., places, None, :]
    return Outlays(resources @ owners, private @ owners + (resources - private) @ sites, tools)


def abroad(structure: Structure) -> tuple[int, ...]:
    """Capacities whose owner is of another region than their site."""
    pairs = zip(structure.nodes, structure.owners, strict=True)
    return tuple(n for n, ((_, region), owner) in enumerate(pairs) if region != owner)


def tools_abroad(
    structure: Structure, bought: Float[Array, "foreign product class"], by_class: Float[Array, "product class region"]
) -> Float[Array, " region"]:
    """What owners pay for tools of capacities elsewhere, less what is paid for others' at home, which sums to zero."""
    regions, places, tools = np.eye(len(structure.regions)), abroad(structure), np.array(structure.tools, int)
    site = np.array([structure.region(structure.nodes[n][1]) for n in places], int)
    owner = np.array([structure.region(structure.owners[n]) for n in places], int)
    value = (bought[:, tools].transpose(1, 2, 0) * by_class[tools][:, :, site]).sum((0, 1))
    return value @ (regions[owner] - regions[site])

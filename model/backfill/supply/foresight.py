"""What builders expect of rents: perfect foresight, the reference and today's surprise, or no decision at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from backfill.supply.nodes import Array, Nodes, present_value_matrix

PERSISTENCE = 0.7
"""Share of today's surprise that myopic builders expect to last a year: half of it for two years (assumed)."""


class Foresight(Protocol):
    """How builders value a unit of capacity."""

    @property
    def builds(self) -> bool:
        """Whether additions are decided; otherwise they stay at ``nodes.reference_additions``."""
        ...

    @property
    def looks_ahead(self) -> bool:
        """Whether decisions depend on what is expected of later periods."""
        ...

    @property
    def damping(self) -> float:
        """Curvature added to the program unless told otherwise, as a semi-elasticity of use to rent."""
        ...

    def valuation(self, nodes: Nodes) -> Array:
        """Value expected in ``t`` of a unit of capacity decided on then, per unit of rent in ``s``: ``[node, t, s]``."""
        ...

    def anchored(self, nodes: Nodes, reference_rent: Array) -> Nodes:
        """The capacities as they look to builders who expect something of the reference's rents ``[node, period]``."""
        ...

    def dual_valuation(self, nodes: Nodes) -> Array:
        """The part of `valuation` that mirrors capacity, ``beta^(s-t) survival``: it may enter the convex program.

        The rest is evaluated at the round's rents; at the solution there is no difference.
        """
        ...


@dataclass(frozen=True)
class Perfect:
    """Builders know every rent, and expect the last for ever after."""

    builds: bool = True
    looks_ahead: bool = True
    damping: float = 0.01

    def valuation(self, nodes: Nodes) -> Array:
        """``PV_t = sum_{s > t + lag} beta^(s-t) (1-delta)^(s-t-lag-1) r_s``, `present_value_matrix`."""
        return present_value_matrix(nodes.lag, nodes.depreciation, nodes.discount, nodes.periods, nodes.terminal, nodes.wear)

    def dual_valuation(self, nodes: Nodes) -> Array:
        """`valuation` of the additions that come to serve before the end."""
        serves = np.arange(nodes.periods)[None, :] + nodes.lag[:, None] < nodes.periods - 1
        return self.valuation(nodes) * serves[:, :, None]

    def anchored(self, nodes: Nodes, reference_rent: Array) -> Nodes:
        """The capacities themselves."""
        del reference_rent
        return nodes


@dataclass(frozen=True)
class Myopic:
    """Builders foresee the reference and no policy: they expect today's surprise to fade.

    ``E_t r_s = r*_s + rho^(s-t) (r_t - r*_t)`` with ``r*`` the reference's rents, so that the reference is the same as with
    perfect foresight. If surprises lasted for ever (``rho = 1``) builders would ignore what they are building already,
    and capacity would swing ever more widely.

    Attributes:
        persistence: ``rho`` per period, assumed.
    """

    persistence: float = PERSISTENCE
    builds: bool = True
    looks_ahead: bool = False
    damping: float = 0.1

    def valuation(self, nodes: Nodes) -> Array:
        """``PV_t = (beta rho)^(1+lag) / (1 - beta rho (1-delta)) (r_t - r*_t)``; what is expected of ``r*`` is in `anchored`."""
        pace = nodes.discount * self.persistence
        kept = (1 - nodes.depreciation[:, None]) * (1 - nodes.wear)
        factor = pace ** (1.0 + nodes.lag)[:, None] / (1 - pace * kept)
        return factor[:, :, None] * np.eye(nodes.periods)

    def dual_valuation(self, nodes: Nodes) -> Array:
        """Nothing: today's rent does not pay for later capacity."""
        return np.zeros((len(nodes.names), nodes.periods, nodes.periods))

    def anchored(self, nodes: Nodes, reference_rent: Array) -> Nodes:
        """Site costs less what the reference's rents ``[node, period]`` will pay, and plus what `valuation` counts twice."""
        ahead = np.einsum("gts,gs->gt", Perfect().valuation(nodes) - self.valuation(nodes), reference_rent)
        return replace(nodes, site_cost=nodes.site_cost - ahead)


@dataclass(frozen=True)
class Fixed:
    """Nobody decides: additions stay at the reference, only rents adjust."""

    builds: bool = False
    looks_ahead: bool = False
    damping: float = 0.01

    def valuation(self, nodes: Nodes) -> Array:
        """What perfect foresight would say, for the record."""
        return Perfect().valuation(nodes)

    def dual_valuation(self, nodes: Nodes) -> Array:
        """Nothing: additions do not answer rents."""
        return np.zeros((len(nodes.names), nodes.periods, nodes.periods))

    def anchored(self, nodes: Nodes, reference_rent: Array) -> Nodes:
        """The capacities themselves."""
        del reference_rent
        return nodes


KINDS = ("perfect", "myopic", "fixed")


def foresight_named(name: str, years: float = 1.0) -> Foresight:
    """The foresight called ``"perfect"``, ``"myopic"`` or ``"fixed"``.

    Args:
        name: one of these.
        years: length of a period.

    Raises:
        ValueError: for any other name.
    """
    if name not in KINDS:
        raise ValueError(f"foresight is {name!r}; it must be one of {', '.join(KINDS)}")
    return {"perfect": Perfect(), "myopic": Myopic(PERSISTENCE**years), "fixed": Fixed()}[name]


def decided(nodes: Nodes, foresight: Foresight) -> np.ndarray:
    """``[node, class, period]`` whether builders decide on this addition."""
    return nodes.decided if foresight.builds else np.zeros_like(nodes.open)


def present_value(nodes: Nodes, rent: Array, foresight: Foresight | None = None) -> Array:
    """Expected worth ``PV[node, period]`` of a unit of capacity decided on, million USD, at rents ``[node, period]``."""
    return np.einsum("gts,gs->gt", (foresight or Perfect()).valuation(nodes), rent)


def additions_at(nodes: Nodes, rent: Array, tool_cost: Array, foresight: Foresight | None = None) -> Array:
    """Additions that builders decide on, ``I = max(0, PV - b - tools) share / psi``, ``[node, class, period]``.

    Args:
        nodes: the capacities.
        rent: ``[node, period]``.
        tool_cost: ``[node, class, period]`` at these rents.
        foresight: perfect if absent.
    """
    foresight = foresight or Perfect()
    gain = (present_value(nodes, rent, foresight) - nodes.site_cost)[:, None, :] - tool_cost
    wanted = np.maximum(gain, 0.0) * nodes.class_share / nodes.slope[:, None, :]
    return np.where(decided(nodes, foresight), wanted, nodes.reference_additions)

"""What builders expect of rents: perfect foresight, today's rents for ever, or no decision at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backfill.supply.nodes import Array, Nodes, present_value_matrix


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
        return present_value_matrix(nodes.lag, nodes.depreciation, nodes.discount, nodes.periods, nodes.terminal)

    def dual_valuation(self, nodes: Nodes) -> Array:
        """`valuation` of the additions that come to serve before the end."""
        serves = np.arange(nodes.periods)[None, :] + nodes.lag[:, None] < nodes.periods - 1
        return self.valuation(nodes) * serves[:, :, None]


@dataclass(frozen=True)
class Myopic:
    """Builders expect today's rent for ever, and so overbuild, and then do not: rounds need more damping."""

    builds: bool = True
    looks_ahead: bool = False
    damping: float = 0.1

    def valuation(self, nodes: Nodes) -> Array:
        """``PV_t = beta^(1+lag) r_t / (1 - beta (1-delta))``."""
        factor = nodes.discount ** (1.0 + nodes.lag) * nodes.terminal
        return factor[:, None, None] * np.eye(nodes.periods)

    def dual_valuation(self, nodes: Nodes) -> Array:
        """Nothing: today's rent does not pay for later capacity."""
        return np.zeros((len(nodes.names), nodes.periods, nodes.periods))


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


KINDS: dict[str, Foresight] = {"perfect": Perfect(), "myopic": Myopic(), "fixed": Fixed()}


def foresight_named(name: str) -> Foresight:
    """The foresight called ``"perfect"``, ``"myopic"`` or ``"fixed"``.

    Raises:
        ValueError: for any other name.
    """
    if name not in KINDS:
        raise ValueError(f"foresight is {name!r}; it must be one of {', '.join(KINDS)}")
    return KINDS[name]


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

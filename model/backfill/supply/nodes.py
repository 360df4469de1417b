"""Capacities that somebody plans: their stock-flow facts, and what the markets answer at given rents.

A node is one product in one region, ``g``; ``t`` and ``s`` are periods, ``c`` classes of buyers of tools. Axis names in
docstrings: ``[node, class, period]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """What does not change between rounds. Capacity is measured in million USD a period at base-year mill prices.

    Attributes:
        names: (product, region) of each node.
        owners: region to which each node's rents belong.
        inherited: ``[node, period]`` capacity that remains if nobody decides to add any and nothing wears faster.
        depreciation: ``[node]`` share lost per period.
        lag: ``[node]`` additions decided in ``t`` serve from ``t + 1 + lag``.
        site_cost: ``[node, period]`` cost ``b`` of a unit of capacity apart from tools, million USD per unit.
        slope: ``[node, period]`` rise ``psi > 0`` of the unit cost per unit added, all classes together.
        weights: ``[period]`` discount factors, geometric.
        terminal: ``[node]`` multiplies the last period's weight, ``1 / (1 - beta (1 - delta))``.
        class_share: ``[node, class, period]`` share of the node's builders in each class.
        open: ``[node, class, period]`` whether builders of this class decide on additions; where not (a gate is shut,
            or the addition is given) they add ``reference_additions``.
        reference_additions: ``[node, class, period]`` additions where they are given; zero unless stated.
        wear: ``[node, period]`` share of what is at work in a period lost on top of depreciation by its end; zero unless stated.
    """

    names: tuple[tuple[str, str], ...]
    owners: tuple[str, ...]
    inherited: Array
    depreciation: Array
    lag: NDArray[np.integer]
    site_cost: Array
    slope: Array
    weights: Array
    terminal: Array
    class_share: Array
    open: NDArray[np.bool_]
    reference_additions: Array = field(default_factory=lambda: np.zeros(0))
    wear: Array = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if self.reference_additions.size == 0:
            object.__setattr__(self, "reference_additions", np.zeros(self.class_share.shape))
        nodes, classes, periods = self.class_share.shape
        if self.wear.size == 0:
            object.__setattr__(self, "wear", np.zeros((nodes, periods)))
        expected = {
            "inherited": (nodes, periods),
            "depreciation": (nodes,),
            "lag": (nodes,),
            "site_cost": (nodes, periods),
            "slope": (nodes, periods),
            "weights": (periods,),
            "terminal": (nodes,),
            "open": (nodes, classes, periods),
            "reference_additions": (nodes, classes, periods),
            "wear": (nodes, periods),
        }
        wrong = [
            f"{name} has shape {getattr(self, name).shape}, not {shape}"
            for name, shape in expected.items()
            if getattr(self, name).shape != shape
        ]
        if len(self.names) != nodes or len(self.owners) != nodes:
            wrong.append(f"{len(self.names)} names and {len(self.owners)} owners for {nodes} nodes")
        if wrong:
            raise ValueError("nodes do not fit together: " + "; ".join(wrong))
        if nodes and periods < 2:
            raise ValueError("a plan needs at least two periods")
        if not np.all(self.slope > 0):
            late = [self.names[g] for g in np.flatnonzero((self.slope <= 0).any(1))]
            raise ValueError(f"slope must be positive (a flat cost leaves additions undetermined): {late}")
        if not np.allclose(self.weights[1:], self.weights[:-1] * self.discount, rtol=1e-9):
            raise ValueError("weights must be geometric: one discount factor for every period")
        if np.any((self.wear < 0) | (self.wear >= 1)):
            raise ValueError("wear must lie in [0, 1)")
        if np.any(self.inherited < 0) or np.any((self.depreciation < 0) | (self.depreciation >= 1)):
            raise ValueError("inherited capacity must not be negative and depreciation must lie in [0, 1)")

    @property
    def discount(self) -> float:
        """Discount factor per period."""
        return float(self.weights[1] / self.weights[0]) if self.periods > 1 else 1.0

    @property
    def periods(self) -> int:
        """Number of periods, extension included."""
        return len(self.weights)

    @property
    def rent_weights(self) -> Array:
        """``W[node, period]``: discount factors, the last one times ``terminal``."""
        weights = np.tile(self.weights, (len(self.names), 1))
        weights[:, -1] *= self.terminal
        return weights

    @property
    def survival(self) -> Array:
        """Share of an addition of ``t`` at work in ``s``, `survival`: ``[node, t, s]``."""
        return survival(self.lag, self.depreciation, self.periods, self.wear)

    @property
    def remaining(self) -> Array:
        """``[node, period]``: inherited capacity after faster wear."""
        return self.inherited * worn(self.wear)

    @property
    def decided(self) -> NDArray[np.bool_]:
        """``[node, class, period]`` whether there are builders of this class who decide."""
        return self.open & (self.class_share > 0)


@dataclass(frozen=True)
class MarketResponse:
    """What the markets answer at one point, and its slopes.

    Attributes:
        rent: ``[node, period]`` rents given to the markets, million USD per unit of use.
        use: ``[node, period]`` use of capacity at these rents and additions.
        jacobian: ``[period, node, node]`` change of use of the first node by rent of the second, additions unchanged.
        additions: ``[node, class, period]`` additions at which ``use`` was computed.
        tool_cost: ``[node, class, period]`` tools bought per unit of capacity added, million USD.
        tool_use: ``[node, class, period, node]`` use of the last node by a unit of additions; by Shephard's lemma also
            the change of ``tool_cost`` by the last node's rent.
    """

    rent: Array
    use: Array
    jacobian: Array
    additions: Array
    tool_cost: Array
    tool_use: Array


def worn(wear: Array) -> Array:
    """What faster wear leaves at the beginning of each period of something there from the first, ``prod_{u<s} (1 - w_u)``."""
    return np.cumprod(np.concatenate([np.ones((len(wear), 1)), 1 - wear[:, :-1]], axis=1), axis=1, dtype=np.float64)


def survival(lag: NDArray[np.integer], depreciation: Array, periods: int, wear: Array | None = None) -> Array:
    """Share of an addition of ``t`` at work in ``s``: ``(1-delta)^(s-t-lag-1)`` if ``s > t + lag``, ``[node, t, s]``.

    With wear ``w`` also times ``prod (1 - w_u)`` over the periods ``t + lag + 1 <= u < s`` in which it was at work.
    """
    t = np.arange(periods)
    age = t[None, None, :] - t[None, :, None] - np.asarray(lag)[:, None, None] - 1
    left = np.where(age >= 0, (1 - np.asarray(depreciation)[:, None, None]) ** np.maximum(age, 0), 0.0)
    if wear is None or not wear.any():
        return left
    kept = worn(wear)
    first = np.minimum(t[None, :] + np.asarray(lag)[:, None] + 1, periods - 1)
    return left * kept[:, None, :] / np.take_along_axis(kept, first, 1)[:, :, None]


def present_value_matrix(
    lag: NDArray[np.integer],
    depreciation: Array,
    discount: float,
    periods: int,
    terminal: Array | None = None,
    wear: Array | None = None,
) -> Array:
    """What a unit of capacity decided on in ``t`` earns, per unit of rent in ``s``: ``[node, t, s]``.

    ``PV_t = sum_{s > t + lag} beta^(s-t) (1-delta)^(s-t-lag-1) r_s`` with the last rent paid for ever, hence ``terminal =
    1 / (1 - beta (1-delta))`` times the last weight. Additions too late to serve in any solved period earn the last
    rent from ``t + 1 + lag`` on, by the same formula: without it nobody would replace anything, or need tools, at the end.

    Args:
        lag: ``[node]``.
        depreciation: ``[node]`` per period.
        discount: factor per period.
        periods: number of periods.
        terminal: ``[node]`` weight of the last period; the formula above if absent.
        wear: ``[node, period]``, see `survival`.
    """
    depreciation = np.asarray(depreciation, float)
    if terminal is None:
        terminal = 1 / (1 - discount * (1 - depreciation))
    t = np.arange(periods)
    matrix = survival(lag, depreciation, periods, wear) * discount ** (t[None, :] - t[:, None]).astype(float)
    matrix[:, :, -1] *= np.asarray(terminal)[:, None]
    late = t[None, :] + np.asarray(lag)[:, None] >= periods - 1
    beyond = discount ** (1.0 + np.asarray(lag)) * terminal
    matrix[:, :, -1] = np.where(late, beyond[:, None], matrix[:, :, -1])
    return matrix


def capacity_path(nodes: Nodes, additions: Array) -> Array:
    """Capacity ``[node, period]``: inherited, and what is left of additions ``[node, class, period]``.

    ``K_t+1 = (1-delta) K_t + I_t-lag`` from the inherited stock (section 7).
    """
    return nodes.remaining + np.einsum("gct,gts->gs", additions, nodes.survival)

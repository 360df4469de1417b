"""Where worlds stand while markets and suppliers look for agreement."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from backfill.supply.josephy import AffineAnswer
from backfill.supply.nodes import Array
from backfill.supply.orders import Bend, Orders, Seen
from backfill.supply.past import Carried, Record

TOLERANCE = 1e-7
STEP_TOLERANCE = 1e-6


def settled(residual: float, step: float) -> bool:
    """Whether a world is accepted: the natural residual at true prices, and what another round would move."""
    return residual <= TOLERANCE and step <= STEP_TOLERANCE


@dataclass(frozen=True)
class Stage:
    """Worlds solved together over a stretch of periods, everything before it being given."""

    worlds: tuple[int, ...]
    span: slice


@dataclass(frozen=True)
class Point:
    """Rents and additions of one world and what the markets answer there.

    Attributes:
        rent: ``[node, period]``.
        additions: ``[node, class, period]``.
        vector: ``[period, unknown]``, the markets' solution.
        converged: ``[period]`` whether there is one.
        use, mill: ``[node, period]`` use of capacities and mill prices of their products.
        tool_cost: ``[node, class, period]`` tools bought per unit of capacity added.
        orders: what is bought ahead.
        wanted: what stockholders would order at these prices.
        past: what the world's past brings in.
        record: what has been made and bought.
        due: what that record brings in.
        apart: how far orders and the past are from what they should be, as shares of needs and of prices.
        seen: what stockholders see; None before the first round.
    """

    rent: Array
    additions: Array
    vector: Array
    converged: np.ndarray
    use: Array
    mill: Array
    tool_cost: Array
    orders: Orders
    wanted: Orders
    past: Carried
    record: Record
    due: Carried
    apart: float = 0.0
    seen: Seen | None = None


@dataclass
class Search:
    """Where one world stands in a stage.

    Attributes:
        point: the last point accepted.
        merit: its natural residual in the stage's periods, infinite where a market has no answer.
        planned: the part of it that is the capacity plan's.
        recent: merits of the last points accepted.
        target: the plan's answer there; None before the first.
        predicted: what would be bought ahead at its rents.
        orders: what is tried.
        bend: how what is wanted moves with it.
        past: what the past is tried to bring in.
        stocks: change of use by rents through what is bought ahead, of a point where the step before gained little.
        step: what that answer would move, relative to prices.
        length: share of the step tried next.
        fresh: whether the slopes are those of this point.
        slow: whether the last step gained little, or there is far to go.
        rounds: rounds used.
        blocked: whether a step from here led to a market without an answer.
    """

    point: Point
    merit: float = np.inf
    planned: float = np.inf
    recent: list[float] = field(default_factory=list)
    target: AffineAnswer | None = None
    predicted: Orders | None = None
    orders: Orders | None = None
    bend: Bend | None = None
    past: Carried | None = None
    stocks: Array | None = None
    step: float = np.inf
    length: float = 1.0
    fresh: bool = False
    slow: bool = False
    rounds: int = 0
    blocked: bool = False

    @property
    def settled(self) -> bool:
        """Whether this point is accepted as the solution."""
        return settled(self.merit, self.step)


def with_periods(array: np.ndarray, span: slice | np.ndarray, part: np.ndarray, axis: int = 0) -> np.ndarray:
    """A copy of ``array`` with ``part`` in the periods ``span``, the first or the last axis."""
    out = array.copy()
    out[(..., span) if axis else span] = part
    return out

"""What one round of planning returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from backfill.supply.nodes import Array


class PlanStatus(Enum):
    """Verdict on one round's program, each a sentence that says what to try."""

    SOLVED = "The plan is optimal, certified by its primal, dual and complementarity residuals."
    INACCURATE = (
        "The solver stopped short of an optimum, also from a cold start; raise `damping`, or check the markets' answer for "
        "capacities of very different size."
    )


@dataclass(frozen=True)
class PlanStep:
    """The suppliers' answer to the markets.

    Attributes:
        rent: ``[node, period]`` rents, million USD per unit of capacity.
        additions: ``[node, class, period]`` capacity added.
        capacity: ``[node, period]`` that these additions make.
        status: the verdict.
        objective: value of the program.
        duals: ``[node, class, period]`` multipliers of the builders' constraints, discount factor times additions;
            zero where additions are given.
        violation: ``max |min(rent, idle share)|`` of the program, the certificate of optimality.
        gap: duality gap relative to the value of all capacity at unit rent.
        cold: whether the solver had to start cold.
    """

    rent: Array
    additions: Array
    capacity: Array
    status: PlanStatus
    objective: float
    duals: Array
    violation: float
    gap: float
    cold: bool

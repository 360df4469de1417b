"""Enforcement: detection of diverted shipments, hub by hub."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Hubs, Measure, Regions, kind

BUDGET = 191.0
"""Budget of the US Bureau of Industry and Security in fiscal 2024, all its tasks: an upper bound of what checks cost."""


@kind("enforcement")
class Enforcement(Measure):
    """Multiplies the budget that detects diverted shipments in hubs; several multiply.

    The probability of seizure is ``min(0.95, pi0 * budget**0.5)`` with the budget relative to the base year's. What it exceeds
    the base year's is spent, by the first of ``by``: ``(budget - 1) * cost * hubs / all hubs`` a year.
    """

    also: ClassVar[tuple[str, ...]] = ("customs_enforcement", "enforcement_budget")
    sources: ClassVar[str] = (
        "Bureau of Industry and Security: 1,100 checks in 2022, 1,500 in fiscal 2023; budget of 191 million USD "
        "in fiscal 2024."
    )
    example: ClassVar[str] = """\
kind = "enforcement"
by = "USA"
hubs = ["SGP", "MYS"]              # or "hubs" for all
budget = 2.0                       # times the base year's
from = 2024-01-01
"""

    kind: Literal["enforcement"] = "enforcement"
    by: Regions = Field(("USA",), description="who pays for it")
    hubs: Hubs = Field(("hubs",), description="where")
    budget: float = Field(ge=0, le=1000, description="budget", json_schema_extra={"unit": "times the base year's"})

    cost: float = Field(
        BUDGET,
        ge=0,
        le=1e6,
        description="the base year's budget over all hubs",
        json_schema_extra={"unit": "million USD"},
    )

    def act(self, board: Board) -> None:
        when, hubs = self.when(board), board.regions(self.hubs)
        board.scale_enforcement(when, hubs, self.budget)
        share = len(hubs) / max(len(board.vocabulary.hubs), 1)
        board.spend(when, board.regions(self.by)[0], (self.budget - 1) * self.cost * share)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.budget == 1:
            return "budget", 1.0, "is the base year's; give another multiple or remove the measure"
        return None

"""Enforcement: detection of diverted shipments, hub by hub."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Hubs, Measure, Regions, kind


@kind("enforcement")
class Enforcement(Measure):
    """Multiplies the budget that detects diverted shipments in hubs; several multiply.

    The probability of seizure is ``min(0.95, pi0 * budget**0.5)`` with the budget relative to the base year's.
    """

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

    def act(self, board: Board) -> None:
        board.scale_enforcement(self.when(board), board.regions(self.hubs), self.budget)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.budget == 1:
            return "budget", 1.0, "is the base year's; give another multiple or remove the measure"
        return None

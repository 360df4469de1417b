"""Research protection: less knowledge reaches an adversary."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, kind

LEARNING = 0.10
"""Fall of cost per doubling of experience (5 to 20%; economics, section 7)."""

OWN_TO_FOREIGN = 3.0
"""Weight of own to foreign experience."""

DOUBLING = 2.0
"""Years in which the world's experience with these products doubles (assumed)."""


@kind("research_protection")
class ResearchProtection(Measure):
    """Cuts the knowledge that reaches an adversary from abroad, and with it the learning that lowers its costs.

    Costs fall by 10% per doubling of experience, of which a quarter is foreign: without the share ``cut`` of what is new
    abroad, experience after ``t`` years is ``(3 + 1 + (1 - cut)(2**(t/2) - 1) + 3 (2**(t/2) - 1)) / 4`` instead of
    ``2**(t/2)``, and productivity is the ratio to the power .152. Low confidence: everything here is assumed.
    """

    sources: ClassVar[str] = (
        "Action Plan of July 2025; learning by doing as in Irwin and Klenow (1994): 20% per doubling, a third of "
        "it spilling over; halved here."
    )
    example: ClassVar[str] = """\
kind = "research_protection"
by = "USA"
destinations = "CHN"
products = "tools_and_subsystems"
cut = 0.05                         # of the knowledge that comes from abroad
from = 2026-01-01
"""

    kind: Literal["research_protection"] = "research_protection"
    by: Regions = Field(("USA",), description="who protects")
    destinations: Regions = Field(("adversary",), description="whose learning is slowed")
    products: Products = Field(("tools_and_subsystems", "inputs"), description="what they learn to make")
    cut: float = Field(
        0.05, ge=0, le=1, description="share of foreign knowledge cut off", json_schema_extra={"unit": "share"}
    )

    def act(self, board: Board) -> None:
        when = self.when(board)
        grown = 2.0 ** (board.years_since(self.begin)[when] / DOUBLING)
        foreign = 1 / (1 + OWN_TO_FOREIGN)
        experience = 1 - self.cut * foreign * (grown - 1) / grown
        factor = experience ** -np.log2(1 - LEARNING)
        board.scale_productivity(
            when, board.products(self.products), board.regions(self.destinations), factor[:, None, None]
        )

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.cut == 0:
            return "cut", 0.0, "cuts nothing; give a share above 0 or remove the measure"
        return self.no_capacity(board, board.products(self.products), board.regions(self.destinations), "products")

"""Research protection: less knowledge reaches an adversary."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, Share, kind


@kind("research_protection")
class ResearchProtection(Measure):
    """Keeps knowledge from abroad from reaching an adversary, and with it the learning that lowers its costs.

    Makers learn from what they make, and a third as much from what they buy abroad: the share ``cut`` of the latter does not
    reach them. Costs rise with the gap to the experience they would have had, 10% for each halving (`learning` in
    ``[parameters]``). Coupled worlds only, since it takes years.
    """

    also: ClassVar[tuple[str, ...]] = ("research_security", "technology_transfer")
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
    cut: Share = Field(0.05, description="share of foreign knowledge cut off")

    def act(self, board: Board) -> None:
        board.cut_knowledge(
            self.when(board), board.products(self.products), board.regions(self.destinations), self.cut
        )

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.cut == 0:
            return "cut", 0.0, "cuts nothing; give a share above 0 or remove the measure"
        return self.no_capacity(board, board.products(self.products), board.regions(self.destinations), "products")

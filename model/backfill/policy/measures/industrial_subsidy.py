"""Industrial subsidy: cheaper capacity."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, kind


@kind("industrial_subsidy")
class IndustrialSubsidy(Measure):
    """Pays a share of what new capacity costs in a region; several add up.

    Dates are those on which building begins. The rate is of the cost of a unit on the reference path, site, tools and haste
    together. The treasury of the site pays, of the reference path's additions too, and what goes to owners from elsewhere is
    income of theirs. Public revenue is without it: what is paid stands in the table ``capacity``.
    """

    also: ClassVar[tuple[str, ...]] = ("chips_act", "investment_credit", "subsidy", "tax_credit")
    sources: ClassVar[str] = "CHIPS and Science Act, section 48D: a credit of 25%, 35% from 2026."
    example: ClassVar[str] = """\
kind = "industrial_subsidy"
region = "USA"
products = "logic_advanced"
rate = 0.25                        # of the cost of new capacity
from = 2023-01-01
until = 2027-01-01
"""

    kind: Literal["industrial_subsidy"] = "industrial_subsidy"
    region: Regions = Field(description="regions that pay it")
    products: Products = Field(description="products whose capacity is paid for")
    rate: float = Field(
        ge=0, le=0.9, description="share paid", json_schema_extra={"unit": "share of the cost of capacity"}
    )

    def act(self, board: Board) -> None:
        board.subsidise(self.when(board), board.products(self.products), board.regions(self.region), self.rate)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.rate == 0:
            return "rate", 0.0, "pays nothing; give a rate above 0 or remove the measure"
        return self.no_capacity(board, board.products(self.products), board.regions(self.region), "products")

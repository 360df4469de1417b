"""Transit permit: a hub asks to be told of what passes through it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Hubs, Measure, Products, Regions, Share, kind

INTEREST = 0.0003
"""Cost of holding goods for a day: a tenth a year (assumed)."""


@kind("transit_permit")
class TransitPermit(Measure):
    """A hub asks notice of what passes: a part of diverted shipments is found, and goods for it wait.

    Waiting costs ``notice_days * cost_per_day`` of the price on everything that the hub buys of the products abroad.
    """

    also: ClassVar[tuple[str, ...]] = ("strategic_trade_permit", "transhipment")
    sources: ClassVar[str] = (
        "Malaysia, strategic trade permit for AI chips of US origin, 30 days' notice (14 July 2025)."
    )
    example: ClassVar[str] = """\
kind = "transit_permit"
hub = "MYS"
products = "accelerators_frontier"
detection = 0.1
notice_days = 30
from = 2025-07-14
"""

    kind: Literal["transit_permit"] = "transit_permit"
    hub: Hubs = Field(description="hubs that ask for it")
    origins: Regions = Field(("USA",), description="whose goods")
    products: Products = Field(("accelerators_frontier",), description="products that need it")
    detection: Share = Field(0.1, description="share of diverted shipments, let through by others, that is found")
    notice_days: float = Field(30.0, ge=0, le=365, description="days of notice", json_schema_extra={"unit": "days"})
    cost_per_day: float = Field(
        INTEREST,
        ge=0,
        le=0.05,
        description="cost of a day's wait",
        json_schema_extra={"unit": "share of the price a day"},
    )

    def act(self, board: Board) -> None:
        when, products, hubs = self.when(board), board.products(self.products), board.regions(self.hub)
        board.detect(when, products, hubs, self.detection)
        board.add("real_cost", when, products, board.regions(self.origins), hubs, self.notice_days * self.cost_per_day)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.detection == 0 and self.notice_days * self.cost_per_day == 0:
            return "detection", 0.0, "finds nothing; give a share above 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.hub)
        return self.no_trade(board, *flows, partner="origins", key="products")

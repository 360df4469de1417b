"""Know your customer: sellers vouch for who buys."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Hubs, Measure, Products, Regions, Share, kind


@kind("know_your_customer")
class KnowYourCustomer(Measure):
    """Makes sellers check their customers in hubs: every sale there costs more, and a part of diverted ones is found."""

    also: ClassVar[tuple[str, ...]] = ("customer_identification", "due_diligence", "kyc")
    sources: ClassVar[str] = (
        "Bureau of Industry and Security, guidance on diversion of advanced computing items (13 May 2025); costs "
        "assumed."
    )
    example: ClassVar[str] = """\
kind = "know_your_customer"
by = "USA"
products = "accelerators_frontier"
hubs = "hubs"
cost = 0.002                       # of the price
detection = 0.1
from = 2026-01-01
"""

    kind: Literal["know_your_customer"] = "know_your_customer"
    by: Regions = Field(("USA",), description="whose sellers check")
    products: Products = Field(("accelerators_frontier",), description="products checked")
    hubs: Hubs = Field(("hubs",), description="where customers are checked")
    cost: float = Field(
        0.002, ge=0, le=0.1, description="cost of checking", json_schema_extra={"unit": "share of the price"}
    )
    detection: Share = Field(0.1, description="share of diverted shipments, let through by others, that is found")

    def act(self, board: Board) -> None:
        when, products, hubs = self.when(board), board.products(self.products), board.regions(self.hubs)
        board.detect(when, products, hubs, self.detection)
        board.add("real_cost", when, products, board.regions(self.by), hubs, self.cost)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.detection == 0 and self.cost == 0:
            return "detection", 0.0, "finds nothing; give a share above 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.by), board.regions(self.hubs)
        return self.no_trade(board, *flows, partner="hubs", key="products")

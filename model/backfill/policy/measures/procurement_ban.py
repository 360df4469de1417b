"""Procurement ban: a covered part of buyers may not buy from an adversary."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, Share, kind


@kind("procurement_ban")
class ProcurementBan(Measure):
    """Keeps the covered share of buyers, governments and their defence suppliers, from products of an adversary.

    Of several bans on a flow the widest counts; sellers' own controls are independent of it.
    """

    also: ClassVar[tuple[str, ...]] = ("ban", "government_procurement")
    sources: ClassVar[str] = "National Defense Authorization Act for 2023, section 5949: in force 23 December 2027."
    example: ClassVar[str] = """\
kind = "procurement_ban"
buyers = ["USA", "JPN"]
origins = "CHN"
products = ["logic_mature", "memory"]
share = 0.05                       # of the buyers' purchases
from = 2027-12-23
"""

    kind: Literal["procurement_ban"] = "procurement_ban"
    buyers: Regions = Field(description="regions whose public buyers are covered")
    origins: Regions = Field(("adversary",), description="whose products they may not buy")
    products: Products = Field(description="products banned")
    share: Share = Field(description="share of buyers covered")

    def act(self, board: Board) -> None:
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.buyers)
        board.refuse(self.when(board), *flows, self.share)

    def shut(self, board: Board) -> np.ndarray | None:
        if self.share != 1:
            return None
        return board.flows(board.products(self.products), board.regions(self.origins), board.regions(self.buyers))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.share == 0:
            return "share", 0.0, "covers nobody; give a share above 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.buyers)
        return self.no_trade(board, *flows, partner="origins", key="products")

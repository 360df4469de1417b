"""Domestic mandate: a least share of home products in a country's purchases."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, Share, kind


@kind("domestic_mandate")
class DomesticMandate(Measure):
    """Asks that home products make up a least share of what a region buys of the products together.

    ``share * imports <= (1 - share) * own`` by value at makers' prices: buyers gain room for imports by buying at home, so
    that home products are made cheaper by what the room is worth and imports dearer, and the net rent is nothing.
    """

    also: ClassVar[tuple[str, ...]] = ("home_share", "local_content", "localisation")
    sources: ClassVar[str] = "Half of the tools of new lines to be of Chinese make (press reports, December 2025)."
    example: ClassVar[str] = """\
kind = "domestic_mandate"
region = "CHN"
products = "tools"
share = 0.5                        # least share of home products
from = 2025-12-01
"""

    kind: Literal["domestic_mandate"] = "domestic_mandate"
    region: Regions = Field(description="regions that ask it of their buyers, each for itself")
    products: Products = Field(description="products counted together")
    share: Share = Field(description="least share of home products")

    def act(self, board: Board) -> None:
        names, products = board.vocabulary, board.products(self.products)
        everywhere = range(len(names.regions))
        for home in board.regions(self.region):
            entries = [
                (p, i, home, self.share - 1 if i == home else self.share)
                for p in products
                for i in everywhere
                if board.exists is None or board.exists[p, i, home]
            ]
            name = self.name or f"{names.regions[home]} home share of {', '.join(self.products)}"
            board.limit(
                self.when(board), name, home, "importer", [e for e in entries if e[3]], 0.0, "million USD",
                own_use=True, by_value=True,
            )  # fmt: skip

    def shut(self, board: Board) -> np.ndarray | None:
        if self.share != 1:
            return None
        return board.flows(board.products(self.products), range(len(board.vocabulary.regions)), board.regions(self.region))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.share == 0:
            return "share", 0.0, "asks nothing; give a share above 0 or remove the measure"
        homes, products = board.regions(self.region), board.products(self.products)
        if board.exists is not None and not all(board.exists[products, home, home].any() for home in homes):
            return "region", list(self.region), "makes none of these at home; name products it makes"
        if not board.whole_periods(self.when(board)).any():
            return "until", self.until, "a mandate holds in periods it covers by half or more; set periods_per_year = 2"
        return None

"""Export levy: a share of the exporter's price paid to its treasury."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Rate, Regions, kind


@kind("export_levy")
class ExportLevy(Measure):
    """Adds a levy on the exporter's price, paid to the exporter's treasury; several add up."""

    also: ClassVar[tuple[str, ...]] = ("export_duty", "export_tax", "revenue_share")
    sources: ClassVar[str] = (
        "Agreement of August 2025 on 15% of revenue from China; 25% under the rule of January 2026."
    )
    example: ClassVar[str] = """\
kind = "export_levy"
by = "USA"
products = "accelerators_export_grade"
destinations = "CHN"
rate = 0.15                        # share of the exporter's price
from = 2025-08-11
"""

    kind: Literal["export_levy"] = "export_levy"
    by: Regions = Field(description="exporters that levy it")
    products: Products = Field(description="goods on which it is paid")
    destinations: Regions = Field(description="where to")
    rate: Rate = Field(description="levy as a share of the exporter's price")

    def act(self, board: Board) -> None:
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        board.add("levy", self.when(board), *flows, self.rate)

    def counted_on(self, board: Board) -> np.ndarray | None:
        return board.flows(board.products(self.products), board.regions(self.by), board.regions(self.destinations))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.rate == 0:
            return "rate", 0.0, "takes nothing; give a rate other than 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        return self.no_trade(board, *flows, partner="destinations", key="products")

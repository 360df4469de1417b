"""Tariff: an ordinary ad valorem duty."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Rate, Regions, kind


@kind("tariff")
class Tariff(Measure):
    """Adds an import duty to the base year's, as a share of the CIF value; several add up."""

    sources: ClassVar[str] = "Sections 232 and 301; MFN duties are in the benchmark."
    example: ClassVar[str] = """\
kind = "tariff"
by = "USA"                         # importers
origins = "CHN"
products = "logic_mature"
rate = 0.5                         # added to the base year's; -0.05 lowers it
from = 2025-01-01
"""

    kind: Literal["tariff"] = "tariff"
    by: Regions = Field(description="importers that levy it")
    origins: Regions = Field(description="where the goods come from")
    products: Products = Field(description="goods on which it is paid")
    rate: Rate = Field(description="duty added to the base year's")

    def act(self, board: Board) -> None:
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.by)
        board.add("tariff", self.when(board), *flows, self.rate)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.rate == 0:
            return "rate", 0.0, "takes nothing; give a rate other than 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.by)
        return self.no_trade(board, *flows, partner="origins", key="origins")

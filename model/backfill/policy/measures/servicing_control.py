"""Servicing control: installed tools that their makers no longer service wear out faster."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, Share, kind


@kind("servicing_control")
class ServicingControl(Measure):
    """Stops servicing tools installed in a destination: capacity there wears faster by ``coverage * depreciation * s`` a year.

    ``s`` is the share of a plant's tools that come from the senders in the benchmark. Several add up.
    """

    also: ClassVar[tuple[str, ...]] = ("maintenance_ban", "servicing_ban")
    sources: ClassVar[str] = (
        "15 CFR 744.6 on support by US persons (7 October 2022); proposals of 2025 to stop servicing installed "
        "tools; figures assumed."
    )
    example: ClassVar[str] = """\
kind = "servicing_control"
by = ["USA", "JPN", "NLD"]
destinations = "CHN"
products = ["logic_advanced", "hbm"]  # what the plants make
depreciation = 0.1                 # added a year where tools are the senders'
from = 2026-01-01
"""

    kind: Literal["servicing_control"] = "servicing_control"
    by: Regions = Field(("USA",), description="senders of the tools")
    destinations: Regions = Field(description="where the plants stand")
    products: Products = Field(("all",), description="what the plants make")
    depreciation: float = Field(
        0.1, ge=0, le=0.5, description="depreciation added to tools not serviced", json_schema_extra={"unit": "a year"}
    )
    coverage: Share = Field(1.0, description="share of plants covered")

    def act(self, board: Board) -> None:
        products, places = board.products(self.products), board.regions(self.destinations)
        for origin in board.regions(self.by):
            when, yearly = self.when(board), self.coverage * self.depreciation
            share = self._share(board, products, places, origin)
            board.wear_out(when, products, places, board.during(when, yearly, 3) * share[None])

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        for key in ("depreciation", "coverage"):
            if getattr(self, key) == 0:
                return key, 0.0, "wears nothing; give a number above 0 or remove the measure"
        products, places = board.products(self.products), board.regions(self.destinations)
        if not any(self._share(board, products, places, origin).any() for origin in board.regions(self.by)):
            return "by", list(self.by), "made no tools of these plants; name makers of their tools"
        return None

    def _share(self, board: Board, products: list[int], places: list[int], origin: int) -> np.ndarray:
        if board.facts is None:
            return np.zeros((len(products), len(places)))
        shares = board.facts.tool_share[..., origin][np.ix_(products, places)]
        return np.where(np.asarray(places) == origin, 0.0, shares)

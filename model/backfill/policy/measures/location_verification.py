"""Location verification: accelerators that say where they are."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Hubs, Measure, Products, Regions, Share, kind


@kind("location_verification")
class LocationVerification(Measure):
    """Accelerators sold from a day on report where they are; a part of those diverted is found.

    Of what is diverted ``effect * coverage * (1 - exp(-years / fleet_life))`` is found: machines of before, resold or moved,
    carry nothing, and the fleet turns over with its life. Every accelerator sold abroad costs ``unit_cost`` of its price more.
    """

    also: ClassVar[tuple[str, ...]] = ("chip_security", "geolocation", "location_tracking")
    sources: ClassVar[str] = "Action Plan of July 2025; Chip Security Act (proposed); effect and cost assumed."
    example: ClassVar[str] = """\
kind = "location_verification"
by = "USA"
products = "accelerators_frontier"
coverage = 1.0                     # share of new accelerators that report
effect = 0.5                       # share of covered diverted ones that is found
unit_cost = 0.005                  # of the price
from = 2026-07-01
"""

    kind: Literal["location_verification"] = "location_verification"
    by: Regions = Field(("USA",), description="whose accelerators report")
    products: Products = Field(("accelerators_frontier",), description="accelerators that report")
    hubs: Hubs = Field(("hubs",), description="where diverted ones are found")
    coverage: Share = Field(1.0, description="share of new accelerators that report")
    effect: Share = Field(0.5, description="share of covered diverted ones that is found")
    fleet_life: float = Field(
        4.0, gt=0, le=20, description="life of an accelerator", json_schema_extra={"unit": "years"}
    )
    unit_cost: float = Field(
        0.005, ge=0, le=0.1, description="cost of reporting", json_schema_extra={"unit": "share of the price"}
    )

    def act(self, board: Board) -> None:
        when, products = self.when(board), board.products(self.products)
        renewed = 1 - np.exp(-board.years_since(self.begin) / self.fleet_life)
        board.detect(when, products, board.regions(self.hubs), self.effect * self.coverage * renewed)
        everywhere = range(len(board.vocabulary.regions))
        board.add("real_cost", when, products, board.regions(self.by), everywhere, self.unit_cost * self.coverage)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        for key in ("coverage", "effect"):
            if getattr(self, key) == 0 and (key == "coverage" or self.unit_cost == 0):
                return key, 0.0, "finds nothing; give a share above 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.by), range(len(board.vocabulary.regions))
        return self.no_trade(board, *flows, partner="by", key="products")

"""End-use monitoring: checks at buyers in named hubs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Hubs, Measure, Products, Regions, Share, kind

HALF = 500.0
"""Checks a year in a hub that reach half of what checks can find (assumed; 1,500 a year were made in all the world in 2023)."""

COST = 20_000.0
"""USD a check (assumed; 10,000 to 50,000)."""


@kind("end_use_monitoring")
class EndUseMonitoring(Measure):
    """Checks end users in hubs: they find ``probability * n / (n + 500)`` of the diverted shipments that others let through.

    ``n`` are checks a year in each hub, each dearer in what it adds than the last. The sender's treasury pays for them.
    """

    also: ClassVar[tuple[str, ...]] = ("end_use_checks", "inspections", "post_shipment_verification")
    sources: ClassVar[str] = (
        "Action Plan of July 2025, 'Strengthen AI compute export control enforcement'; checks: testimony of A. "
        "Estevez, 1,100 in 2022 and 1,500 in fiscal 2023."
    )
    example: ClassVar[str] = """\
kind = "end_use_monitoring"
by = "USA"
hubs = ["MYS", "GLF"]
checks = 500
probability = 0.2
from = 2026-01-01
"""

    kind: Literal["end_use_monitoring"] = "end_use_monitoring"
    by: Regions = Field(("USA",), description="who checks and pays; the first if several")
    hubs: Hubs = Field(description="where")
    products: Products = Field(("accelerators",), description="products checked")
    checks: float = Field(ge=0, le=1e6, description="checks in each hub", json_schema_extra={"unit": "a year"})
    probability: Share = Field(0.15, description="share of diverted shipments that unlimited checks would find")
    cost: float = Field(COST, ge=0, le=1e7, description="cost of a check", json_schema_extra={"unit": "USD"})

    @property
    def detection(self) -> float:
        """Share of diverted shipments found."""
        return self.probability * self.checks / (self.checks + HALF)

    def act(self, board: Board) -> None:
        when, hubs = self.when(board), board.regions(self.hubs)
        board.detect(when, board.products(self.products), hubs, self.detection)
        board.spend(when, board.regions(self.by)[0], 1e-6 * self.cost * self.checks * len(hubs))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        for key in ("checks", "probability"):
            if getattr(self, key) == 0:
                return key, 0.0, "finds nothing; give a number above 0 or remove the measure"
        return None

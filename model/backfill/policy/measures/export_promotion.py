"""Export promotion: packages of the full stack for partners."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board
from backfill.policy.measure import LockIn, Measure, Products, Regions, Share, kind
from backfill.policy.quantities import Unit, amount, fitting_units, weight


@kind("export_promotion")
class ExportPromotion(Measure):
    """Sells packages to partners below their price; what they install makes staying with it cheaper later.

    The treasury of the sender pays ``subsidy_equivalent`` of the price, on at most ``cap`` a year: once the cap is reached
    nobody gets more and the advantage goes. Owners of accelerators bought with a package save adapting to others': ``lock_in``
    of the price of the sender's next ones, times the share of such machines in the fleet where they stand, which grows with
    what is bought and wears off over the life of an accelerator. Coupled worlds only.
    """

    also: ClassVar[tuple[str, ...]] = ("export_package", "export_subsidy", "full_stack_export_package", "subsidy")
    sources: ClassVar[str] = (
        "Action Plan of July 2025, 'Export American AI to allies and partners'; Executive Order 14320 (23 July "
        "2025); figures assumed."
    )
    example: ClassVar[str] = """\
kind = "export_promotion"
by = "USA"
products = "accelerators_frontier"
destinations = ["GLF", "ASE"]
subsidy_equivalent = 0.05          # of the price
us_content_floor = 0.51
lock_in = 0.02                     # of the price, once the whole fleet came with packages
from = 2026-01-01
"""

    kind: Literal["export_promotion"] = "export_promotion"
    by: Regions = Field(("USA",), description="sender; its treasury pays")
    products: Products = Field(("us_accelerators",), description="products in the package")
    destinations: Regions = Field(description="partners")
    subsidy_equivalent: float = Field(
        0.05,
        ge=0,
        le=0.5,
        description="credit, insurance and faster licences",
        json_schema_extra={"unit": "share of the price"},
    )
    us_content_floor: Share = Field(0.0, description="least content of the sender's technology a product needs")
    cap: float | None = Field(None, ge=0, description="what is promoted a year over all partners")
    unit: Unit | None = Field(None, description="unit of the cap")
    lock_in: LockIn = 0.0

    @model_validator(mode="after")
    def _countable(self, info: ValidationInfo) -> ExportPromotion:
        vocabulary = (info.context or {}).get("vocabulary")
        if (self.cap is None) != (self.unit is None):
            key = "unit" if self.unit is None else "cap"
            raise PydanticCustomError("missing_here", "cap", {"key": key, "remedy": "cap and unit belong together"})
        if (
            self.unit is not None
            and vocabulary is not None
            and self.unit not in fitting_units(self.products, vocabulary)
        ):
            fitting = fitting_units(self.products, vocabulary)
            told = f"of these products the unit is {' or '.join(fitting)}" if fitting else "have no unit in common"
            raise PydanticCustomError("unknown_unit", "unit", {"key": "unit", "value": self.unit, "remedy": told})
        return self

    def act(self, board: Board) -> None:
        if self.cap == 0:
            return
        when, destinations = self.when(board), board.regions(self.destinations)
        for sender in board.regions(self.by):
            products = self._eligible(board, sender)
            board.add("levy", when, products, [sender], destinations, -self.subsidy_equivalent)
            board.lock_in_owners(when, products, [sender], destinations, self.lock_in)
            if self.cap is not None:
                names = board.vocabulary
                entries = [
                    (p, sender, j, weight(self.unit or "", names.products[p])) for p in products for j in destinations
                ]
                name = self.name or f"{names.regions[sender]} packages"
                board.limit(
                    when, name, sender, "exporter", entries, *amount(self.cap, self.unit or ""),
                    ceiling=self.subsidy_equivalent,
                )  # fmt: skip

    def counted_on(self, board: Board) -> np.ndarray | None:
        if self.cap == 0:
            return None
        return board.flows(board.products(self.products), board.regions(self.by), board.regions(self.destinations))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.subsidy_equivalent == 0 and self.lock_in == 0:
            return "subsidy_equivalent", 0.0, "offers nothing; give a share above 0 or remove the measure"
        if self.cap == 0:
            return "cap", 0.0, "promotes nothing; give a quantity above 0, or leave it out"
        senders = board.regions(self.by)
        if not any(self._eligible(board, sender) for sender in senders):
            return "us_content_floor", self.us_content_floor, "is above the content of every product named; lower it"
        flows = board.products(self.products), senders, board.regions(self.destinations)
        return self.no_trade(board, *flows, partner="destinations", key="products")

    def _eligible(self, board: Board, sender: int) -> list[int]:
        """Products with enough of the senders' technology."""
        products, facts = board.products(self.products), board.facts
        if facts is None:
            return products
        content = facts.content[:, sender][:, board.regions(self.by)].sum(1)
        return [p for p in products if content[p] >= self.us_content_floor]

"""Security deal: a partner's purchases capped, watched and matched by investment."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board
from backfill.policy.measure import LockIn, Measure, Products, Regions, Share, kind
from backfill.policy.quantities import Unit, amount, fitting_units, weight


@kind("security_deal")
class SecurityDeal(Measure):
    """Lets a named partner buy up to a quantity a year, watches what it does with it, and asks for investment at home.

    A cap whose rent goes to the sender; monitoring finds ``detection`` of the diverted shipments in the partner that others
    let through, less for the share sold to a named group, which is watched by its own; and
    ``investment_match`` of the price is paid on top to the sender's treasury. Who owns machines of
    the deal saves adapting to others' (``lock_in``, as under `export_promotion`).
    """

    also: ClassVar[tuple[str, ...]] = ("agreement", "bilateral_deal")
    sources: ClassVar[str] = (
        "United States and United Arab Emirates, May 2025: up to 500,000 chips a year, a fifth to one group "
        "(press reports)."
    )
    example: ClassVar[str] = """\
kind = "security_deal"
by = "USA"
destination = "GLF"
products = "accelerators_frontier"
quantity = 500000                  # a year
unit = "units"
group_share = 0.2                  # of it to one group
detection = 0.2
investment_match = 0.0             # of the price
from = 2025-05-15
"""

    kind: Literal["security_deal"] = "security_deal"
    by: Regions = Field(("USA",), description="sender")
    destination: Regions = Field(description="partner")
    products: Products = Field(("us_accelerators",), description="products of the deal")
    quantity: float = Field(ge=0, description="what it may buy a year")
    unit: Unit = Field(description="unit of the quantity")
    group_share: Share = Field(0.0, description="share of it sold to a group that watches itself")
    detection: Share = Field(0.1, description="share of diverted shipments, let through by others, that is found")
    investment_match: float = Field(
        0.0, ge=0, le=1, description="paid to the sender's treasury", json_schema_extra={"unit": "share of the price"}
    )
    lock_in: LockIn = 0.0

    @model_validator(mode="after")
    def _countable(self, info: ValidationInfo) -> SecurityDeal:
        vocabulary = (info.context or {}).get("vocabulary")
        if vocabulary is not None and self.unit not in fitting_units(self.products, vocabulary):
            fitting = fitting_units(self.products, vocabulary)
            told = f"of these products the unit is {' or '.join(fitting)}" if fitting else "have no unit in common"
            raise PydanticCustomError("unknown_unit", "unit", {"key": "unit", "value": self.unit, "remedy": told})
        return self

    def act(self, board: Board) -> None:
        when, products = self.when(board), board.products(self.products)
        partners, names = board.regions(self.destination), board.vocabulary
        hubs = [r for r in partners if names.regions[r] in names.hubs]
        board.detect(when, products, hubs, self.detection * (1 - self.group_share))
        for sender in board.regions(self.by):
            board.add("levy", when, products, [sender], partners, self.investment_match)
            board.lock_in_owners(when, products, [sender], partners, self.lock_in)
            for partner in partners:
                region = names.regions[partner]
                entries = [(p, sender, partner, weight(self.unit, names.products[p])) for p in products]
                name = f"{self.name or 'security deal'}, {region}"
                board.limit(when, name, sender, "exporter", entries, *amount(self.quantity, self.unit))

    def shut(self, board: Board) -> np.ndarray | None:
        return self._capped(board) if self.quantity == 0 else None

    def counted_on(self, board: Board) -> np.ndarray | None:
        return None if self.quantity == 0 else self._capped(board)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destination)
        return self.no_trade(board, *flows, partner="destination", key="products")

    def _capped(self, board: Board) -> np.ndarray:
        """Boolean ``[product, origin, destination]``: what is capped."""
        return board.flows(board.products(self.products), board.regions(self.by), board.regions(self.destination))

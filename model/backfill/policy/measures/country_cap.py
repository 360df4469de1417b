"""Country cap: what a destination may buy over a window of years."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, kind
from backfill.policy.quantities import Unit, amount, fitting_units, weight


@kind("country_cap")
class CountryCap(Measure):
    """Caps what each destination may buy of the senders' products over a window of years.

    A year's cap is ``countries * quantity / window_years + customers * per_customer``: the window is spread evenly, and what
    customers may buy without counting comes on top. The scarcity rent goes to the senders.
    """

    also: ClassVar[tuple[str, ...]] = ("country_quota", "diffusion_cap", "quota")
    sources: ClassVar[str] = (
        "Framework for Artificial Intelligence Diffusion, 90 FR 4544 (15 January 2025), rescinded 13 May 2025: "
        "790 million TPP a country for 2025 to 2027."
    )
    example: ClassVar[str] = """\
kind = "country_cap"
by = "USA"
destinations = ["GLF", "IND"]
products = "accelerators_frontier"
quantity = 790e6                   # of each country over the window
unit = "TPP"
window_years = 3
countries = 1                      # in each destination that counts as several
from = 2025-05-15
"""

    kind: Literal["country_cap"] = "country_cap"
    by: Regions = Field(("USA",), description="senders whose sales count; the first receives the rent")
    destinations: Regions = Field(description="each has a cap of its own")
    products: Products = Field(("accelerators",), description="products counted")
    quantity: float = Field(ge=0, description="cap of one country over the window")
    unit: Unit = Field(description="unit of quantity and per_customer")
    window_years: float = Field(
        1.0, gt=0, le=20, description="length of the window", json_schema_extra={"unit": "years"}
    )
    countries: int = Field(1, ge=1, le=100, description="countries in each destination")
    customers: float = Field(0.0, ge=0, description="customers in each destination that buy without counting")
    per_customer: float = Field(0.0, ge=0, description="what one of them may buy a year without counting")

    @model_validator(mode="after")
    def _countable(self, info: ValidationInfo) -> CountryCap:
        vocabulary = (info.context or {}).get("vocabulary")
        if vocabulary is not None:
            fitting = fitting_units(self.products, vocabulary)
            if self.unit not in fitting:
                told = f"of these products the unit is {' or '.join(fitting)}" if fitting else "have no unit in common"
                raise PydanticCustomError("unknown_unit", "unit", {"key": "unit", "value": self.unit, "remedy": told})
        return self

    @property
    def yearly(self) -> float:
        """Cap of a destination a year, in ``unit``."""
        return self.countries * self.quantity / self.window_years + self.customers * self.per_customer

    def act(self, board: Board) -> None:
        senders, names = board.regions(self.by), board.vocabulary.products
        for destination in board.regions(self.destinations):
            region = board.vocabulary.regions[destination]
            entries = [
                (p, i, destination, weight(self.unit, names[p])) for p in board.products(self.products) for i in senders
            ]
            name = f"{self.name}, {region}" if self.name else f"cap on {', '.join(self.products)} to {region}"
            board.limit(self.when(board), name, senders[0], "exporter", entries, *amount(self.yearly, self.unit))

    def shut(self, board: Board) -> np.ndarray | None:
        return self._capped(board) if self.yearly == 0 else None

    def counted_on(self, board: Board) -> np.ndarray | None:
        return None if self.yearly == 0 else self._capped(board)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        nothing = self.no_trade(board, *flows, partner="destinations", key="products")
        if nothing is None and not board.whole_periods(self.when(board)).any():
            return "until", self.until, "a cap holds in periods it covers by half or more; set periods_per_year = 2"
        return nothing

    def _capped(self, board: Board) -> np.ndarray:
        """Boolean ``[product, origin, destination]``: what is capped."""
        return board.flows(board.products(self.products), board.regions(self.by), board.regions(self.destinations))

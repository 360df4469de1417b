"""Tariff: an ordinary ad valorem duty."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Rate, Regions, kind
from backfill.policy.quantities import Unit, amount, fitting_units, weight


@kind("tariff")
class Tariff(Measure):
    """Adds an import duty to the base year's, as a share of the CIF value; several add up.

    With a quota the duty is paid on what exceeds it: below the quota imports are free, at the quota they carry a rent between
    nothing and the duty, beyond it every unit is as dear as the duty makes it. The rent stays in the importing region, with
    its treasury or with who holds the quota.
    """

    also: ClassVar[tuple[str, ...]] = ("customs_duty", "duty", "import_duty", "tariff_quota", "tariff_rate_quota")
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
    exempt: Regions | None = Field(None, description="origins left out")
    quota: float | None = Field(None, ge=0, description="imports a year, from all origins together, free of the duty")
    unit: Unit | None = Field(None, description="unit of the quota")

    @model_validator(mode="after")
    def _countable(self, info: ValidationInfo) -> Tariff:
        if (self.quota is None) != (self.unit is None):
            key = "unit" if self.unit is None else "quota"
            raise PydanticCustomError("missing_here", "quota", {"key": key, "remedy": "quota and unit belong together"})
        if self.quota is not None and self.rate < 0:
            remedy = "must be above 0 where there is a quota"
            raise PydanticCustomError("out_of_range", "rate", {"key": "rate", "value": self.rate, "remedy": remedy})
        vocabulary = (info.context or {}).get("vocabulary")
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
        products, importers = board.products(self.products), board.regions(self.by)
        exempt = set(board.regions(self.exempt or ()))
        origins = [region for region in board.regions(self.origins) if region not in exempt]
        if self.quota is None:
            board.add("tariff", self.when(board), products, origins, importers, self.rate)
            return
        for importer in importers:
            names = board.vocabulary
            entries = [(p, i, importer, weight(self.unit or "", names.products[p])) for p in products for i in origins]
            name = f"{self.name or 'duty on ' + ', '.join(self.products)}, {names.regions[importer]}"
            free = amount(self.quota, self.unit or "")
            board.limit(self.when(board), name, importer, "importer", entries, *free, ceiling=self.rate)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.rate == 0:
            return "rate", 0.0, "takes nothing; give a rate other than 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.by)
        return self.no_trade(board, *flows, partner="origins", key="origins")

"""Import restraint: how much of what others offer a country lets its buyers accept."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, Share, kind
from backfill.policy.quantities import UNITS, Unit, amount, fitting_units, weight


@kind("import_restraint")
class ImportRestraint(Measure):
    """Keeps a country's own buyers from foreign products: a share of them still may buy, or imports stay below a cap.

    With a share ``a`` accepted the route is closed to ``1 - a`` of the buyers, those whom sellers may serve and those whom they
    may not alike: 1 changes nothing, 0 is a ban. Under a cap the scarcity rent goes to the importer.
    """

    also: ClassVar[tuple[str, ...]] = ("import_ban", "import_quota", "quota")
    sources: ClassVar[str] = (
        "Guidance of China's regulators to buyers of the H20 and RTX Pro 6000D (August and September 2025, press "
        "reports)."
    )
    example: ClassVar[str] = """\
kind = "import_restraint"
by = "CHN"
origins = "USA"
products = "accelerators"
accepted = 0.1                     # share of buyers who may; or cap = 50000 with unit = "H100e", a year
from = 2025-09-01
"""

    kind: Literal["import_restraint"] = "import_restraint"
    by: Regions = Field(description="importers that restrain their buyers")
    origins: Regions = Field(description="where the goods come from")
    products: Products = Field(description="products restrained")
    accepted: Share | None = Field(None, description="share of buyers who may still buy")
    cap: float | None = Field(None, ge=0, description="imports a year, instead of accepted")
    unit: Unit | None = Field(None, description="unit of the cap")

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> ImportRestraint:
        given = [name for name in ("accepted", "cap") if getattr(self, name) is not None]
        if len(given) != 1:
            remedy = "give accepted, a share of buyers, or cap with its unit" + (", not both" if given else "")
            raise PydanticCustomError("missing_here", "one", {"key": "accepted", "remedy": remedy})
        if (self.cap is None) != (self.unit is None):
            key, remedy = (
                ("unit", f"one of {', '.join(UNITS)}") if self.unit is None else ("cap", "say how much a year")
            )
            raise PydanticCustomError("missing_here", "unit", {"key": key, "remedy": remedy})
        vocabulary = (info.context or {}).get("vocabulary")
        if self.unit is not None and vocabulary is not None:
            fitting = fitting_units(self.products, vocabulary)
            if self.unit not in fitting:
                told = f"of these products the unit is {' or '.join(fitting)}" if fitting else "have no unit in common"
                raise PydanticCustomError("unknown_unit", "unit", {"key": "unit", "value": self.unit, "remedy": told})
        return self

    def act(self, board: Board) -> None:
        when, products = self.when(board), board.products(self.products)
        origins, importers = board.regions(self.origins), board.regions(self.by)
        if self.accepted is not None:
            board.refuse(when, products, origins, importers, 1 - self.accepted)
            return
        for importer in importers:
            region, unit = board.vocabulary.regions[importer], self.unit or ""
            entries = [(p, i, importer, weight(unit, board.vocabulary.products[p])) for p in products for i in origins]
            name = self.name or f"{region} imports of {', '.join(self.products)}"
            board.limit(when, name, importer, "importer", entries, *amount(float(self.cap or 0.0), unit))

    def shut(self, board: Board) -> np.ndarray | None:
        if self.accepted != 0 and self.cap != 0:
            return None
        return board.flows(board.products(self.products), board.regions(self.origins), board.regions(self.by))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.accepted == 1:
            return "accepted", 1.0, "keeps nobody from buying; give a share below 1 or remove the measure"
        flows = board.products(self.products), board.regions(self.origins), board.regions(self.by)
        return self.no_trade(board, *flows, partner="origins", key="products")

"""Export control: closes routes for the covered share of buyers, or caps them by licence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from backfill.dimensions import Vocabulary
from backfill.errors import did_you_mean
from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, Share, kind
from backfill.policy.quantities import UNITS, Unit, amount, fitting_units, weight
from backfill.policy.thresholds import Line, caught_share

ENTITY_BASED = 0.4
COUNTRY_WIDE = 0.8
"""Default coverage: of what tools are made of and made with, where today's rules follow a list of entities; and of
everything else, where they follow the destination. Both assumed."""


def _licence(value: Any) -> Any:
    if isinstance(value, str) and value != "deny":
        raise PydanticCustomError(
            "unknown_choice", "licence", {"remedy": 'must be "deny", or a cap: { cap = 50000, unit = "H100e" } a year'}
        )
    return {} if value == "deny" else value


def _lines(value: Any) -> Any:
    return (value,) if isinstance(value, dict | Line) else tuple(value) if isinstance(value, list) else value


def _named(part: str) -> str:
    if not part.strip():
        raise PydanticCustomError("bad_name", "empty", {"remedy": 'must be the name of a part, such as "gallium"'})
    return " ".join(part.split())


class Licence(BaseModel):
    """Denial (nothing given), or a cap a year on what may be sold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    cap: float | None = Field(default=None, ge=0, description="quantity a year over all destinations named")
    unit: Unit | None = Field(default=None, description="unit of the cap")

    @model_validator(mode="after")
    def _whole(self) -> Licence:
        if (self.cap is None) != (self.unit is None):
            missing, remedy = (
                ("cap", "say how much may be sold a year")
                if self.cap is None
                else ("unit", f"one of {', '.join(UNITS)}")
            )
            raise PydanticCustomError("missing_here", "missing", {"key": missing, "remedy": remedy})
        return self

    @model_serializer
    def _written(self) -> str | dict[str, float | str]:
        """As a policy file has it."""
        return "deny" if self.cap is None else {"cap": self.cap, "unit": str(self.unit)}


@kind("export_control")
class ExportControl(Measure):
    """Closes the flow of products to destinations for the covered share of buyers, or caps it by licence.

    Denied: ``coverage`` of the buyers lose the route, the others keep it. Capped: the year's sales to all destinations named
    together stay below the cap, whose scarcity rent goes to the exporter. A control of tools can be confined to builders of
    advanced capacity (advanced logic, HBM, packaging): the coverage is then a share of these. A control of accelerators or HBM
    can be written by technical lines: the coverage is then times the share of a product's sales whose models are above any.
    A control of a part of a product, as of one of several minerals, names the part: the coverage is then what is lost of the
    product's use without the part, its share of the value or more where it is hard to replace, times the share of its buyers.
    Controls of different parts add up; parts that hold one another are written as one.
    """

    also: ClassVar[tuple[str, ...]] = (
        "ban", "blacklist", "embargo", "entity_list", "export_ban", "licence", "quota", "sanctions",
    )  # fmt: skip
    sources: ClassVar[str] = (
        "87 FR 62186 (13 October 2022), 88 FR 73458 (25 October 2023), 89 FR 96790 (5 December 2024); coverage assumed."
    )
    example: ClassVar[str] = """\
kind = "export_control"
by = "USA"
products = "accelerators_frontier"
destinations = ["CHN", "RUS"]
coverage = 0.8                     # share of buyers, 0 to 1
licence = "deny"                   # or { cap = 50000, unit = "H100e" } a year, without coverage
from = 2022-10-07
"""

    kind: Literal["export_control"] = "export_control"
    by: Regions = Field(description="regions whose exports are controlled")
    products: Products = Field(description="products controlled")
    destinations: Regions = Field(description="where to")
    exempt: Regions | None = Field(None, description="destinations left out")
    coverage: Share | None = Field(
        None,
        description=f"share of buyers denied; {ENTITY_BASED} on tools, subsystems and materials and {COUNTRY_WIDE} on others "
        "if left out",
    )
    licence: Annotated[Licence, BeforeValidator(_licence)] = Field(
        Licence(), description='"deny", or a cap: { cap = 50000, unit = "H100e" } a year'
    )

    end_use: Literal["all", "advanced"] | None = Field(
        None, description='"advanced": of tools, builders of advanced capacity only; "all" buyers if left out'
    )

    part: Annotated[str, AfterValidator(_named)] | None = Field(
        None,
        description='what the coverage stands for where it is a part of the products, such as "gallium": of one part the widest '
        "counts, parts add up",
    )

    threshold: Annotated[tuple[Line, ...], BeforeValidator(_lines)] | None = Field(
        None,
        description="lines above which accelerators, or HBM, are controlled: { tpp = 4800 }, or a list of which any counts",
    )

    @model_validator(mode="after")
    def _of_chips(self, info: ValidationInfo) -> ExportControl:
        vocabulary = (info.context or {}).get("vocabulary")
        if self.threshold is not None and vocabulary is not None:
            memory = all(list(line.given) == ["hbm_density"] for line in self.threshold)
            chips = ("hbm",) if memory else vocabulary.groups.get("accelerators", ())
            others = {p for name in self.products for p in vocabulary.expand_products(name)} - set(chips)
            if others or self.licence.cap is not None:
                remedy = f"is for {', '.join(chips) or 'accelerators'} that are denied; leave it out"
                given = [line.model_dump(exclude_none=True) for line in self.threshold]
                raise PydanticCustomError(
                    "out_of_place", "threshold", {"key": "threshold", "value": given, "remedy": remedy}
                )
        return self

    @model_validator(mode="after")
    def _scoped(self, info: ValidationInfo) -> ExportControl:
        if self.end_use is None:
            return self
        vocabulary = (info.context or {}).get("vocabulary")
        remedy = ""
        if self.licence.cap is not None:
            remedy = "a cap counts every sale; leave end_use out"
        elif vocabulary is not None:
            tools = vocabulary.groups.get("tools", ())
            others = {p for name in self.products for p in vocabulary.expand_products(name)} - set(tools)
            if others:
                only = (
                    f"is for tools only ({', '.join(tools)})"
                    if tools
                    else "is for tools, which this economy has none of"
                )
                remedy = f"{only}; leave it out" + (f", or give {', '.join(sorted(others))} a measure" if tools else "")
        if remedy:
            raise PydanticCustomError(
                "out_of_place", "end_use here", {"key": "end_use", "value": self.end_use, "remedy": remedy}
            )
        return self

    @model_validator(mode="after")
    def _in_part(self) -> ExportControl:
        """The part stands for whole models and end uses, and for a coverage that is given."""
        if self.part is None:
            return self
        for key, given in (("licence", self.licence.cap), ("end_use", self.end_use), ("threshold", self.threshold)):
            if given is not None:
                remedy = f"is closed by coverage, not by {key}; leave one of them out"
                raise PydanticCustomError("out_of_place", "part", {"key": "part", "value": self.part, "remedy": remedy})
        if self.coverage is None:
            remedy = f'say what is lost of the products without "{self.part}", times the share of its buyers'
            raise PydanticCustomError("missing_here", "missing", {"key": "coverage", "remedy": remedy})
        return self

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> ExportControl:
        if self.licence.cap is not None and self.coverage is not None:
            raise PydanticCustomError(
                "out_of_place",
                "coverage with a cap",
                {"key": "coverage", "value": self.coverage, "remedy": "a cap counts every sale; leave coverage out"},
            )
        vocabulary = (info.context or {}).get("vocabulary")
        if vocabulary is not None and self.licence.unit is not None:
            fitting = fitting_units(self.products, vocabulary)
            if self.licence.unit not in fitting:
                remedy = (
                    did_you_mean(self.licence.unit, fitting, f"of these products the unit is {' or '.join(fitting)}")
                    if fitting
                    else "accelerators and other products have no unit in common; give each a measure"
                )
                raise PydanticCustomError(
                    "unknown_unit", "unit", {"key": "licence.unit", "value": self.licence.unit, "remedy": remedy}
                )
        return self

    def act(self, board: Board) -> None:
        when, products, destinations = self.when(board), board.products(self.products), self.where_to(board)
        origins = board.regions(self.by)
        cap = self.licence.cap
        if cap is None:
            for product in products:
                share = self.coverage_of(board.vocabulary, product) * self._above(board, product)
                flows = (when, [product], origins, destinations, share)
                if self.part is not None:
                    board.close_part(self.part.casefold(), *flows, own_control=True)
                else:
                    ends = {"advanced_only": self.end_use == "advanced", "drawn": self.threshold is not None}
                    board.close(*flows, own_control=True, **ends)
            return
        for origin in origins:
            board.limit(
                when,
                self._limit_name(board.vocabulary.regions[origin]),
                origin,
                "exporter",
                self._entries(board.vocabulary, products, origin, destinations),
                *amount(cap, self.licence.unit or ""),
            )

    def _above(self, board: Board, product: int) -> np.ndarray:
        """Share of a product above the lines, ``[stretch]``; all of it if none are drawn."""
        time = board.timeline
        years = [time.periods[period].start.year for period in time.period]
        if self.threshold is None or board.facts is None:
            return np.ones(len(years))
        name, chips = board.vocabulary.products[product], board.facts.chips
        return np.array([caught_share(self.threshold, chips, name, year) for year in years])

    def where_to(self, board: Board) -> list[int]:
        """Positions of the destinations without the exempt ones."""
        exempt = set(board.regions(self.exempt or ()))
        return [region for region in board.regions(self.destinations) if region not in exempt]

    def coverage_of(self, vocabulary: Vocabulary, product: int) -> float:
        """Coverage of a product: as given, else by whether rules follow entities or destinations."""
        if self.coverage is not None:
            return self.coverage
        return ENTITY_BASED if vocabulary.products[product] in vocabulary.groups.get("upstream", ()) else COUNTRY_WIDE

    def shut(self, board: Board) -> np.ndarray | None:
        everything = self.coverage == 1 and self.threshold is None and self.end_use != "advanced"
        if not everything and self.licence.cap != 0:
            return None
        return board.flows(board.products(self.products), board.regions(self.by), self.where_to(board))

    def counted_on(self, board: Board) -> np.ndarray | None:
        if not self.licence.cap:
            return None
        return board.flows(board.products(self.products), board.regions(self.by), self.where_to(board))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.coverage == 0:
            return "coverage", 0.0, "covers nobody; give a share above 0 or remove the measure"
        if self.threshold is not None and not any(self._above(board, p).any() for p in board.products(self.products)):
            drawn = [line.model_dump(exclude_none=True) for line in self.threshold]
            return "threshold", drawn, "no model of these products is above it; draw it lower"
        if not self.where_to(board):
            return "exempt", list(self.exempt or ()), "exempts every destination; leave one"
        flows = board.products(self.products), board.regions(self.by), self.where_to(board)
        nothing = self.no_trade(board, *flows, partner="destinations", key="products")
        if nothing is None and self.licence.cap is not None and not board.whole_periods(self.when(board)).any():
            return "until", self.until, "a cap holds in periods it covers by half or more; set periods_per_year = 2"
        return nothing

    def _limit_name(self, origin: str) -> str:
        if self.name:
            return self.name if len(self.by) == 1 and self.by[0] == origin else f"{self.name}, {origin}"
        return f"{origin} licence quota on {', '.join(self.products)} to {', '.join(self.destinations)}"

    def _entries(
        self, vocabulary: Vocabulary, products: Sequence[int], origin: int, destinations: Sequence[int]
    ) -> list[tuple[int, int, int, float]]:
        unit = self.licence.unit or ""
        return [(p, origin, j, weight(unit, vocabulary.products[p])) for p in products for j in destinations]

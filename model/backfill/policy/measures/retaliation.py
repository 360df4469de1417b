"""Retaliation: a measure that a controlled country takes for as long as it is controlled."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board, box
from backfill.policy.measure import KINDS, Measure, Products, Regions, Stage, kind, kind_meant


def _measure(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Measure):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "a measure")
    name = value.get("kind")
    if name not in KINDS or name == "retaliation":
        remedy = kind_meant(str(name), [k for k in KINDS if k != "retaliation"])
        raise PydanticCustomError("unknown_choice", "kind", {"key": "kind", "value": name, "remedy": remedy})
    return KINDS[name].model_validate(value, context=info.context)


@kind("retaliation")
class Retaliation(Measure):
    """Takes a measure on the days on which others control exports to it, and only then.

    The measure inside has no dates of its own and supersedes none. The trigger is any own control of `against` on the products
    named, to the one who retaliates; adopted controls count as well.
    """

    also: ClassVar[tuple[str, ...]] = ("countermeasure", "minerals", "reprisal")
    stage: ClassVar[Stage] = Stage.RESPONSES
    beside: ClassVar[str] = """\
[[measures]]
kind = "export_control"
by = "USA"
products = "tools_and_subsystems"
destinations = "CHN"
coverage = 0.6
from = 2024-01-01
"""
    sources: ClassVar[str] = (
        "China's licences on gallium and germanium (1 August 2023) and ban of sales to the United States (3 "
        "December 2024, suspended to 27 November 2026)."
    )
    example: ClassVar[str] = """\
kind = "retaliation"
by = "CHN"
against = "USA"
products = "tools_and_subsystems"  # a control on any of these sets it off
measure = { kind = "export_control", by = "CHN", products = "minerals", destinations = "USA", coverage = 0.8 }
from = 2024-12-03
"""

    kind: Literal["retaliation"] = "retaliation"
    by: Regions = Field(description="who retaliates")
    against: Regions = Field(description="whose controls set it off")
    products: Products = Field(("all",), description="products whose control sets it off")
    measure: Annotated[SerializeAsAny[Measure], BeforeValidator(_measure)] = Field(description="the measure taken")

    @model_validator(mode="after")
    def _whole(self) -> Retaliation:
        for name, value in (("from", self.measure.begin), ("until", self.measure.until), ("supersedes", self.measure.supersedes)):
            if value:
                remedy = "is said of the retaliation as a whole; move it out of the measure inside"
                raise PydanticCustomError("out_of_place", "inside", {"key": f"measure.{name}", "value": value, "remedy": remedy})
        return self

    def act(self, board: Board) -> None:
        self.measure.act(board.within(self._set_off(board)))

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        why = self.measure.idle(board)
        return None if why is None else ("measure", why[1], f"{why[0]}: {why[2]}")

    def why_inert(self, board: Board) -> tuple[str, object, str] | None:
        if not self._set_off(board).any():
            return "against", list(self.against), "controls nothing sold to it on these dates; add an export_control"
        return None

    def _set_off(self, board: Board) -> np.ndarray:
        """Boolean ``[stretch]``: in force, and the other controls something."""
        everywhere = np.ones(len(board.timeline.begins), bool)
        place = box(everywhere, board.products(self.products), board.regions(self.against), board.regions(self.by))
        found = np.maximum(board.closed(place), board.closed(place, advanced_only=True))
        return self.when(board) & (found.max(axis=(1, 2, 3)) > 0)

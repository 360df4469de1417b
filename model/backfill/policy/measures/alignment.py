"""Alignment: an ally adopts another's controls."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from backfill.policy.board import Board, Place, box
from backfill.policy.measure import Measure, Products, Regions, Share, Stage, kind


def _number(value: Any) -> Any:
    """A level to be found is no level of a policy."""
    if value == "endogenous":
        remedy = "is found by backfill align: write a [game] with its players (see docs/games.md), or give a level"
        raise PydanticCustomError("unknown_choice", "level", {"key": "", "value": value, "remedy": remedy})
    return value


@kind("alignment")
class Alignment(Measure):
    """An ally adopts the controls another has in force on the products, to the same destinations, in part or whole.

    Its coverage is ``level * phi`` with ``phi`` the widest coverage of the other's own controls on that day, for the same
    end use: it begins, widens and ends with them. Licence quotas are not adopted.
    """

    also: ClassVar[tuple[str, ...]] = ("adoption", "multilateral_control", "plurilateral_control")
    stage: ClassVar[Stage] = Stage.ALIGNMENT
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
        "Action Plan of July 2025, 'Align protection measures globally'; precedents: Japan 23 July 2023, the "
        "Netherlands 1 September 2023."
    )
    example: ClassVar[str] = """\
kind = "alignment"
region = ["NLD", "JPN"]
with = "USA"                       # whose controls
products = "tools_and_subsystems"
level = 1.0                        # 0 none, 1 the same coverage
from = 2025-01-01
"""

    kind: Literal["alignment"] = "alignment"
    region: Regions = Field(description="regions that align")
    others: Regions = Field(("USA",), alias="with", description="whose controls they adopt")
    products: Products = Field(("all",), description="products on which they align")
    level: Annotated[Share, BeforeValidator(_number)] = Field(description="coverage relative to the other's")

    def act(self, board: Board) -> None:
        when, products, regions = self.when(board), board.products(self.products), board.regions(self.region)
        everywhere, theirs = range(len(board.vocabulary.regions)), self._theirs(board)
        for close, controls in board.own_controls(theirs):
            close(when, products, regions, everywhere, board.during(when, self.level) * controls.max(axis=2)[:, :, None, :])

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.level == 0:
            return "level", 0.0, "adopts nothing; give a level above 0 or remove the measure"
        if len({*board.regions(self.region), *board.regions(self.others)}) == 1:
            return (
                "region",
                list(self.region),
                "would align with itself; name who aligns, and under with whose controls",
            )
        flows = board.products(self.products), board.regions(self.region), range(len(board.vocabulary.regions))
        return self.no_trade(board, *flows, partner="region", key="region")

    def why_inert(self, board: Board) -> tuple[str, object, str] | None:
        adopted = board.closed(self._theirs(board), own_control=True, advanced_only=True).max(axis=2)
        if not adopted.any():
            return (
                "with",
                list(self.others),
                "has no denial in force on these products on these dates; add an export_control",
            )
        destinations = np.flatnonzero(adopted.max(axis=(0, 1), initial=0)).tolist()
        products = np.asarray(board.products(self.products))[adopted.max(axis=(0, 2), initial=0) > 0].tolist()
        return self.no_trade(board, products, board.regions(self.region), destinations, partner="region", key="region")

    def _theirs(self, board: Board) -> Place:
        """Where the others' controls on the products are, ``[stretch in force, product, other, destination]``."""
        return box(self.when(board), board.products(self.products), board.regions(self.others))

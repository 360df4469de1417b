"""Foreign direct product rule: a sender's control reaches products of others that contain its technology."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board, box
from backfill.policy.measure import Measure, Products, Regions, Share, Stage, kind


@kind("foreign_direct_product_rule")
class ForeignDirectProductRule(Measure):
    """Extends the sender's own controls to third countries whose products contain more of its technology than a threshold.

    A third country's product is covered by ``compliance * (1 - design_out)**years * phi``, ``phi`` the sender's coverage of that
    product and destination, where the content computed from inputs and tools, falling as makers design the sender's items
    out, ``T (1 - design_out)**years``, is above the threshold: 0 reaches whatever uses them, .25 is de minimis.
    """

    also: ClassVar[tuple[str, ...]] = ("de_minimis", "extraterritorial_control", "fdpr")
    stage: ClassVar[Stage] = Stage.ALIGNMENT
    beside: ClassVar[str] = """\
[[measures]]
kind = "export_control"
by = "USA"
products = "hbm"
destinations = "CHN"
coverage = 0.6
from = 2024-01-01
"""
    sources: ClassVar[str] = (
        "15 CFR 734.9 and 734.4 (de minimis 25%, 10%, 0%), 89 FR 96790 (5 December 2024); content computed from "
        "the benchmark's inputs."
    )
    example: ClassVar[str] = """\
kind = "foreign_direct_product_rule"
by = "USA"
products = "hbm"
destinations = "CHN"
us_content_threshold = 0.0
exempt = "JPN"
compliance = 0.5                   # share of makers who obey
design_out = 0.05                  # a year
from = 2024-12-31
"""

    kind: Literal["foreign_direct_product_rule"] = "foreign_direct_product_rule"
    by: Regions = Field(("USA",), description="whose technology and whose controls")
    products: Products = Field(("all",), description="products it reaches")
    destinations: Regions = Field(("all",), description="where to")
    exempt: Regions | None = Field(None, description="regions whose makers are exempt")
    us_content_threshold: Share = Field(0.0, description="content above which a product is reached")
    compliance: Share = Field(0.5, description="share of makers who obey")
    design_out: Share = Field(
        0.05, description="share of makers a year who do without", json_schema_extra={"unit": "a year"}
    )

    def act(self, board: Board) -> None:
        when = self.when(board)
        left = (1 - self.design_out) ** board.years_since(self.announced or self.begin)
        obey, left = (board.during(when, share, 2) for share in (self.compliance * left, left))
        least = board.during(when, self.us_content_threshold, 2)
        destinations = board.regions(self.destinations)
        for product in board.products(self.products):
            makers = self._reached(board, product)
            obeying = obey * (left * list(makers.values()) > least)
            controlled = box(when, [product], board.regions(self.by), destinations)
            for close, controls in board.own_controls(controlled):
                share = obeying[:, None, :, None] * controls.max(axis=2)[:, :, None, :]
                close(when, [product], list(makers), destinations, share)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.compliance == 0:
            return "compliance", 0.0, "nobody obeys; give a share above 0 or remove the measure"
        if board.facts is None:
            return (
                "products",
                list(self.products),
                "content is known of the benchmark only; use alignment with own tables",
            )
        contents = [c for p in board.products(self.products) for c in self._reached(board, p).values()]
        if not contents or max(contents) <= self.us_content_threshold:
            told = (
                f"is at most {max(contents, default=0.0):.3f} of these products in third countries; lower the threshold"
            )
            return "us_content_threshold", self.us_content_threshold, told
        return None

    def why_inert(self, board: Board) -> tuple[str, object, str] | None:
        places = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        if not board.closed(box(self.when(board), *places), own_control=True, advanced_only=True).any():
            return "by", list(self.by), "has no control in force on these products; add an export_control"
        return None

    def _reached(self, board: Board, product: int) -> dict[int, float]:
        """Third countries to their content of the senders' technology."""
        if board.facts is None:
            return {}
        senders = board.regions(self.by)
        outside = set(senders) | set(board.regions(self.exempt or ())) | set(board.regions(self.destinations))
        if self.destinations == ("all",):
            outside = set(senders) | set(board.regions(self.exempt or ()))
        content = np.minimum(board.facts.content[product][:, senders].sum(1), 1.0)
        return {i: float(content[i]) for i in range(len(content)) if i not in outside and content[i] > 0}

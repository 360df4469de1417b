"""Redesign: sellers' answer to a line, a variant just under it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board, box
from backfill.policy.measure import Measure, Products, Regions, Share, Stage, kind


@kind("redesign")
class Redesign(Measure):
    """Sellers bring out a variant just under the line: what a control by lines closes opens again after a lag, at a cost.

    Of the coverage by lines that has been in force for ``lag`` years the share ``reopened`` falls away; who buys again buys the
    variant, which costs ``cost`` of its price more: ``cost * reopened coverage / open`` on average over all who buy on the route.
    A control without `threshold` follows the destination and cannot be designed around.
    """

    also: ClassVar[tuple[str, ...]] = ("compliant_chip", "export_version", "variant")
    stage: ClassVar[Stage] = Stage.REDESIGN
    beside: ClassVar[str] = """\
[[measures]]
kind = "export_control"
by = "USA"
products = "accelerators_export_grade"
destinations = "CHN"
threshold = [{ tpp = 4800 }, { tpp = 1600, performance_density = 5.92 }]
coverage = 0.9
from = 2023-11-17
"""
    sources: ClassVar[str] = (
        "A800 (November 2022, a month after the rule), H800 (March 2023), H20 (early 2024, some months after the rule of "
        "17 October 2023); lag of half a year to a year; cost assumed."
    )
    example: ClassVar[str] = """\
kind = "redesign"
by = "USA"
products = "accelerators_export_grade"
destinations = "CHN"
lag = 0.75                         # years
cost = 0.1                         # of the price
from = 2022-10-07
"""

    kind: Literal["redesign"] = "redesign"
    by: Regions = Field(("USA",), description="whose designers answer")
    products: Products = Field(("accelerators_export_grade",), description="products of which there are variants")
    destinations: Regions = Field(("all",), description="where they are sold")
    lag: float = Field(
        0.75, ge=0, le=5, description="years until the variant sells", json_schema_extra={"unit": "years"}
    )
    cost: float = Field(
        0.1, ge=0, le=1, description="what the variant costs more", json_schema_extra={"unit": "share of the price"}
    )
    reopened: Share = Field(1.0, description="share of what the line closed that the variant serves")

    def act(self, board: Board) -> None:
        when, destinations = self.when(board), board.regions(self.destinations)
        place = box(np.ones(len(when), bool), board.products(self.products), board.regions(self.by), destinations)
        drawn = board.drawn[place]
        served = np.zeros_like(drawn)
        for stretch in np.flatnonzero(when):
            since = self._long_enough(board, int(stretch))
            if since is not None:
                served[stretch] = self.reopened * drawn[since : stretch + 1].min(axis=0)
        before = board.coverage[place]
        for values in (board.coverage, board.advanced):
            left = np.maximum(drawn - served, board.undrawn[place])
            values[place] = np.where(served > 0, np.minimum(values[place], left), values[place])
        left = board.coverage[place]
        board.real_cost[place] += self.cost * (before - left) / np.where(left < 1, 1 - left, 1.0)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.reopened == 0:
            return "reopened", 0.0, "serves nobody; give a share above 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        return self.no_trade(board, *flows, partner="destinations", key="products")

    def why_inert(self, board: Board) -> tuple[str, object, str] | None:
        when, always = self.when(board), np.ones(len(board.timeline.begins), bool)
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        drawn = board.drawn[box(always, *flows)].max(axis=(1, 2, 3)) > 0
        if (drawn & when).any():
            return None
        if not drawn.any():
            return "by", list(self.by), "draws no line on these flows; add an export_control with a threshold"
        before = np.flatnonzero(drawn[: when.argmax()])
        if before.size:
            over = board.timeline.ends[before[-1]].isoformat()
            return "from", self.begin, f"the line on these flows is over by then ({over}); change the dates"
        first = board.timeline.begins[drawn.argmax()].isoformat()
        return "until", self.until, f"no line on these flows is drawn before {first}; change the dates"

    def _long_enough(self, board: Board, stretch: int) -> int | None:
        """First of the stretches of the last ``lag`` years before the middle of one; None if that is before all of them."""
        time = board.timeline
        middle = time.begins[stretch] + (time.ends[stretch] - time.begins[stretch]) / 2
        day = middle - dt.timedelta(days=365.25 * self.lag)
        return next((n for n, (a, b) in enumerate(zip(time.begins, time.ends, strict=True)) if a <= day < b), None)

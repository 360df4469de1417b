"""Share cap: sales to one destination held below a share of those to another."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Products, Regions, kind
from backfill.policy.quantities import weight


@kind("share_cap")
class ShareCap(Measure):
    """Holds sales to destinations below a share of sales of the same products to a reference: ``q <= share * q_reference``.

    Internalised, sellers gain room by selling more to the reference and pay for it with what they take from the
    destination, so that the net rent is nothing; otherwise the rent is taken on sales to the destination alone and goes to
    the sender. Accelerators are counted in operations (TPP), as the rule of January 2026 counts them.
    """

    also: ClassVar[tuple[str, ...]] = ("quota", "ratio_cap")
    sources: ClassVar[str] = (
        "Rule of 15 January 2026 on the H200: sales to China at most half of those to the United States."
    )
    example: ClassVar[str] = """\
kind = "share_cap"
by = "USA"
products = "accelerators_frontier"
destinations = "CHN"
reference = "USA"
share = 0.5
from = 2026-01-15
"""

    kind: Literal["share_cap"] = "share_cap"
    by: Regions = Field(("USA",), description="senders, each with a cap of its own")
    products: Products = Field(description="products counted")
    destinations: Regions = Field(description="where sales are capped")
    reference: Regions = Field(("USA",), description="whose purchases are the measure")
    share: float = Field(ge=0, le=100, description="largest ratio", json_schema_extra={"unit": "ratio of volumes"})
    internalised: bool = Field(
        True, description="whether sales to the reference are made cheaper by the room they give"
    )

    def act(self, board: Board) -> None:
        names, products = board.vocabulary, board.products(self.products)
        capped, reference = board.regions(self.destinations), board.regions(self.reference)
        for sender in board.regions(self.by):
            entries = [(p, sender, j, weight("TPP", names.products[p])) for p in products for j in capped]
            entries += [
                (p, sender, j, -self.share * weight("TPP", names.products[p])) for p in products for j in reference
            ]
            code = names.regions[sender]
            name = self.name or f"{code} sales of {', '.join(self.products)} to {', '.join(self.destinations)}, share"
            unit = "thousand H100s' operations" if "accelerators" in "".join(self.products) else "million USD of 2022"
            board.limit(
                self.when(board), name, sender, "exporter", [e for e in entries if e[3]], 0.0, unit,
                own_use=True, internalised=self.internalised,
            )  # fmt: skip

    def shut(self, board: Board) -> np.ndarray | None:
        return self._capped(board) if self.share == 0 else None

    def counted_on(self, board: Board) -> np.ndarray | None:
        return None if self.share == 0 else self._capped(board)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if set(board.regions(self.destinations)) & set(board.regions(self.reference)):
            return "reference", list(self.reference), "is among the destinations; measure against other regions"
        flows = board.products(self.products), board.regions(self.by), board.regions(self.destinations)
        nothing = self.no_trade(board, *flows, partner="destinations", key="products")
        if nothing is None and not board.whole_periods(self.when(board)).any():
            return "until", self.until, "a cap holds in periods it covers by half or more; set periods_per_year = 2"
        return nothing

    def _capped(self, board: Board) -> np.ndarray:
        """Boolean ``[product, origin, destination]``: what is capped."""
        return board.flows(board.products(self.products), board.regions(self.by), board.regions(self.destinations))

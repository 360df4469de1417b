"""How well each flow is known."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.first import First
from backfill.economy.compile.sectors import BROAD

TRUSTED = 0.5

Graded = tuple[np.ndarray, np.ndarray]


def flow_grades(product: str, first: First | None, flow: np.ndarray, carved: np.ndarray) -> Graded:
    """Grade and source of each cell of a product's matrix.

    Broad flows are observed where nothing was carved out of them, derived otherwise; a stack cell is derived where customs
    (or a seller's accounts) recorded trade between the pair and balancing moved it by less than half, assumed where sales
    shares, gravity, own use or balancing give it.

    Args:
        first: the product's first matrix, None for broad products.
        flow: the balanced matrix.
        carved: where stack products were taken out, for broad products.
    """
    if product in BROAD or first is None:
        return np.where(carved, "derived", "observed"), np.full(flow.shape, "oecd_icio_2022")
    source = "asml_20f" if product == "lithography" else "comtrade_2022"
    kept = first.recorded & (np.abs(flow - first.value) <= TRUSTED * first.value)
    return np.where(kept, "derived", "assumed"), np.where(kept, source, "backfill_assumption")

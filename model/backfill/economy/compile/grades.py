"""How well each flow is known."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.first import First
from backfill.economy.compile.sectors import BROAD

Graded = tuple[np.ndarray, np.ndarray]


def flow_grades(product: str, first: First | None, shape: tuple[int, int], carved: np.ndarray) -> Graded:
    """Grade and source of each cell of a product's matrix.

    Broad flows are observed where nothing was carved out of them, derived otherwise; a stack cell is derived where customs
    (or a seller's accounts) recorded trade between the pair, assumed where sales shares, gravity or own use give it.

    Args:
        first: the product's first matrix, None for broad products.
        carved: where stack products were taken out, for broad products.
    """
    if product in BROAD or first is None:
        return np.where(carved, "derived", "observed"), np.full(shape, "oecd_icio_2022")
    source = "asml_20f" if product == "lithography" else "comtrade_2022"
    return (
        np.where(first.recorded, "derived", "assumed"),
        np.where(first.recorded, source, "backfill_assumption"),
    )

"""How well each flow is known."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.demand import BROAD
from backfill.economy.compile.flows import PATTERN
from backfill.economy.compile.sources import Sources

CUSTOMS = "comtrade_2022"
NONE = ("derived", "oecd_icio_2022")


def flow_grade(sources: Sources, product: str) -> tuple[np.ndarray, np.ndarray]:
    """Grade and source of each cell of a product's matrix.

    Broad flows are observed where nothing was carved out and derived otherwise; a stack cell is derived where customs
    recorded trade between the pair, assumed where only sales shares, gravity or own use give it.
    """
    codes = sources.codes
    shape = (len(codes), len(codes))
    if product in BROAD:
        return np.full(shape, "derived"), np.full(shape, "oecd_icio_2022")
    grade, source = np.full(shape, "assumed"), np.full(shape, "backfill_assumption")
    if product in ("hbm", "packaging", "eda_ip", "servers"):
        return grade, source
    pattern = PATTERN[product]
    seen = np.zeros(shape)
    for quantity in ("customs_fob", "customs_cif"):
        rows = sources.figures.filter(
            (sources.figures["quantity"] == quantity) & (sources.figures["product"] == pattern)
        )
        if not rows.is_empty():
            seen += sources.matrix(quantity, codes, codes, product=pattern)
    np.fill_diagonal(seen, 0.0)
    grade[seen > 0], source[seen > 0] = "derived", CUSTOMS
    return grade, source

"""What balancing moved: cells on customs records that changed by more than 5%."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.first import First

TOLD = 0.05
LEAST_TOLD = 50.0


def adjustments(
    codes: tuple[str, ...], flows: dict[str, np.ndarray], firsts: dict[str, First]
) -> list[tuple[str, str, str, float, float, float]]:
    """Product, origin, destination, value before and after (million USD), change as a share of before.

    Before is the customs value, FOB, without re-exports, at sales scale. Cells below 50 million USD on both sides are left
    out: their moves are within the noise of customs records.
    """
    rows = []
    for product, first in firsts.items():
        before, after = first.value, flows[product]
        change = np.divide(after - before, before, out=np.zeros_like(after), where=before > 0)
        large = np.maximum(before, after) >= LEAST_TOLD
        for i, j in zip(*np.nonzero(first.recorded & large & (np.abs(change) > TOLD)), strict=True):
            rows.append((product, codes[i], codes[j], float(before[i, j]), float(after[i, j]), float(change[i, j])))
    return rows

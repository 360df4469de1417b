"""Applied tariffs of 2022 on every traded product."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.demand import STACK
from backfill.economy.compile.sectors import GOODS, SECTORS
from backfill.economy.compile.sources import Sources

LEAST_RATE = 0.0005


def applied(sources: Sources, sectors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rates by product, origin and destination.

    Electronics carry their sector's rate, other goods the flow-weighted rate of their four sectors, services none. The
    stack trades free under the Information Technology Agreement except where Section 301 applies. Own trade pays none.
    """
    codes = sources.codes
    rates = {s: sources.matrix("applied_tariff", codes, codes, product=s) for s in SECTORS if s != "services"}
    weight = sum(sectors[s] for s in GOODS)
    mean = sum(rates[s] * sectors[s] for s in GOODS)
    out = {p: np.zeros((len(codes), len(codes))) for p in (*STACK, "services")}
    out["electronics"] = rates["electronics"]
    out["other_goods"] = np.divide(mean, weight, out=np.zeros_like(weight), where=weight > 0)
    rows = sources.rows("section_301_tariff").select("region", "partner", "product", "value").iter_rows()
    for origin, destination, product, rate in rows:
        out[product][codes.index(origin), codes.index(destination)] = rate
    for matrix in out.values():
        np.fill_diagonal(matrix, 0.0)
        matrix[matrix < LEAST_RATE] = 0.0
    return out

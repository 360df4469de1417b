"""Customs trade of 2022 brought to one basis: FOB, without re-exports, by the maker's jurisdiction."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.sources import Sources

PASS_THROUGH = ("HKG", "SGP", "MYS")
MACHINES = ("tools_front_end", "tools_back_end", "tool_parts")


def fob(sources: Sources, product: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Trade of a customs product at FOB value over the regions and Hong Kong, million USD.

    Importer-reported rows are CIF: ``FOB = CIF / (1 + margin)``.
    """
    places = (*sources.codes, "HKG")
    kind = "machines" if product in MACHINES else "chips"
    margin = sources.value("cif_over_fob", product=kind)
    trade = np.zeros((len(places), len(places)))
    given = set(sources.rows("customs_fob")["product"]), set(sources.figures["product"])
    if product in given[0]:
        trade += sources.matrix("customs_fob", places, places, product=product)
    cif = sources.figures.filter((sources.figures["quantity"] == "customs_cif") & (sources.figures["product"] == product))
    if not cif.is_empty():
        trade += sources.matrix("customs_cif", places, places, product=product) / (1 + margin)
    return trade, places


def without_reexports(trade: np.ndarray, places: tuple[str, ...], made: dict[str, float]) -> np.ndarray:
    """Attribute re-exports of the pass-through places to where they came from.

    Exports of h beyond what it makes, ``e_h - m_h``, are re-exports: they leave h in proportion to its exports and are
    given to its suppliers by its import shares. Goods pass through several of these places, so the attribution repeats
    until nothing is left to move; a place never re-exports more than it imports, nor to its own supplier.

    Args:
        trade: value by origin and destination, the diagonal ignored.
        made: export value of own make by pass-through place.

    Returns:
        Trade by true origin; what a supplier ships through h to itself comes out as its own use.
    """
    out = trade.copy()
    np.fill_diagonal(out, 0.0)
    for _ in range(50):
        moved = 0.0
        for place in PASS_THROUGH:
            h = places.index(place)
            exports, imports = out[h].sum(), out[:, h].sum()
            passing = min(max(exports - made.get(place, 0.0), 0.0), 0.98 * imports)
            if exports <= 0 or passing < 1e-6 * exports:
                continue
            leaving = out[h] * (passing / exports)
            source = out[:, h] / imports
            out[h] -= leaving
            out[:, h] -= source * passing
            out += np.outer(source, leaving)
            moved += passing
        if moved < 1.0:
            break
    return out


def on_regions(trade: np.ndarray, places: tuple[str, ...]) -> np.ndarray:
    """Fold Hong Kong into China (what passes between them becomes Chinese own use)."""
    china, last = places.index("CHN"), len(places) - 1
    out = trade.copy()
    out[china] += out[last]
    out[:, china] += out[:, last]
    return out[:last, :last]


def by_headquarters(sources: Sources, trade: np.ndarray) -> np.ndarray:
    """Give shipments of tool makers' plants abroad to the jurisdiction that controls them."""
    out = trade.copy()
    codes = sources.codes
    for plant, home, share in sources.rows("headquarters_share").select("region", "partner", "value").iter_rows():
        i, j = codes.index(plant), codes.index(home)
        out[j] += share * out[i]
        out[i] *= 1 - share
    return out

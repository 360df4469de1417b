"""Customs trade of 2022 brought to one basis: FOB, without re-exports, by the maker's jurisdiction."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.sources import Sources

PASS_THROUGH = ("HKG", "SGP", "MYS")
MACHINES = ("tools_front_end", "tools_back_end", "tool_parts")
RARE_EARTHS = "rare_earths"


def fob(sources: Sources, product: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Trade of a customs product at FOB value over the regions and Hong Kong, million USD.

    Importer-reported rows are CIF: ``FOB = CIF / (1 + margin)``.
    """
    places = (*sources.codes, "HKG")
    margin = sources.value("cif_over_fob", product="machines" if product in MACHINES else "chips")
    trade = np.zeros((len(places), len(places)))
    for quantity, factor in (("customs_fob", 1.0), ("customs_cif", 1 / (1 + margin))):
        if sources.has(quantity, product=product):
            trade += factor * sources.matrix(quantity, places, places, product=product)
    return trade, places


def without_reexports(
    trade: np.ndarray, places: tuple[str, ...], made: dict[str, float], kept: dict[str, float]
) -> np.ndarray:
    """Attribute re-exports of the pass-through places to where they came from.

    Exports of h beyond what it makes, ``e_h - m_h``, are re-exports, at most its imports less a share it keeps. They
    leave h in proportion to its exports and are given to its suppliers by its import shares; goods pass through several
    of these places, so the attribution repeats until nothing is left to move.

    Args:
        trade: value by origin and destination, the diagonal ignored.
        made: export value of own make by pass-through place.
        kept: share of its first imports that each place uses itself.

    Returns:
        Trade by true origin; what a supplier ships through h to itself comes out as its own use.
    """
    out = trade.copy()
    np.fill_diagonal(out, 0.0)
    floor = {place: kept[place] * out[:, places.index(place)].sum() for place in PASS_THROUGH}
    for _ in range(100):
        moved = 0.0
        for place in PASS_THROUGH:
            h = places.index(place)
            own, out[h, h] = out[h, h], 0.0
            exports, imports = out[h].sum(), out[:, h].sum()
            passing = min(max(exports - made.get(place, 0.0), 0.0), max(imports - floor[place], 0.0))
            if passing > 0:
                leaving = out[h] * (passing / exports)
                source = out[:, h] / imports
                out[h] -= leaving
                out[:, h] -= source * passing
                out += np.outer(source, leaving)
                moved += passing
            out[h, h] += own
        if moved < 1e-3:
            break
    return np.maximum(out, 0.0)


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


def cleaned(sources: Sources, product: str, output: np.ndarray) -> np.ndarray:
    """Trade of one customs product over the regions, ready as a pattern, million USD.

    Args:
        output: what the regions make of the model products with this pattern, million USD of sales.
    """
    codes = sources.codes
    trade, places = fob(sources, product)
    if product == "gallium_germanium":
        trade += sources.matrix("customs_fob", places, places, product=RARE_EARTHS)
    crossings = sources.value("crossings")
    made = {}
    for place in ("SGP", "MYS"):
        exports = trade[places.index(place)].sum()
        made[place] = 0.6 * exports if product in MACHINES else crossings * output[codes.index(place)]
    matrix = on_regions(without_reexports(trade, places, made, sources.by("region", "kept_share")), places)
    if sources.has("solar_share", product=product):
        for region, share in sources.by("region", "solar_share", product=product).items():
            matrix[codes.index(region)] *= 1 - share
    return by_headquarters(sources, matrix) if product == "tools_front_end" else matrix

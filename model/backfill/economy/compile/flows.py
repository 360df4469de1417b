"""First matrices of the stack's trade: customs patterns balanced to what is made and bought."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.balance import balance
from backfill.economy.compile.customs import by_headquarters, fob, on_regions, without_reexports
from backfill.economy.compile.demand import BROAD, STACK, Totals
from backfill.economy.compile.sources import Sources

PATTERN = {
    "logic_advanced": "chips_logic", "logic_mature": "chips_logic", "memory": "chips_memory", "hbm": "chips_memory",
    "packaging": "chips_logic", "wafers_materials": "silicon_wafers", "minerals": "gallium_germanium",
    "subsystems": "tool_parts", "lithography": "tools_front_end", "deposition_etch": "tools_front_end",
    "process_control_test": "tools_back_end",
}
SECTOR = {"eda_ip": "services", "servers": "electronics", "minerals": "chemicals_materials",
          "wafers_materials": "chemicals_materials", "subsystems": "machinery_electrical",
          "lithography": "machinery_electrical", "deposition_etch": "machinery_electrical",
          "process_control_test": "machinery_electrical"}
SECTORS = (
    "chemicals_materials", "electronics", "machinery_electrical", "other_manufacturing", "primary", "services",
)
GRAVITY = 0.03


def icio(sources: Sources) -> dict[str, np.ndarray]:
    """Flows of each ICIO sector by origin and destination, own use included, million USD."""
    codes = sources.codes
    return {sector: sources.matrix("icio_flow", codes, codes, product=sector) for sector in SECTORS}


def customs(sources: Sources, output: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Trade of each customs product without re-exports, by maker's jurisdiction."""
    codes = sources.codes
    crossings = sources.value("crossings")
    out = {}
    for product in sorted(set(PATTERN.values())):
        trade, places = fob(sources, product)
        if product == "gallium_germanium":
            trade[: len(codes), : len(codes)] += sources.matrix("customs_fob", codes, codes, product="rare_earths")
        made = {}
        for place in ("SGP", "MYS"):
            r = codes.index(place)
            made[place] = crossings * sum(output[p][r] for p in PATTERN if PATTERN[p] == product)
            if product.startswith("tool"):
                made[place] = 0.6 * trade[places.index(place)].sum()
        matrix = on_regions(without_reexports(trade, places, made), places)
        for region, share in sources.by("region", "solar_share", product=product).items() if (
            product == "silicon_wafers"
        ) else ():
            matrix[codes.index(region)] *= 1 - share
        out[product] = by_headquarters(sources, matrix) if product == "tools_front_end" else matrix
    return out


def first_matrices(sources: Sources, totals: Totals, sectors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Flows of every stack product: customs pattern, own use, a little gravity, balanced to the totals."""
    traded = customs(sources, totals.output)
    out = {}
    for product in STACK:
        rows, columns = totals.output[product], totals.bought[product]
        sector = sectors[SECTOR.get(product, "electronics")]
        gravity = rows[:, None] * sector / np.maximum(sector.sum(1), 1e-9)[:, None]
        if product in PATTERN:
            prior = _with_own_use(traded[PATTERN[product]], rows, columns, gravity)
        else:
            prior = gravity
        prior = np.where(rows[:, None] > 0, prior, 0.0) * (columns > 0)
        out[product] = balance(prior, rows, columns)
    return out


def _with_own_use(pattern: np.ndarray, rows: np.ndarray, columns: np.ndarray, gravity: np.ndarray) -> np.ndarray:
    """Scale a customs pattern to sales; own use is output less exports, at least a tenth of what could be."""
    outside = pattern - np.diag(np.diag(pattern))
    known = outside.sum(1) > 0
    scale = np.divide(rows, outside.sum(1), out=np.zeros_like(rows), where=known)
    trade = outside * np.minimum(scale, 1.0)[:, None]
    covered = outside.sum(0) > 0.002 * outside.sum()
    trade = np.where(known[:, None] & covered[None, :], trade, gravity)
    trade += GRAVITY * gravity
    np.fill_diagonal(trade, 0.0)
    own = np.maximum(rows - trade.sum(1), 0.1 * np.minimum(rows, columns))
    return trade + np.diag(np.where(rows > 0, np.maximum(own, 1e-6), 0.0))


def broad_flows(sectors: dict[str, np.ndarray], stack: dict[str, np.ndarray], least: float) -> dict[str, np.ndarray]:
    """Broad products: their ICIO sectors less the stack products carved out, at least a share of each cell."""
    carved = {sector: np.zeros_like(next(iter(stack.values()))) for sector in SECTORS}
    for product, matrix in stack.items():
        carved[SECTOR.get(product, "electronics")] += matrix
    left = {s: np.maximum(m - carved[s], least * m) for s, m in sectors.items()}
    goods = sum(left[s] for s in SECTORS if s not in ("electronics", "services"))
    return dict(zip(BROAD, (left["electronics"], goods, left["services"]), strict=True))

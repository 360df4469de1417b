"""First matrices of the stack's trade, before balancing: customs scaled to sales, own use, a little gravity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.economy.compile.customs import cleaned
from backfill.economy.compile.demand import STACK, Totals
from backfill.economy.compile.sectors import SECTOR
from backfill.economy.compile.sources import Sources

PATTERN = {
    "logic_advanced": "chips_logic",
    "logic_mature": "chips_logic",
    "memory": "chips_memory",
    "wafers_materials": "silicon_wafers",
    "minerals": "gallium_germanium",
    "subsystems": "tool_parts",
    "lithography": "tools_front_end",
    "deposition_etch": "tools_front_end",
    "process_control_test": "tools_back_end",
}
BY_SIZE = ("eda_ip", "hbm", "packaging")
GRAVITY = 0.03
LEAST_CELL = 0.05


@dataclass(frozen=True)
class First:
    """A product's first matrix and where customs recorded trade.

    Attributes:
        value: million USD by origin and destination.
        recorded: cells that rest on customs records.
    """

    value: np.ndarray
    recorded: np.ndarray


def customs_patterns(sources: Sources, output: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Trade of each customs product without re-exports, FOB, by maker's jurisdiction."""
    return {
        name: cleaned(sources, name, np.sum([output[p] for p in PATTERN if PATTERN[p] == name], axis=0))
        for name in sorted(set(PATTERN.values()))
    }


def first_matrices(
    sources: Sources, totals: Totals, sectors: dict[str, np.ndarray], patterns: dict[str, np.ndarray]
) -> dict[str, First]:
    """First matrix of every stack product."""
    out = {}
    crossings = sources.value("crossings")
    for product in STACK:
        rows, columns = totals.output[product], totals.bought[product]
        by_size = rows[:, None] * columns / columns.sum()
        if product == "servers":
            first = First(_servers(sources, rows, columns, sectors["electronics"]), np.zeros_like(by_size, bool))
        elif product in BY_SIZE:
            first = First(by_size, np.zeros_like(by_size, bool))
        else:
            sector = sectors[SECTOR[product]]
            gravity = rows[:, None] * sector / sector.sum(1)[:, None]
            first = _from_customs(
                patterns[PATTERN[product]],
                rows,
                columns,
                gravity,
                crossings if SECTOR[product] == "electronics" else 1.0,
            )
        first = _with_own_share(sources, product, first, rows)
        if product == "lithography":
            first = _printers(sources, first, rows)
        possible = (rows[:, None] > 0) & (columns > 0)
        value = np.where(possible & (first.value >= LEAST_CELL), first.value, 0.0)
        value = _somebody_sells(value, rows, columns)
        out[product] = First(value, first.recorded & (value > 0))
    return out


def _from_customs(
    pattern: np.ndarray, rows: np.ndarray, columns: np.ndarray, gravity: np.ndarray, crossings: float
) -> First:
    """Own use is output less exports; the rest of output goes where customs saw it go, with a little gravity.

    Own use stays between four tenths and all of what a maker would sell at home if home bought from it as the root of its
    world share, ``columns * sqrt(rows / sum rows)``.
    """
    outside = pattern - np.diag(np.diag(pattern))
    exports = outside.sum(1)
    covered = outside.sum(0) > 0.002 * outside.sum()
    most = np.minimum(0.9 * rows, columns * np.sqrt(rows / rows.sum()))
    own = np.clip(rows - exports / crossings, 0.4 * most, most)
    outer = gravity - np.diag(np.diag(gravity))
    seen = (exports > 0)[:, None] & covered[None, :]
    guess = outer * np.divide(rows, outer.sum(1), out=np.zeros_like(rows), where=outer.sum(1) > 0)[:, None]
    shown = outside * np.divide(rows, exports, out=np.zeros_like(rows), where=exports > 0)[:, None]
    trade = np.where(seen, (1 - GRAVITY) * shown + GRAVITY * guess, guess)
    recorded = seen & (outside > 0)
    return First(_spread(trade, rows - own) + np.diag(own), recorded)


def _spread(trade: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Rows of ``trade`` scaled to ``totals``."""
    sums = trade.sum(1)
    return trade * np.divide(totals, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]


def _with_own_share(sources: Sources, product: str, first: First, rows: np.ndarray) -> First:
    """Makers whose sales at home are known or assumed."""
    if not sources.has("own_share", product=product):
        return first
    value = first.value.copy()
    for region, share in sources.by("region", "own_share", product=product).items():
        r = sources.codes.index(region)
        value[r, r] = 0.0
        value[r] *= (1 - share) * rows[r] / value[r].sum()
        value[r, r] = share * rows[r]
    return First(value, first.recorded)


def _printers(sources: Sources, first: First, rows: np.ndarray) -> First:
    """Dutch lithography follows the seller's accounts by region of customer."""
    codes = sources.codes
    sold = sources.vector("lithography_sales", codes)
    dutch = codes.index("NLD")
    value, recorded = first.value.copy(), first.recorded.copy()
    value[dutch] = rows[dutch] * (0.997 * sold / sold.sum() + 0.003 * value[dutch] / value[dutch].sum())
    recorded[dutch] = sold > 0
    return First(value, recorded)


def _servers(sources: Sources, rows: np.ndarray, columns: np.ndarray, electronics: np.ndarray) -> np.ndarray:
    codes = sources.codes
    given = sources.matrix("server_pattern", codes, codes)
    gravity = electronics / electronics.sum(1)[:, None]
    rest = np.where(given > 0, 0.0, 0.5 * gravity + 0.5 * columns / columns.sum())
    left = np.maximum(1 - given.sum(1), 0.0)
    return rows[:, None] * (given + left[:, None] * rest / rest.sum(1)[:, None])


def _somebody_sells(value: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A buyer whom no cell serves buys from the largest maker."""
    out = value.copy()
    for j in np.flatnonzero((columns > 0) & (value.sum(0) <= 0)):
        out[rows.argmax(), j] = columns[j]
    return out

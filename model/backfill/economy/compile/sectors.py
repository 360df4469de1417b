"""The rest of the economy: ICIO sectors, and which sector each stack product is carved from."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.sources import Sources

SECTORS = (
    "chemicals_materials",
    "electronics",
    "machinery_electrical",
    "other_manufacturing",
    "primary",
    "services",
)
GOODS = ("chemicals_materials", "machinery_electrical", "other_manufacturing", "primary")
BROAD = ("electronics", "other_goods", "services")
SECTOR = {
    "minerals": "chemicals_materials",
    "wafers_materials": "chemicals_materials",
    "eda_ip": "services",
    "subsystems": "machinery_electrical",
    "lithography": "machinery_electrical",
    "deposition_etch": "machinery_electrical",
    "process_control_test": "machinery_electrical",
    "logic_advanced": "electronics",
    "logic_mature": "electronics",
    "hbm": "electronics",
    "memory": "electronics",
    "packaging": "electronics",
    "servers": "electronics",
}


def icio(sources: Sources) -> dict[str, np.ndarray]:
    """Flows of each ICIO sector by origin and destination, own use included, million USD."""
    codes = sources.codes
    return {sector: sources.matrix("icio_flow", codes, codes, product=sector) for sector in SECTORS}


def broad_flows(
    sectors: dict[str, np.ndarray],
    stack: dict[str, np.ndarray],
    accelerators: np.ndarray,
    borrowed: np.ndarray,
    least: float,
) -> dict[str, np.ndarray]:
    """Broad products: their ICIO sectors less what is carved out of them, so that ICIO's output and GDP stay.

    Args:
        stack: flows of stack products.
        accelerators: accelerator sales by designer and user, carved from electronics.
        borrowed: machinery carved from other manufacturing where the machinery cell is too small.
        least: share of each cell that stays.
    """
    left = dict(sectors)
    left["electronics"] = left["electronics"] - accelerators
    for product, matrix in stack.items():
        left[SECTOR[product]] = left[SECTOR[product]] - matrix
    left["machinery_electrical"] = left["machinery_electrical"] + borrowed
    left["other_manufacturing"] = left["other_manufacturing"] - borrowed
    kept = {sector: np.maximum(left[sector], 0.5 * least * sectors[sector]) for sector in SECTORS}
    goods = np.sum([kept[sector] for sector in GOODS], axis=0)
    return {"electronics": kept["electronics"], "other_goods": goods, "services": kept["services"]}

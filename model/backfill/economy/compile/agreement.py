"""Whether source figures agree with each other: shares that must sum to one, totals that must match, known names."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from backfill.economy.compile.sources import Sources

SUM_TO_ONE = {
    "output_share": ("product",),
    "design_share": (),
    "cloud_site": ("region",),
    "user_share_outside_china": ("period",),
    "billing_split": ("partner",),
}
AT_MOST_ONE = {
    "server_pattern": ("region",),
    "server_buyer_share": (),
    "own_share": ("product", "region"),
    "input_share": ("product",),
    "input_coefficient": ("product", "region"),
    "user_share": ("period",),
}
BESIDE_REGIONS = ("", "all", "HKG", "NAM", "EUROPE", "REST")
BY_PARTNER = ("icio_flow", "applied_tariff", "customs_fob", "customs_cif")
BY_REGION = (
    "icio_flow", "applied_tariff", "customs_fob", "customs_cif", "output_share", "equipment_billings", "labour_growth",
    "user_share_outside_china", "own_share", "server_pattern", "input_coefficient",
)  # fmt: skip
TOOLS = ("lithography", "deposition_etch", "process_control_test")
TOLERANCE = 1e-6


def disagreements(sources: Sources, directory: Path) -> list[str]:
    """Faults between figures, each naming file, row, column and remedy."""
    found = []
    for quantity, keys in SUM_TO_ONE.items():
        for row, total in _sums(sources, quantity, keys):
            if abs(total - 1) > TOLERANCE:
                remedy = f"{quantity} {_label(row, keys)} sum to {total:.6g}: make them sum to 1"
                found.append(_fault(directory, row, "value", remedy))
    for quantity, keys in AT_MOST_ONE.items():
        for row, total in _sums(sources, quantity, keys):
            if total > 1 + TOLERANCE:
                remedy = f"{quantity} {_label(row, keys)} sum to {total:.6g}: keep them at most 1"
                found.append(_fault(directory, row, "value", remedy))
    found += _unknown_regions(sources, directory)
    found += _tools(sources, directory)
    return found


def _sums(sources: Sources, quantity: str, keys: tuple[str, ...]) -> list[tuple[dict, float]]:
    groups = sources.rows(quantity).partition_by(keys, maintain_order=True) if keys else [sources.rows(quantity)]
    return [(group.row(0, named=True), float(group["value"].sum())) for group in groups]


def _label(row: dict, keys: tuple[str, ...]) -> str:
    return "of " + ", ".join(str(row[key]) for key in keys) if keys else "together"


def _fault(directory: Path, row: dict, column: str, remedy: str) -> str:
    return f"{directory / row['file']}: row {row['row']}: {column}: {row[column]}: {remedy}"


def _unknown_regions(sources: Sources, directory: Path) -> list[str]:
    known = (*sources.codes, *BESIDE_REGIONS)
    return [
        _fault(directory, row, column, f"unknown region: use one of {', '.join(sources.codes)}")
        for column, quantities in (("region", BY_REGION), ("partner", BY_PARTNER))
        for row in sources.figures.filter(
            pl.col("quantity").is_in(quantities) & ~pl.col(column).is_in(known)
        ).iter_rows(named=True)
    ]


def _tools(sources: Sources, directory: Path) -> list[str]:
    sold = sum(sources.value("world_output", product=tool) for tool in TOOLS)
    row = sources.rows("equipment_billings", region="all", period="2022").row(0, named=True)
    if abs(sold - row["value"]) <= TOLERANCE * row["value"]:
        return []
    remedy = f"world_output of {', '.join(TOOLS)} in production.csv sums to {sold:.6g}: make them equal"
    return [_fault(directory, row, "value", remedy)]

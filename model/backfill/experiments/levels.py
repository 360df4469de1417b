"""Levels over time that get ranges: stocks of compute and capacity, year by year."""

from __future__ import annotations

import polars as pl

from backfill.experiments.results import EffectTables

KEYS = ("scenario", "quantity", "where", "product", "period", "unit")
STOCKS = ("owned stock", "accessible stock")


def levels(tables: EffectTables) -> dict[tuple[str, ...], float]:
    """Levels over time by `KEYS`: stocks of compute by bloc (H100e) and capacity by bloc and product (million USD of 2022)."""
    stocks = tables.compute.filter(
        pl.col("quantity").is_in(STOCKS), pl.col("region") == pl.col("bloc"), pl.col("product") == "accelerators"
    )
    capacity = tables.capacity.filter(pl.col("quantity") == "capacity")
    found: dict[tuple[str, ...], float] = {}
    for table in (stocks, capacity):
        every = table.with_columns(where=pl.col("bloc")).group_by(KEYS, maintain_order=True).agg(pl.col("value").sum())
        found.update({row[:-1]: row[-1] for row in every.iter_rows()})
    return found

"""Which flows the benchmark has: what a policy file is checked against."""

from __future__ import annotations

import polars as pl

from backfill.economy.tables import BaselineTables, read_table
from backfill.policy.board import FlowExists
from backfill.resources import data_dir


def benchmark_flows(tables: BaselineTables | None = None) -> FlowExists:
    """Whether a flow (product, origin, destination) is above zero in the base year, or for accelerators in any year.

    The origin of an accelerator is its designer's region, its destination where it is delivered.

    Args:
        tables: the benchmark; the shipped one if None.

    Raises:
        DataError: a table is missing or faulty.
    """

    def table(name: str) -> pl.DataFrame:
        return read_table(data_dir() / "baseline", name) if tables is None else getattr(tables, name)

    goods = table("flows").filter(pl.col("value_musd") > 0)
    designers = table("accelerator_bill").select("product", "origin").unique()
    use = table("compute_use").filter(pl.col("kh100e") > 0)
    chips = use.select("product", pl.col("site").alias("destination")).unique().join(designers, on="product")
    columns = ("product", "origin", "destination")
    known = {*goods.select(columns).iter_rows(), *chips.select(columns).iter_rows()}
    return lambda product, origin, destination: (product, origin, destination) in known

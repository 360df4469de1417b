"""What the baseline covers, how well each product is known, and what balancing moved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from backfill.economy.schema import GRADES
from backfill.economy.tables import BaselineTables, load_tables
from backfill.resources import data_dir

TOLD = 12


@dataclass(frozen=True)
class Description:
    """The baseline described.

    Attributes:
        coverage: table, rows, and what they span.
        grades: product, unit, world total, share of it observed, derived, assumed.
        parameters: number of parameters by grade.
        adjustments: cells on customs records that balancing moved by more than 5% (`adjustments.csv`).
    """

    coverage: pl.DataFrame
    grades: pl.DataFrame
    parameters: pl.DataFrame
    adjustments: pl.DataFrame

    def lines(self) -> list[str]:
        """The description as text, one line an item."""
        out = ["Coverage"]
        out += [f"  {table:<17} {rows:>6} rows  {spans}" for table, rows, spans in self.coverage.iter_rows()]
        out += ["", "How well each product's world is known (share of value or volume)"]
        out.append(f"  {'product':<26} {'world':>14} {'unit':<10} " + " ".join(f"{g:>9}" for g in GRADES))
        for product, unit, total, *shares in self.grades.iter_rows():
            out.append(f"  {product:<26} {total:>14,.0f} {unit:<10} " + " ".join(f"{s:>9.0%}" for s in shares))
        told = ", ".join(f"{count} {grade}" for grade, count in self.parameters.iter_rows())
        out += ["", f"Parameters: {told}"]
        moved = self.adjustments
        out += [
            "",
            f"Customs cells moved by more than 5%: {moved.height} (all in adjustments.csv); the largest, million USD",
        ]
        for product, origin, destination, before, after, change in moved.head(TOLD).iter_rows():
            out.append(f"  {product:<21} {origin} to {destination}: {before:>9,.0f} -> {after:>9,.0f} ({change:+.0%})")
        return out


def describe(directory: Path | None = None) -> Description:
    """Describe a built baseline.

    Args:
        directory: where its files lie; the shipped baseline if None.

    Raises:
        DataError: a table is missing or faulty.
    """
    place = directory if directory is not None else data_dir() / "baseline"
    tables = load_tables(place)
    return Description(_coverage(tables), _grades(tables), _parameters(tables), _adjustments(place))


def _coverage(tables: BaselineTables) -> pl.DataFrame:
    regions, products = tables.regions["region"], tables.products["product"]
    rows = []
    for table, frame in vars(tables).items():
        spans = []
        if "year" in frame.columns:
            spans.append(f"{frame['year'].min()}-{frame['year'].max()}")
        if "product" in frame.columns and table != "products":
            named = frame.filter(pl.col("product") != "")["product"].n_unique()
            if named:
                spans.append(f"{named} of {len(products)} products")
        for column in ("origin", "region", "user"):
            if column in frame.columns and table != "regions":
                named = frame.filter(pl.col(column) != "")[column].n_unique()
                spans.append(f"{named} of {len(regions)} regions")
        rows.append((table, frame.height, ", ".join(spans)))
    return pl.DataFrame(rows, ["table", "rows", "spans"], orient="row")


def _grades(tables: BaselineTables) -> pl.DataFrame:
    first = tables.compute_use["year"].min()
    use = tables.compute_use.filter(pl.col("year") == first)
    cloud = use.filter(pl.col("channel") == "cloud").with_columns(pl.lit("cloud_compute").alias("product"))
    known = pl.concat(
        [
            tables.flows.select("product", "grade", pl.col("value_musd").alias("amount")),
            use.filter(pl.col("channel") == "direct").select("product", "grade", pl.col("kh100e").alias("amount")),
            cloud.select("product", "grade", pl.col("kh100e").alias("amount")),
        ]
    )
    share = [
        (pl.col("amount").filter(pl.col("grade") == grade).sum() / pl.col("amount").sum()).alias(grade)
        for grade in GRADES
    ]
    by_product = known.group_by("product").agg(pl.col("amount").sum().alias("world"), *share)
    return (
        tables.products.select("product", "unit")
        .join(by_product, on="product", how="left", maintain_order="left")
        .select("product", "unit", pl.col("world").fill_null(0.0), *(pl.col(grade).fill_null(0.0) for grade in GRADES))
    )


def _parameters(tables: BaselineTables) -> pl.DataFrame:
    counts = tables.parameters.group_by("grade").agg(pl.len().alias("count"))
    return pl.DataFrame({"grade": GRADES}).join(counts, on="grade", how="left", maintain_order="left").fill_null(0)


def _adjustments(place: Path) -> pl.DataFrame:
    path = place / "adjustments.csv"
    empty = {
        "product": pl.String,
        "origin": pl.String,
        "destination": pl.String,
        "before_musd": pl.Float64,
        "after_musd": pl.Float64,
        "change": pl.Float64,
    }
    if not path.is_file():
        return pl.DataFrame(schema=empty)
    moved = pl.read_csv(path, schema=empty)
    return moved.sort((pl.col("after_musd") - pl.col("before_musd")).abs(), descending=True, maintain_order=True)

"""The project's own source figures, one a row, checked as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from backfill.economy.priors import faults_of_priors
from backfill.economy.schema import GRADES, DataError

COLUMNS = (
    "quantity",
    "region",
    "partner",
    "product",
    "period",
    "value",
    "low",
    "high",
    "unit",
    "grade",
    "source",
)
PRIOR_COLUMNS = ("distribution", "bounds", "acts_on", "meaning")
"""Columns that parameters have besides: see `backfill.economy.priors`."""

FIGURES = (
    "accelerators",
    "broad_inputs",
    "capacity",
    "customs",
    "equipment",
    "icio_flows",
    "icio_tariffs",
    "minerals",
    "parameters",
    "production",
    "technology",
)
LISTS = ("regions", "products", "bibliography")


@dataclass(frozen=True)
class Sources:
    """Every source figure and the lists of names.

    Attributes:
        figures: all rows of all figure files (`COLUMNS` and ``file``, ``row``, of parameters `PRIOR_COLUMNS` too).
        regions, products: names in array order.
        bibliography: source key to title, address and licence.
    """

    figures: pl.DataFrame
    regions: pl.DataFrame
    products: pl.DataFrame
    bibliography: pl.DataFrame

    @property
    def codes(self) -> tuple[str, ...]:
        """Region codes in array order."""
        return tuple(self.regions["region"])

    def has(self, quantity: str, **where: str) -> bool:
        """Whether there is a row of a quantity."""
        found = self.figures.filter(pl.col("quantity") == quantity)
        for column, value in where.items():
            found = found.filter(pl.col(column) == value)
        return not found.is_empty()

    def rows(self, quantity: str, **where: str) -> pl.DataFrame:
        """Rows of a quantity.

        Raises:
            DataError: there is none.
        """
        found = self.figures.filter(pl.col("quantity") == quantity)
        for column, value in where.items():
            found = found.filter(pl.col(column) == value)
        if found.is_empty():
            what = ", ".join([quantity, *(f"{k} {v}" for k, v in where.items())])
            raise DataError([f"data/sources: no row for {what}: add the figure with its source"])
        return found

    def value(self, quantity: str, **where: str) -> float:
        """The one value of a quantity.

        Raises:
            DataError: none or several.
        """
        found = self.rows(quantity, **where)
        if found.height > 1:
            row = found.row(1, named=True)
            raise DataError([f"{row['file']}: row {row['row']}: {quantity}: given twice: keep one row"])
        return float(found["value"][0])

    def by(self, column: str, quantity: str, **where: str) -> dict[str, float]:
        """Values of a quantity by one column."""
        return dict(self.rows(quantity, **where).select(column, "value").iter_rows())

    def matrix(self, quantity: str, rows: tuple[str, ...], columns: tuple[str, ...], **where: str) -> np.ndarray:
        """Values by region and partner; absent pairs are zero."""
        out = np.zeros((len(rows), len(columns)))
        for i, j, value in self.rows(quantity, **where).select("region", "partner", "value").iter_rows():
            if i in rows and j in columns:
                out[rows.index(i), columns.index(j)] += value
        return out

    def vector(self, quantity: str, regions: tuple[str, ...], **where: str) -> np.ndarray:
        """Values by region; absent regions are zero."""
        found = self.by("region", quantity, **where)
        return np.array([found.get(region, 0.0) for region in regions])

    def path(self, years: range, quantity: str, **where: str) -> np.ndarray:
        """Values by year: given years as they are, straight lines between, the ends held."""
        found = {int(year): value for year, value in self.by("period", quantity, **where).items()}
        known = sorted(found)
        return np.interp(list(years), known, [found[year] for year in known])


def read_sources(directory: Path) -> Sources:
    """Read and check every source file.

    Raises:
        DataError: all faults at once, each with file, row, column and remedy.
    """
    faults: list[str] = []
    lists: dict[str, pl.DataFrame] = {}
    for name in LISTS:
        path = directory / f"{name}.csv"
        if path.is_file():
            lists[name] = pl.read_csv(path, infer_schema_length=None).with_columns(pl.col(pl.String).fill_null(""))
        else:
            faults.append(f"{path}: missing file: restore it")
    keys = tuple(lists["bibliography"]["source"]) if "bibliography" in lists else ()
    frames = []
    for name in FIGURES:
        path = directory / f"{name}.csv"
        if not path.is_file():
            faults.append(f"{path}: missing file: restore it")
            continue
        frame, found = _figures(path, keys)
        faults += found
        frames.append(frame)
    if faults:
        raise DataError(faults)
    return Sources(pl.concat(frames, how="diagonal"), lists["regions"], lists["products"], lists["bibliography"])


def _figures(path: Path, keys: tuple[str, ...]) -> tuple[pl.DataFrame, list[str]]:
    raw = pl.read_csv(path, infer_schema=False).with_columns(pl.all().fill_null(""))
    columns = (*COLUMNS, *(PRIOR_COLUMNS if path.stem == "parameters" else ()))
    missing = [column for column in columns if column not in raw.columns]
    if missing:
        return raw, [f"{path}: row 1: {column}: missing: add the column" for column in missing]
    frame = raw.select(columns).with_row_index("row", offset=2).with_columns(pl.lit(path.name).alias("file"))
    faults = []
    for column in ("value", "low", "high"):
        number = pl.col(column).cast(pl.Float64, strict=False)
        wrong = number.is_null() | ~number.is_finite()
        needed = pl.lit(True) if column == "value" else pl.col(column) != ""
        faults += _say(path, column, frame.filter(needed & wrong), "missing or not a number: give a finite number")
        faults += _say(path, column, frame.filter(needed & (number < 0)), "negative: correct the figure or its sign")
    frame = frame.with_columns(pl.col("value", "low", "high").cast(pl.Float64, strict=False))
    outside = (pl.col("low") > pl.col("value")) | (pl.col("high") < pl.col("value"))
    faults += _say(path, "value", frame.filter(outside), "lies outside its own low and high: correct one of them")
    year = pl.col("period").str.contains(r"^(19|20)\d\d$")
    faults += _say(path, "period", frame.filter(~year), "is no year: write four digits, such as 2022")
    faults += _say(path, "grade", frame.filter(~pl.col("grade").is_in(GRADES)), f"use one of {', '.join(GRADES)}")
    faults += _say(path, "source", frame.filter(~pl.col("source").is_in(keys)), "not in bibliography.csv: add it there")
    identity = ["quantity", "region", "partner", "product", "period"]
    if path.stem == "parameters":
        faults += faults_of_priors(frame.rename({"quantity": "parameter", "value": "central"}), str(path))
    twice = frame.filter(~pl.struct(identity).is_first_distinct())
    faults += _say(path, "quantity", twice, "same figure given twice: keep one row")
    return frame, faults


def _say(path: Path, column: str, rows: pl.DataFrame, remedy: str) -> list[str]:
    return [f"{path}: row {row['row']}: {column}: {row[column]}: {remedy}" for row in rows.iter_rows(named=True)]

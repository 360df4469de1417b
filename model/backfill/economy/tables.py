"""The baseline: one polars frame a table, read and checked."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from backfill.dimensions import Vocabulary
from backfill.economy.schema import TABLES, DataError, dataframely_schema, faults_of, read_types, unknown_names
from backfill.resources import data_dir


@dataclass(frozen=True)
class BaselineTables:
    """The tables of an economy (columns and units: `schema.TABLES` and ``data/baseline/datapackage.json``).

    Values are million USD of 2022, accelerators thousand H100e, prices per unit thousand USD per H100e.

    Attributes:
        regions: names, blocs, hubs.
        products: names, groups, nests, elasticities.
        flows: value by product, origin and destination at mill price.
        tariffs: applied rates above zero.
        inputs: input share of gross output, by region and product.
        shares: margin and rent share of the mill price.
        accelerator_bill: cost items of an accelerator by year.
        compute_use: reference acquisitions by year, user, product, channel and site.
        compute_other: what else a unit of compute takes.
        nodes: planned capacities.
        capacity: reference utilisation and rent share by year.
        capacity_paths: capacity relative to 2022 by year, where a path is given; elsewhere it follows demand.
        tool_needs: tools per unit of capacity added.
        labour: effective labour relative to 2022.
        parameters: priors with range.
    """

    regions: pl.DataFrame
    products: pl.DataFrame
    flows: pl.DataFrame
    tariffs: pl.DataFrame
    inputs: pl.DataFrame
    shares: pl.DataFrame
    accelerator_bill: pl.DataFrame
    compute_use: pl.DataFrame
    compute_other: pl.DataFrame
    nodes: pl.DataFrame
    capacity: pl.DataFrame
    capacity_paths: pl.DataFrame
    tool_needs: pl.DataFrame
    labour: pl.DataFrame
    parameters: pl.DataFrame

    def vocabulary(self) -> Vocabulary:
        """The names these tables use."""
        return _vocabulary(self.regions, self.products)

    def digest(self) -> str:
        """A hash of everything in them."""
        found = hashlib.sha256()
        for field in fields(self):
            content = io.BytesIO()
            getattr(self, field.name).write_ipc(content)
            found.update(field.name.encode() + content.getvalue())
        return found.hexdigest()


def read_table(directory: Path, table: str) -> pl.DataFrame:
    """Read one table with its column types.

    Raises:
        DataError: the file is missing or a cell has the wrong type.
    """
    path = directory / f"{table}.csv"
    if not path.is_file():
        raise DataError([f"{path}: missing table: run `backfill data build` or restore the file"])
    raw = pl.read_csv(path, infer_schema=False)
    faults = []
    columns = []
    for name, dtype in read_types(table).items():
        if name not in raw.columns:
            continue
        if dtype is pl.String:
            columns.append(pl.col(name).fill_null(""))
            continue
        columns.append(pl.col(name).cast(dtype, strict=False))
        bad = raw.with_row_index("_row", offset=2).filter(
            pl.col(name).is_not_null() & pl.col(name).cast(dtype, strict=False).is_null()
        )
        faults += [f"{path}: row {r['_row']}: {name}: {r[name]}: give a number" for r in bad.iter_rows(named=True)]
    if faults:
        raise DataError(faults)
    return raw.with_columns(columns)


def load_tables(directory: Path | None = None, *, strict: bool = False) -> BaselineTables:
    """Read and check every baseline table.

    Args:
        directory: where the CSV files lie; the shipped baseline if None.
        strict: also validate against the dataframely schemas (slower import).

    Raises:
        DataError: all faults at once, each with file, row, column and remedy.
    """
    place = directory if directory is not None else data_dir() / "baseline"
    frames: dict[str, pl.DataFrame] = {}
    faults: list[str] = []
    for table in TABLES:
        try:
            frames[table] = read_table(place, table)
        except DataError as error:
            faults += error.faults
    faults += faults_of_tables(frames, place)
    if faults:
        raise DataError(faults)
    if strict:
        frames = {name: dataframely_schema(name).validate(frame) for name, frame in frames.items()}
    return BaselineTables(**{field.name: frames[field.name] for field in fields(BaselineTables)})


def faults_of_tables(frames: dict[str, pl.DataFrame], place: Path) -> list[str]:
    """Faults of a set of tables: columns, bounds, keys, names."""
    faults = [
        fault for table, frame in frames.items() for fault in faults_of(table, frame, str(place / f"{table}.csv"))
    ]
    if faults or not {"regions", "products"} <= set(frames):
        return faults
    regions = tuple(frames["regions"]["region"])
    products = tuple(frames["products"]["product"])
    for table, frame in frames.items():
        faults += unknown_names(table, frame, str(place / f"{table}.csv"), regions, products)
    return faults


def load_vocabulary(directory: Path | None = None) -> Vocabulary:
    """Names of regions, blocs, hubs, products and groups, from two small tables.

    Raises:
        DataError: a table is missing or faulty.
    """
    place = directory if directory is not None else data_dir() / "baseline"
    frames = {table: read_table(place, table) for table in ("regions", "products")}
    faults = faults_of_tables(frames, place)
    if faults:
        raise DataError(faults)
    return _vocabulary(frames["regions"], frames["products"])


def _vocabulary(regions: pl.DataFrame, products: pl.DataFrame) -> Vocabulary:
    groups: dict[str, list[str]] = {}
    for product, names in products.select("product", "groups").iter_rows():
        for group in filter(None, names.split(";")):
            groups.setdefault(group, []).append(product)
    return Vocabulary(
        regions=tuple(regions["region"]),
        bloc=dict(regions.select("region", "bloc").iter_rows()),
        hubs=tuple(regions.filter(pl.col("is_hub") == 1)["region"]),
        products=tuple(products["product"]),
        groups={group: tuple(members) for group, members in groups.items()},
        region_names=dict(regions.select("region", "name").iter_rows()),
        product_names=dict(products.select("product", "name").iter_rows()),
    )

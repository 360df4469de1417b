"""What every baseline table must look like; a fault names file, row, column and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import dataframely

GRADES = ("observed", "derived", "assumed")
DISTRIBUTIONS = ("lognormal", "logitnormal", "normal", "triangular", "uniform")
"""Families of priors; see `backfill.economy.priors`."""

BOUNDS = ("80%", "support")
"""What low and high of a prior are: its 10% and 90% points, or its ends."""

ACTS_ON = ("model", "tables", "measures", "games")
"""What a parameter is an argument of: the calibrated economy, the tables it is calibrated to, measures of a policy, or games."""


class DataError(ValueError):
    """Faults of data files, one line each: ``FILE: row ROW: COLUMN: VALUE: remedy``.

    Attributes:
        faults: the lines.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Column:
    """A column: its polars type and the values it may take.

    Attributes:
        dtype: ``pl.String``, ``pl.Int64`` or ``pl.Float64``.
        key: part of the row's identity.
        least, most: bounds, inclusive.
        allowed: the only values, if given.
    """

    dtype: type[pl.DataType]
    key: bool = False
    least: float | None = None
    most: float | None = None
    allowed: tuple[str, ...] = ()


def _text(*, key: bool = False, allowed: tuple[str, ...] = ()) -> Column:
    return Column(pl.String, key=key, allowed=allowed)


def _number(least: float | None = 0.0, most: float | None = None) -> Column:
    return Column(pl.Float64, least=least, most=most)


_KEY = _text(key=True)
_YEAR = Column(pl.Int64, key=True, least=2000, most=2100)
_FLAG = Column(pl.Int64, least=0, most=1)
_PROVENANCE = {"grade": _text(allowed=GRADES), "source": _text()}
_SHARE = _number(0.0, 1.0)

TABLES: Mapping[str, Mapping[str, Column]] = {
    "regions": {
        "region": _KEY,
        "name": _text(),
        "bloc": _text(allowed=("us", "ally", "partner", "adversary")),
        "is_hub": _FLAG,
        **_PROVENANCE,
    },
    "products": {
        "product": _KEY,
        "name": _text(),
        "groups": _text(),
        "nest": _text(allowed=("core", "stack", "physical")),
        "armington_elasticity": _number(),
        "input_elasticity": _number(),
        "unit": _text(allowed=("musd_2022", "kh100e")),
        "planned": _FLAG,
        "upstream": _FLAG,
        **_PROVENANCE,
    },
    "flows": {"product": _KEY, "origin": _KEY, "destination": _KEY, "value_musd": _number(), **_PROVENANCE},
    "tariffs": {"product": _KEY, "origin": _KEY, "destination": _KEY, "rate": _number(-1.0, 10.0), **_PROVENANCE},
    "inputs": {"region": _KEY, "product": _KEY, "input": _KEY, "share": _SHARE, **_PROVENANCE},
    "shares": {"product": _KEY, "region": _KEY, "margin_share": _SHARE, "rent_share": _SHARE, **_PROVENANCE},
    "accelerator_bill": {
        "year": _YEAR,
        "product": _KEY,
        "origin": _KEY,
        "item": _KEY,
        "kusd_per_h100e": _number(),
        "sourcing": _text(allowed=("market", "home")),
        **_PROVENANCE,
    },
    "compute_use": {
        "year": _YEAR,
        "user": _KEY,
        "product": _KEY,
        "channel": _text(key=True, allowed=("direct", "cloud")),
        "site": _KEY,
        "kh100e": _number(),
        **_PROVENANCE,
    },
    "compute_other": {"year": _YEAR, "item": _KEY, "kusd_per_h100e": _number(), **_PROVENANCE},
    "nodes": {
        "product": _KEY,
        "region": _KEY,
        "owner": _text(),
        "depreciation": _SHARE,
        "lag_years": _number(0.0, 20.0),
        "adjustment": _number(),
        **_PROVENANCE,
    },
    "capacity": {
        "year": _YEAR,
        "product": _KEY,
        "region": _KEY,
        "utilisation": _SHARE,
        "rent_share": _number(0.0, 0.95),
        **_PROVENANCE,
    },
    "capacity_paths": {"year": _YEAR, "product": _KEY, "region": _KEY, "index": _number(1e-6), **_PROVENANCE},
    "tool_needs": {"product": _KEY, "region": _KEY, "tool": _KEY, "musd_per_musd": _number(), **_PROVENANCE},
    "labour": {"year": _YEAR, "region": _KEY, "index": _number(1e-6), **_PROVENANCE},
    "parameters": {
        "parameter": _KEY,
        "product": _text(key=True),
        "region": _text(key=True),
        "central": _number(None),
        "low": _number(None),
        "high": _number(None),
        "unit": _text(),
        **_PROVENANCE,
        "distribution": _text(allowed=DISTRIBUTIONS),
        "bounds": _text(allowed=BOUNDS),
        "acts_on": _text(allowed=ACTS_ON),
        "meaning": _text(),
    },
}

ADJUSTMENTS: Mapping[str, Column] = {
    "product": _KEY,
    "origin": _KEY,
    "destination": _KEY,
    "before_musd": _number(),
    "after_musd": _number(),
    "change": _number(-1.0),
}

_REGION_COLUMNS = ("region", "origin", "destination", "user", "site", "owner")
_ITEMS = ("labour", "margin")


def dataframely_schema(table: str) -> type[dataframely.Schema]:
    """The dataframely schema of a table (types, bounds, allowed values, primary key)."""
    import dataframely as dy

    kinds = {pl.String: dy.String, pl.Int64: dy.Int64, pl.Float64: dy.Float64}
    columns: dict[str, object] = {}
    for name, column in TABLES[table].items():
        options: dict[str, object] = {"nullable": False, "primary_key": column.key}
        if column.dtype is pl.String and column.allowed:
            options["check"] = lambda values, allowed=column.allowed: values.is_in(allowed)
        if column.least is not None:
            options["min"] = int(column.least) if column.dtype is pl.Int64 else column.least
        if column.most is not None:
            options["max"] = int(column.most) if column.dtype is pl.Int64 else column.most
        if column.dtype is pl.Float64:
            options |= {"allow_inf": False, "allow_nan": False}
        columns[name] = kinds[column.dtype](**options)
    return type(f"{table.title().replace('_', '')}Schema", (dy.Schema,), columns)


def faults_of(table: str, frame: pl.DataFrame, file: str) -> list[str]:
    """Faults of one table against its columns; rows are counted as in the file, the header being row 1."""
    spec = TABLES[table]
    missing = [name for name in spec if name not in frame.columns]
    if missing:
        return [f"{file}: row 1: {name}: missing: add the column" for name in missing]
    extra = [name for name in frame.columns if name not in spec]
    faults = [f"{file}: row 1: {name}: unknown column: remove it" for name in extra]
    marked = frame.with_row_index("_row", offset=2)
    rules: list[tuple[str, pl.Expr, str]] = []
    for name, column in spec.items():
        values = pl.col(name)
        rules.append((name, values.is_null(), "missing: give a value"))
        if column.dtype is not pl.String:
            rules.append((name, ~values.cast(pl.Float64).is_finite(), "give a finite number"))
        if column.allowed:
            rules.append((name, ~values.is_in(column.allowed), f"use {', '.join(column.allowed)}"))
        if column.least is not None:
            remedy = (
                "must not be negative: correct or remove it" if column.least == 0 else f"give at least {column.least}"
            )
            rules.append((name, values < column.least, remedy))
        if column.most is not None:
            rules.append((name, values > column.most, f"give at most {column.most}"))
    faults += _broken(file, marked, rules)
    keys = [name for name, column in spec.items() if column.key]
    twice = marked.filter(pl.struct(keys).is_duplicated()).unique(keys, keep="last", maintain_order=True)
    for row in twice.iter_rows(named=True):
        label = "/".join(str(row[key]) for key in keys)
        faults.append(f"{file}: row {row['_row']}: {keys[0]}: {label}: given twice: keep one row")
    return faults


def _broken(file: str, marked: pl.DataFrame, rules: list[tuple[str, pl.Expr, str]]) -> list[str]:
    """Faults where a rule (column, what is wrong, remedy) is broken; all rules are looked at in one pass."""
    if not rules:
        return []
    found = marked.select(bad.any().alias(str(n)) for n, (_, bad, _) in enumerate(rules)).row(0)
    return [
        fault
        for (name, bad, remedy), some in zip(rules, found, strict=True)
        if some
        for fault in _say(file, name, marked.filter(bad), remedy)
    ]


def _say(file: str, column: str, rows: pl.DataFrame, remedy: str) -> list[str]:
    return [
        f"{file}: row {row['_row']}: {column}: {'' if row[column] is None else row[column]}: {remedy}"
        for row in rows.iter_rows(named=True)
    ]


def unknown_names(
    table: str, frame: pl.DataFrame, file: str, regions: tuple[str, ...], products: tuple[str, ...]
) -> list[str]:
    """Faults of region and product names that the vocabulary lacks (empty cells of parameters mean all)."""
    rules: list[tuple[str, pl.Expr, str]] = []
    marked = frame.with_row_index("_row", offset=2)
    for name in frame.columns:
        if name in _REGION_COLUMNS and table != "regions":
            known = (*regions, "")
        elif name in ("product", "input", "tool") and table != "products":
            known = (*products, "")
        elif name == "item":
            known = (*products, *_ITEMS)
        else:
            continue
        rules.append((name, ~pl.col(name).is_in(known), f"unknown name: use one of {', '.join(k for k in known if k)}"))
    return _broken(file, marked, rules)


def read_types(table: str) -> dict[str, type[pl.DataType]]:
    """Column types of a table, for reading."""
    return {name: column.dtype for name, column in TABLES[table].items()}

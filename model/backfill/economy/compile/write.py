"""Writing the baseline: sorted rows, ten significant digits, identical bytes on every build."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl

from backfill.economy.schema import ADJUSTMENTS, TABLES

DIGITS = 10
IN_GIVEN_ORDER = ("regions", "products")
ALL = {**TABLES, "adjustments": ADJUSTMENTS}


def rounded(value: float) -> float:
    """A number at ten significant digits."""
    return float(f"{value:.{DIGITS}g}")


def frame(table: str, rows: list[tuple]) -> pl.DataFrame:
    """Rows as the table's frame: sorted by key (names in given order), numbers at ten digits."""
    spec = ALL[table]
    types = {name: column.dtype for name, column in spec.items()}
    data = pl.DataFrame(rows, schema=types, orient="row")
    data = data.with_columns(
        pl.col(name).map_elements(rounded, return_dtype=pl.Float64) for name, t in types.items() if t is pl.Float64
    )
    if table in IN_GIVEN_ORDER:
        return data
    return data.sort([name for name, column in spec.items() if column.key])


def csv_text(data: pl.DataFrame) -> str:
    """CSV with plain decimal numbers, unix line ends."""
    lines = [",".join(data.columns)]
    for row in data.iter_rows():
        lines.append(",".join(_cell(value) for value in row))
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    text = str(value)
    return f'"{text}"' if "," in text else text


UNITS = {
    "value_musd": "million USD of 2022",
    "rate": "ad valorem rate",
    "share": "share of gross output",
    "margin_share": "share of mill price",
    "rent_share": "share of mill price",
    "kusd_per_h100e": "thousand USD per H100e at 2022 prices",
    "kh100e": "thousand H100e (quality units)",
    "before_musd": "million USD of 2022",
    "after_musd": "million USD of 2022",
    "change": "share of before",
    "depreciation": "per year",
    "lag_years": "years",
    "adjustment": "share of benchmark cost",
    "utilisation": "share of capacity",
    "musd_per_musd": "million USD per million USD of yearly output",
    "index": "2022 = 1",
    "armington_elasticity": "elasticity",
    "input_elasticity": "elasticity",
}


def package(files: dict[str, str], bibliography: pl.DataFrame) -> str:
    """``datapackage.json``: title, licence, units, sources and the sha256 of each table."""
    resources = [
        {
            "name": table,
            "path": f"{table}.csv",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "fields": [{"name": name, **({"unit": UNITS[name]} if name in UNITS else {})} for name in ALL[table]],
        }
        for table, text in sorted(files.items())
    ]
    sources = [
        {"name": key, "title": title, "path": address, "licence": licence}
        for key, title, address, licence in bibliography.sort("source").iter_rows()
    ]
    content = {
        "name": "backfill-baseline",
        "title": "Benchmark of 2022 and reference paths to 2030 for the backfill model",
        "licence": "See data/LICENSES.md",
        "sources": sources,
        "resources": resources,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_all(files: dict[str, str], out: Path) -> None:
    """Write all files of the baseline, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in sorted(files.items()):
        fresh = out / f".{name}.new"
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(out / name)

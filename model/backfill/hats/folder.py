"""Reading a folder of tables, CSV or Parquet, named for what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from backfill.errors import Faults, TableError, UserError, did_you_mean
from backfill.hats.tables import BASE, Layout


def read_folder(
    folder: Path, layouts: Sequence[Layout] = BASE
) -> tuple[dict[str, pl.DataFrame], dict[str, tuple[str, int]]]:
    """The tables of a folder, ``trade.csv`` or ``trade.parquet`` and so on, and what faults call each.

    Raises:
        Faults: a folder without tables, a file that cannot be read, a table given twice, or files with other names.
    """
    faults: list[UserError] = []
    tables: dict[str, pl.DataFrame] = {}
    named: dict[str, tuple[str, int]] = {}
    known = {*(layout.name for layout in layouts), "regions"}
    if not folder.is_dir():
        raise Faults(
            [TableError(str(folder), "", None, "no such folder: give one with trade.csv and elasticities.csv")]
        )
    files = sorted(file for file in folder.iterdir() if file.suffix in (".csv", ".parquet"))
    for file in files:
        name = file.stem
        if name not in known:
            faults.append(TableError(str(file), "", None, f"unknown table: {did_you_mean(name, sorted(known))}"))
        elif name in tables:
            faults.append(TableError(str(file), "", None, f"{named[name][0]} holds the same table: keep one"))
        else:
            try:
                csv = file.suffix == ".csv"
                tables[name] = pl.read_csv(file, infer_schema_length=None) if csv else pl.read_parquet(file)
                named[name] = (str(file), int(csv))
            except Exception as error:
                faults.append(TableError(str(file), "", None, f"cannot be read: {' '.join(str(error).split())[:200]}"))
    if faults:
        raise Faults(faults)
    if not files:
        raise Faults([TableError(str(folder), "", None, "holds no tables: give trade.csv and elasticities.csv")])
    return tables, named

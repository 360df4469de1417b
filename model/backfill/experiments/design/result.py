"""What a search for a best package returns and writes: tables, a summary, sentences, checks, provenance, a page of charts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import polars as pl

from backfill.errors import OutputError
from backfill.experiments.replace import replace_folder
from backfill.experiments.results import finite

TABLES = {
    "design": {
        "package": pl.String, "lever": pl.String, "measure": pl.String, "field": pl.String, "value": pl.Float64,
        "low": pl.Float64, "high": pl.Float64, "there": pl.Boolean, "at": pl.String,
    },
    "effects": {
        "package": pl.String, "quantity": pl.String, "where": pl.String, "period": pl.String, "value": pl.Float64,
        "low": pl.Float64, "high": pl.Float64, "unit": pl.String,
    },
    "limits": {
        "limit": pl.String, "bound": pl.Float64, "side": pl.String, "value": pl.Float64, "binding": pl.Boolean,
        "shadow_price": pl.Float64, "unit": pl.String,
    },
    "marginals": {"lever": pl.String, "quantity": pl.String, "value": pl.Float64, "unit": pl.String},
    "frontier": {
        "point": pl.Int64, "bound": pl.Float64, "quantity": pl.String, "kind": pl.String, "value": pl.Float64, "unit": pl.String,
        "verdict": pl.String,
    },
    "certificates": {
        "search": pl.String, "objective": pl.Float64, "passed": pl.Float64, "residual": pl.Float64, "steps": pl.Int64,
        "worlds": pl.Int64, "verdict": pl.String,
    },
    "samples": {"sample": pl.Int64, "quantity": pl.String, "kind": pl.String, "value": pl.Float64, "unit": pl.String},
}  # fmt: skip
"""Columns of the tables. Packages are ``"as written"`` and ``"best"``; marginals are for a hundredth of a lever's range."""

SUMMARY = {
    "quantity": pl.String, "where": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "unit": pl.String,
    "note": pl.String,
}  # fmt: skip
"""Columns of ``summary.csv``; ``low`` and ``high`` are empty unless ranges are asked for."""

_MARK = "design.parquet"


@dataclass(frozen=True)
class DesignResult:
    """A best package.

    Attributes:
        name, title: the experiment's.
        objective: what was made as large or as small as possible, in words.
        tables: by name, with the columns of `TABLES`.
        summary: headline rows with the columns of `SUMMARY`.
        sentences: what came out, in words.
        checks: residuals and counts by name.
        provenance: versions, hashes, date, parameters with grades.
        resolved: the best package as an experiment that runs, with everything included and every default filled.
    """

    name: str
    title: str
    objective: str
    tables: Mapping[str, pl.DataFrame]
    summary: pl.DataFrame
    sentences: tuple[str, ...]
    checks: Mapping[str, float]
    provenance: Mapping[str, object]
    resolved: str

    def write(self, directory: str | os.PathLike[str]) -> Path:
        """Write tables, summary, checks, provenance, the best package and a page of charts, whole or not at all.

        Raises:
            OutputError: the folder holds something other than a design.
        """
        target = Path(directory).absolute()
        may_replace(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(target, self._fill)
        return target

    def _fill(self, folder: Path) -> None:
        for name, one in self.tables.items():
            one.write_parquet(folder / f"{name}.parquet")
        self.summary.write_csv(folder / "summary.csv")
        (folder / "checks.json").write_text(json.dumps(finite(self.checks), indent=2) + "\n", encoding="utf-8")
        head = {"name": self.name, "title": self.title, "objective": self.objective}
        record = {**head, "sentences": list(self.sentences), **self.provenance}
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        (folder / "provenance.json").write_text(text, encoding="utf-8")
        (folder / "resolved.toml").write_text(self.resolved, encoding="utf-8")
        # The room above draws: named here, not imported, so that tables can be read without a chart library.
        (folder / "chart.html").write_text(import_module("backfill.charts.design").page(self), encoding="utf-8")


def may_replace(directory: Path) -> None:
    """Check that a folder may be written: absent, empty, or an earlier design.

    Raises:
        OutputError: a file, or a folder with something else in it.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise OutputError(str(directory), "", None, "is a file; name a folder")
    names = {path.name for path in directory.iterdir()}
    if names and _MARK not in names:
        raise OutputError(str(directory), "", None, "is not empty and holds no design; name another folder or empty it")


def table(name: str, rows: list[tuple]) -> pl.DataFrame:
    """Rows as the table of that name."""
    return pl.DataFrame(rows, schema=TABLES[name], orient="row")


def load_design(directory: str | os.PathLike[str]) -> DesignResult:
    """Read a design that `DesignResult.write` wrote.

    Raises:
        FileNotFoundError: no design there.
        KeyError: written by a version that did not say what was sought.
    """
    folder = Path(directory)
    if not is_design(folder):
        raise FileNotFoundError(f"{folder} holds no design: there is no {_MARK}")
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return DesignResult(
        name=record.pop("name"),
        title=record.pop("title"),
        objective=record.pop("objective"),
        sentences=tuple(record.pop("sentences")),
        tables={name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES},
        summary=pl.read_csv(folder / "summary.csv", schema=SUMMARY),
        checks=json.loads((folder / "checks.json").read_text(encoding="utf-8")),
        provenance=record,
        resolved=(folder / "resolved.toml").read_text(encoding="utf-8"),
    )


def is_design(directory: Path) -> bool:
    """Whether a folder holds a design."""
    return (directory / _MARK).is_file()

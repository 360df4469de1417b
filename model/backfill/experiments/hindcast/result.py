"""What a hindcast, or what its figures pin down, gives: tables, checks, provenance and a page of charts in one folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import polars as pl

from backfill.experiments.replace import check_replaceable, names_in, replace_folder
from backfill.experiments.results import finite

TABLES = {
    "hindcast": ("hindcast", "parameters"),
    "identify": ("identified", "directions", "weights", "profiles"),
}
"""Tables by kind of result."""


@dataclass(frozen=True)
class HindcastResult:
    """A hindcast, or an identification.

    Attributes:
        kind: ``"hindcast"`` or ``"identify"``.
        tables: ``hindcast`` (see `table.SCHEMA`) and ``parameters`` before and after the fit; or ``identified``, ``directions``,
            ``weights`` and ``profiles`` (see `identify.Identified`).
        sentences: what came out, in words.
        checks: errors, coverage, residuals and counts by name.
        provenance: versions, hashes, date, parameters with grades.
        resolved: the rules as an experiment that runs.
    """

    kind: str
    tables: Mapping[str, pl.DataFrame]
    sentences: tuple[str, ...]
    checks: Mapping[str, float]
    provenance: Mapping[str, object]
    resolved: str

    def write(self, directory: str | os.PathLike[str], *, tables: str = "parquet") -> Path:
        """Write tables, checks, provenance, the rules and a page of charts, whole or not at all.

        Args:
            directory: folder to write.
            tables: ``"parquet"`` or ``"csv"``.

        Raises:
            OutputError: the folder holds something else.
        """
        target = Path(directory).absolute()
        may_replace(target, self.kind)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(target, lambda folder: self._fill(folder, tables))
        return target

    def _fill(self, folder: Path, tables: str) -> None:
        for name, one in self.tables.items():
            if tables == "csv":
                one.write_csv(folder / f"{name}.csv")
            else:
                one.write_parquet(folder / f"{name}.parquet")
        (folder / "checks.json").write_text(json.dumps(finite(self.checks), indent=2) + "\n", encoding="utf-8")
        record = {"name": self.kind, "sentences": list(self.sentences), **self.provenance}
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        (folder / "provenance.json").write_text(text, encoding="utf-8")
        (folder / "resolved.toml").write_text(self.resolved, encoding="utf-8")
        # The room above draws: named here, not imported, so that tables can be read without a chart library.
        (folder / "chart.html").write_text(import_module("backfill.charts.hindcast").page(self), encoding="utf-8")


def may_replace(directory: Path, kind: str) -> None:
    """Check that a folder may be written: absent, empty, or an earlier result of that kind and nothing else.

    Raises:
        OutputError: a file, or a folder with something else in it.
    """
    needed = {*TABLES[kind], "checks", "provenance"}
    files = {f"{name}.{ending}" for name in TABLES[kind] for ending in ("parquet", "csv")}
    others = {"checks.json", "provenance.json", "resolved.toml", "chart.html"}

    def is_one(folder: Path) -> bool:
        return {Path(name).stem for name in names_in(folder)} >= needed

    check_replaceable(directory, kind, is_one, files | others)

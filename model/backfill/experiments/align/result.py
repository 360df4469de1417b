"""What an alignment game returns and writes: long tables, a summary, sentences, checks, provenance, a page of charts."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import polars as pl

from backfill.experiments.replace import check_replaceable, replace_folder
from backfill.experiments.results import REPORT, finite

TABLES = {
    "payoffs": {"profile": pl.String, "player": pl.String, "part": pl.String, "value": pl.Float64, "unit": pl.String},
    "equilibria": {
        "equilibrium": pl.Int64, "profile": pl.String, "player": pl.String, "level": pl.Float64, "payoff": pl.Float64,
        "unit": pl.String, "reached_from_today": pl.Boolean,
    },
    "path": {
        "step": pl.Int64, "player": pl.String, "before": pl.String, "after": pl.String, "gain": pl.Float64, "unit": pl.String,
    },
    "stability": {
        "coalition": pl.String, "members": pl.Int64, "internal": pl.Boolean, "external": pl.Boolean, "leave": pl.String,
        "join": pl.String,
    },
    "coalitions": {
        "coalition": pl.String, "members": pl.Int64, "quantity": pl.String, "value": pl.Float64, "unit": pl.String,
    },
    "shapley": {"player": pl.String, "quantity": pl.String, "value": pl.Float64, "unit": pl.String},
    "deterrence": {
        "player": pl.String, "others": pl.String, "quantity": pl.String, "credibility": pl.Float64, "value": pl.Float64,
        "low": pl.Float64, "high": pl.Float64, "unit": pl.String, "note": pl.String,
    },
    "curves": {
        "player": pl.String, "others": pl.String, "rate": pl.Float64, "value": pl.Float64, "unit": pl.String,
    },
    "execution": {
        "profile": pl.String, "change": pl.Float64, "terms_of_trade": pl.Float64, "net": pl.Float64, "unit": pl.String,
        "verdict": pl.String,
    },
    "incentives": {
        "player": pl.String, "quantity": pl.String, "against": pl.String, "value": pl.Float64, "unit": pl.String,
    },
}  # fmt: skip
"""Columns of the tables; a value that does not exist is empty, and a note says why."""

SUMMARY = {
    "quantity": pl.String, "where": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "unit": pl.String, "note": pl.String,
}  # fmt: skip
"""Columns of ``summary.csv``."""

_MARK = "payoffs.parquet"


@dataclass(frozen=True)
class AlignResult:
    """An alignment game, solved.

    Attributes:
        name, title: the experiment's.
        players: who chooses, with the levels of today and those asked in ``profiles``.
        profiles: names of the profile of today and of that asked.
        tables: by name, with the columns of `TABLES`.
        summary: headline rows with the columns of `SUMMARY`.
        sentences: what came out, in words.
        checks: residuals and counts by name.
        provenance: versions, hashes, date, parameters with grades.
        resolved: the experiment as TOML with everything included and every default filled.
    """

    name: str
    title: str
    players: tuple[str, ...]
    profiles: tuple[str, str]
    tables: Mapping[str, pl.DataFrame]
    summary: pl.DataFrame
    sentences: tuple[str, ...]
    checks: Mapping[str, float]
    provenance: Mapping[str, object]
    resolved: str

    def write(self, directory: str | os.PathLike[str]) -> Path:
        """Write tables, summary, checks, provenance and a page of charts, whole or not at all.

        Raises:
            OutputError: the folder holds something other than a game.
        """
        target = Path(directory).absolute()
        may_replace(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(target, self._fill)
        return target

    def _fill(self, folder: Path) -> None:
        for name, table in self.tables.items():
            table.write_parquet(folder / f"{name}.parquet")
        self.summary.write_csv(folder / "summary.csv")
        (folder / "checks.json").write_text(json.dumps(finite(self.checks), indent=2) + "\n", encoding="utf-8")
        head = {"name": self.name, "title": self.title, "players": self.players, "profiles": self.profiles}
        record = {**head, "sentences": list(self.sentences), **self.provenance}
        (folder / "provenance.json").write_text(
            json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        (folder / "resolved.toml").write_text(self.resolved, encoding="utf-8")
        # The room above draws: named here, not imported, so that tables can be read without a chart library.
        (folder / "chart.html").write_text(import_module("backfill.charts.align").page(self), encoding="utf-8")


def may_replace(directory: Path) -> None:
    """Check that a folder may be written: absent, empty, or an earlier game and nothing else.

    Raises:
        OutputError: a file, or a folder with something else in it.
    """
    others = {"summary.csv", "checks.json", "provenance.json", "resolved.toml", "chart.html", *REPORT}
    check_replaceable(directory, "game", is_game, {f"{name}.parquet" for name in TABLES} | others)


def is_game(directory: Path) -> bool:
    """Whether a folder holds a game."""
    return (directory / _MARK).is_file()


def table(name: str, rows: list[tuple]) -> pl.DataFrame:
    """Rows as the table of that name."""
    return pl.DataFrame(rows, schema=TABLES[name], orient="row")


def percent(share: float) -> str:
    """A share in percent, with two digits where it is small: ``0.41%``, ``1.2%``, ``48%``."""
    size = abs(100 * share)
    digits = 0 if size >= 9.95 or size == 0 else 1 - math.floor(math.log10(size))
    text = f"{100 * share:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def load_game(directory: str | os.PathLike[str]) -> AlignResult:
    """Read a game that `AlignResult.write` wrote.

    Raises:
        FileNotFoundError: no game there.
        KeyError: written by a version that did not say who plays.
    """
    folder = Path(directory)
    if not is_game(folder):
        raise FileNotFoundError(f"{folder} holds no game: there is no {_MARK}")
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    today, asked = record.pop("profiles")
    return AlignResult(
        name=record.pop("name"),
        title=record.pop("title"),
        players=tuple(record.pop("players")),
        profiles=(today, asked),
        sentences=tuple(record.pop("sentences")),
        tables={name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES},
        summary=pl.read_csv(folder / "summary.csv", schema=SUMMARY),
        checks=json.loads((folder / "checks.json").read_text(encoding="utf-8")),
        provenance=record,
        resolved=(folder / "resolved.toml").read_text(encoding="utf-8"),
    )

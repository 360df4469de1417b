"""What a run returns and writes: long tables of effects, a summary, checks and provenance; and how to read it back."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Literal

import polars as pl

from backfill.experiments.replace import check_replaceable, names_in, replace_folder

CHECKS = (
    "converged",
    "walras",
    "complementarity",
    "shares",
    "volume",
    "leakage_sum",
    "coupling_step",
    "coupling_optimality",
)
"""Names in ``checks.json``: ``converged`` is 1 or 0, the others are residuals, each the largest over periods and worlds. A run
that failed lacks those that could not be computed."""

EXPLANATION = "explain.csv"
"""What ``backfill explain`` puts into the folder of a result."""

REPORT = ("report.html", "report.pdf")
"""What ``backfill report`` puts into a folder."""

DRIVERS_FILE = "drivers.csv"
"""Which parameters move the headline numbers; with ranges only."""

_MARK, _SUMMARY = "checks.json", "summary.csv"


class Status(Enum):
    """Verdict on a run."""

    SOLVED = "Every world is solved."
    FAILED = "At least one world could not be solved, so there are no tables."


@dataclass(frozen=True)
class EffectTables:
    """Long tables of a result; each row has a scenario, a period, places, a quantity, its unit and its value.

    Attributes:
        exports: trade by origin, destination and product.
        backfilling: who replaces US sales to the adversary, by seller.
        leakage: gross denial, compute denied, and the channels between them.
        welfare: equivalent variation, present values, revenue, rents, the treasury.
        compute: acquisitions by user and route, stocks, ratios of US to adversary compute.
        capacity: planned capacities, their use, additions and rents.
        limits: quantity limits, their use and rents.
        prices: mill and buyer prices.
        stockpiles: what is bought ahead of measures, used from stock and held.
    """

    exports: pl.DataFrame
    backfilling: pl.DataFrame
    leakage: pl.DataFrame
    welfare: pl.DataFrame
    compute: pl.DataFrame
    capacity: pl.DataFrame
    limits: pl.DataFrame
    prices: pl.DataFrame
    stockpiles: pl.DataFrame

    @classmethod
    def empty(cls) -> EffectTables:
        """Tables without rows or columns, of a run that failed."""
        return cls(*(pl.DataFrame() for _ in fields(cls)))

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in tuple(self):
            raise KeyError(f"no table {name!r}; there are {', '.join(self)}")
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in fields(self))


@dataclass(frozen=True)
class Result:
    """A policy beside its reference.

    Attributes:
        name: the policy's name, its label in ``scenario`` columns.
        reference: the reference's name.
        also_against: name of the second reference that stands beside it (``"current-policy"``), or None.
        tables: the effects (see `EffectTables`).
        summary: headline rows for people: quantity, where, period, unit, reference, policy, change, values against the second
            reference, and an empty range (low, high) until one is computed.
        status: the verdict.
        message: the verdict in full, naming what failed.
        checks: residuals by name (`CHECKS`).
        provenance: versions, hashes, date, parameters with grades.
        resolved: the experiment as TOML with everything included and every default filled.
        drivers: which parameters move each headline change (see `backfill.experiments.ranges`); empty without ranges.
    """

    name: str
    reference: str
    also_against: str | None
    tables: EffectTables
    summary: pl.DataFrame
    status: Status
    message: str
    checks: Mapping[str, float]
    provenance: Mapping[str, object]
    resolved: str
    drivers: pl.DataFrame = field(default_factory=pl.DataFrame)

    def write(self, directory: str | os.PathLike[str], *, tables: Literal["parquet", "csv"] = "parquet") -> Path:
        """Write the result to a folder, whole or not at all; only ``checks.json`` if the run failed.

        An earlier result in the folder is replaced, except a solved one by a failed one: that stays, and the checks go to
        a folder of the same name and ``.failed``, which the next solved result takes away.

        Args:
            directory: where; created if it does not exist.
            tables: format of the long tables.

        Returns:
            the folder written.

        Raises:
            ValueError: another table format.
            OutputError: the folder holds something other than a result.
        """
        if tables not in ("parquet", "csv"):
            raise ValueError(f"tables is {tables!r}; it is 'parquet' or 'csv'")
        target = Path(directory).absolute()
        may_replace(target)
        beside = target.with_name(f"{target.name}.failed")
        if self.status is not Status.SOLVED and _SUMMARY in names_in(target):
            may_replace(beside)
            target = beside
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(target, lambda new: self._fill(new, tables))
        if self.status is Status.SOLVED and names_in(beside) == {_MARK}:
            shutil.rmtree(beside)
        return target

    def _fill(self, folder: Path, tables: str) -> None:
        (folder / _MARK).write_text(json.dumps(finite(self.checks), indent=2) + "\n", encoding="utf-8")
        if self.status is not Status.SOLVED:
            return
        for name in self.tables:
            if tables == "parquet":
                self.tables[name].write_parquet(folder / f"{name}.parquet")
            else:
                self.tables[name].write_csv(folder / f"{name}.csv")
        self.summary.write_csv(folder / _SUMMARY)
        if not self.drivers.is_empty():
            self.drivers.write_csv(folder / DRIVERS_FILE)
        head = {"name": self.name, "also_against": self.also_against, "message": self.message}
        record = json.dumps({**head, **self.provenance}, indent=2, ensure_ascii=False)
        (folder / "provenance.json").write_text(record + "\n", encoding="utf-8")
        (folder / "resolved.toml").write_text(self.resolved, encoding="utf-8")
        # The room above draws: named here, not imported, so that tables can be read without a chart library.
        page = import_module("backfill.charts.overview").page
        (folder / "chart.html").write_text(page(self), encoding="utf-8")


def finite(checks: Mapping[str, float]) -> dict[str, float]:
    """Checks that are numbers; what could not be computed is left out."""
    return {name: float(value) for name, value in checks.items() if math.isfinite(value)}


def is_result(directory: Path) -> bool:
    """Whether a folder holds a result: ``checks.json`` alone (a failed run) or with a summary and provenance."""
    names = names_in(directory)
    return names == {_MARK} or names >= {_MARK, _SUMMARY, "provenance.json", "resolved.toml"}


def may_replace(directory: Path) -> None:
    """Check that a folder may be written: absent, empty, or an earlier result and nothing else.

    Raises:
        OutputError: a file, or a folder with something else in it.
    """
    tables = {f"{field.name}.{kind}" for field in fields(EffectTables) for kind in ("parquet", "csv")}
    others = {_MARK, _SUMMARY, "provenance.json", "resolved.toml", "chart.html", DRIVERS_FILE, *REPORT}
    others |= {EXPLANATION, f".{EXPLANATION}.part"}
    check_replaceable(directory, "result", is_result, tables | others)


def load_result(directory: str | os.PathLike[str]) -> Result:
    """Read a result that `Result.write` wrote, in either table format.

    Raises:
        FileNotFoundError: no result there.
    """
    folder = Path(directory)
    if not (folder / _MARK).is_file():
        raise FileNotFoundError(f"{folder} holds no result: there is no {_MARK}")
    checks = json.loads((folder / _MARK).read_text(encoding="utf-8"))
    if not (folder / "provenance.json").is_file():
        return Result(
            folder.name,
            "",
            None,
            EffectTables.empty(),
            pl.DataFrame(),
            Status.FAILED,
            Status.FAILED.value,
            checks,
            {},
            "",
        )
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return Result(
        name=record.pop("name"),
        reference=record["reference"],
        also_against=record.pop("also_against"),
        message=record.pop("message"),
        tables=EffectTables(*(_read(folder, field.name) for field in fields(EffectTables))),
        summary=_read_csv(folder / _SUMMARY),
        status=Status.SOLVED,
        checks=checks,
        provenance=record,
        resolved=(folder / "resolved.toml").read_text(encoding="utf-8"),
        drivers=_read_csv(folder / DRIVERS_FILE) if (folder / DRIVERS_FILE).is_file() else pl.DataFrame(),
    )


def _read(folder: Path, name: str) -> pl.DataFrame:
    if (folder / f"{name}.parquet").is_file():
        return pl.read_parquet(folder / f"{name}.parquet")
    if (folder / f"{name}.csv").is_file():
        return _read_csv(folder / f"{name}.csv")
    raise FileNotFoundError(f"{folder} lacks the table {name} (.parquet or .csv)")


_DRIVER_NUMBERS = {"rank", "at_low", "at_high", "change_at_low", "change_at_high", "swing", "share"}
_NUMBERS = ("value", "reference", "policy", "change", "current_policy", "against_current_policy", "low", "high")


def _read_csv(path: Path) -> pl.DataFrame:
    """A written table: numbers as numbers, everything else as text, labels such as ``2022`` included."""
    frame = pl.read_csv(path, infer_schema=False)
    numeric = {"summary": set(_NUMBERS), "drivers": _DRIVER_NUMBERS}.get(path.stem, {"value"})
    return frame.with_columns(
        pl.col(name).cast(pl.Float64) if name in numeric else pl.col(name).fill_null("") for name in frame.columns
    )

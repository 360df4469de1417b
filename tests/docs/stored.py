"""Numbers that README and pages state, each from where it is kept: expected summaries, `MEASURED`, `RANGES`, computed pages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import polars as pl

from backfill.economy.describe import Description, describe
from backfill.experiments.ranges import DRIVERS
from backfill.experiments.structure import SCHEMA
from backfill.resources import experiments_dir
from tests.experiments.expected import expected_file

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
MEASURED = DOCS / "measured.csv"
"""What no shipped summary holds: ``python -m tests.docs.measured`` writes it."""

RANGED = "current-policy"
RANGES = experiments_dir() / f"{RANGED}.ranges.csv"
"""Headline changes with their ranges and what moves them: ``python -m tests.experiments.ranges`` writes it."""

STRUCTURES = experiments_dir() / f"{RANGED}.structure.csv"
"""Headline changes under each structure: ``python -m tests.experiments.structures`` writes it."""

CENTRAL = {"central": pl.Float64, "low": pl.Float64, "high": pl.Float64}
RANGE_COLUMNS = {**dict(list(DRIVERS.items())[:4]), **CENTRAL, **dict(list(DRIVERS.items())[4:])}
"""Columns of `RANGES`: the headline change and its range, then those of ``drivers.csv``."""

_FORECAST = re.compile(
    r"model is off by a factor of ([\d.]+) \(geometric mean\), the last value by ([\d.]+), a constant share by ([\d.]+\d)"
)
_WITHIN = re.compile(r"(\d+) of (\d+) judged figures")
_INFORMED = re.compile(r"Of (\d+) parameters the figures that set parameters pin down \w+ alone, inform (\d+)")
_LOSES = re.compile(r"^- (.+): the model loses in", re.M)


@cache
def _summary(name: str) -> pl.DataFrame:
    return pl.read_csv(expected_file(name), infer_schema_length=None)


def expected(name: str, quantity: str, where: str, column: str = "change", period: str = "2022-2030") -> float:
    """A number of a shipped experiment's expected summary.

    Raises:
        KeyError: there is no such row, or it has no such number.
    """
    row = _summary(name).filter(pl.col("quantity") == quantity, pl.col("where") == where, pl.col("period") == period)
    if row.height != 1 or row[column][0] is None:
        raise KeyError(f"{name}: {quantity}, {where}, {period}: {column}")
    return float(row[column][0])


@cache
def measured() -> dict[str, float]:
    """Numbers of `MEASURED` by name."""
    return dict(pl.read_csv(MEASURED).select("name", "value").iter_rows())


@cache
def ranges() -> pl.DataFrame:
    """`RANGES`.

    Raises:
        ValueError: they have not been written yet.
    """
    if not RANGES.is_file():
        raise ValueError(f"{RANGES.name} is missing: python -m tests.experiments.ranges writes it")
    return pl.read_csv(RANGES, schema=RANGE_COLUMNS)


@cache
def structures() -> pl.DataFrame:
    """`STRUCTURES`."""
    return pl.read_csv(STRUCTURES, schema=SCHEMA)


@cache
def description() -> Description:
    """What `backfill data describe` tells."""
    return describe()


def _hindcast() -> str:
    return (DOCS / "hindcast.md").read_text(encoding="utf-8")


def _found(pattern: re.Pattern[str]) -> tuple[float, ...]:
    found = pattern.search(_hindcast())
    assert found, f"docs/hindcast.md has no sentence like {pattern.pattern}"
    return tuple(map(float, found.groups()))


def forecasts() -> tuple[float, ...]:
    """Factors by which the model, the last value and a constant share are off."""
    return _found(_FORECAST)


def within() -> tuple[float, ...]:
    """Judged figures within their ranges, and all of them."""
    return _found(_WITHIN)


def informed() -> tuple[float, ...]:
    """Figures that set parameters, parameters they inform, and all parameters."""
    of, some = _found(_INFORMED)
    return float(_hindcast().count("| fits |")), some, of


def lost() -> set[str]:
    """Series on which the model loses to a naive forecast."""
    return set(_LOSES.findall(_hindcast()))

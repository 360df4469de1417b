"""Expected summaries: what a shipped experiment answered when it was last looked at."""

from __future__ import annotations

import tomllib
from pathlib import Path

import polars as pl

from backfill.experiments.results import Result
from backfill.resources import experiments_dir

NAMES = tuple(
    sorted(
        path.stem
        for path in experiments_dir().glob("*.toml")
        if not {"game", "design", "sweep"} & tomllib.loads(path.read_text(encoding="utf-8")).keys()
    )
)
"""Experiments that are run; games, designs and sweeps have tests of their own."""
RELATIVE = 1e-6
KEYS = ("quantity", "where", "period", "unit")
NUMBERS = ("reference", "policy", "change", "current_policy", "against_current_policy", "low", "high")


def expected_file(name: str) -> Path:
    """Where an experiment's expected summary lies: beside it."""
    return experiments_dir() / f"{name}.expected.csv"


def text(result: Result) -> str:
    """A summary as it is kept, with 10 significant digits."""
    rounded = pl.col(pl.Float64).round_sig_figs(10)
    return result.summary.with_columns(rounded).write_csv()


def differences(found: pl.DataFrame, name: str) -> list[str]:
    """Where a summary departs from the expected one, one line each.

    A value may be off by 1e-6 of the larger of its row's numbers: a change is the difference of two levels.
    """
    wanted = pl.read_csv(expected_file(name), infer_schema=False)
    if wanted.columns != found.columns:
        return [f"columns are {found.columns}, expected {wanted.columns}"]
    rows = {tuple(row[key] for key in KEYS): row for row in wanted.iter_rows(named=True)}
    have = {tuple(row[key] for key in KEYS): row for row in found.iter_rows(named=True)}
    lines = [f"missing: {key}" for key in rows if key not in have]
    lines += [f"new: {key}" for key in have if key not in rows]
    for key, row in rows.items():
        if key in have:
            lines += [f"{key}: {line}" for line in _apart(row, have[key])]
    return lines


def _apart(wanted: dict[str, str | None], found: dict[str, float | None]) -> list[str]:
    values = {name: None if wanted[name] is None else float(wanted[name] or "nan") for name in NUMBERS}
    scale = max((abs(value) for value in values.values() if value is not None), default=0.0)
    return [
        f"{name} is {found[name]}, expected {value}"
        for name, value in values.items()
        if not _close(value, found[name], scale)
    ]


def _close(wanted: float | None, found: float | None, scale: float) -> bool:
    if wanted is None or found is None:
        return wanted is found
    return abs(wanted - found) <= RELATIVE * scale + 1e-12

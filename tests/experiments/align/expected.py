"""Expected answers of the shipped games: what each said, without ranges, when it was last looked at."""

from __future__ import annotations

import tomllib
from pathlib import Path

import polars as pl

from backfill.experiments.align.result import AlignResult
from backfill.resources import experiments_dir

NAMES = tuple(
    sorted(
        path.stem
        for path in experiments_dir().glob("*.toml")
        if "game" in tomllib.loads(path.read_text(encoding="utf-8"))
    )
)


def expected_file(name: str) -> Path:
    """Where a game's expected summary lies: beside it."""
    return experiments_dir() / f"{name}.expected-game.csv"


def text(result: AlignResult) -> str:
    """A summary as it is kept, with 10 significant digits."""
    return result.summary.with_columns(pl.col(pl.Float64).round_sig_figs(10)).write_csv()

"""A sweep that runs in seconds: two goods, a few regions, a person's own tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SWEEP = """
[sweep]
mode = "static"
year = 2024
chunk = 4

[[sweep.levers]]
measure = "Electronics"
field = "coverage"
name = "share closed"
low = 0.1
high = 0.9
points = 6

[[sweep.levers]]
measure = "Duty"
field = "rate"
low = 0.0
high = 0.5
points = 4
"""
MEASURES = """
[[measures]]
kind = "tariff"
name = "Duty"
by = "Europe"
origins = "China"
products = "electronics"
rate = 0.1
from = 2023-01-01
"""


@pytest.fixture(scope="session")
def written(repository: Path) -> Callable[[Path], Path]:
    """Writes the small sweep and its tables into a folder."""

    def write(folder: Path, sweep: str = SWEEP) -> Path:
        source = repository / "docs" / "your-own-data"
        for name in ("trade.csv", "elasticities.csv", "regions.csv"):
            shutil.copy(source / name, folder)
        text = (
            (source / "control.toml")
            .read_text()
            .replace('kind = "export_control"', 'kind = "export_control"\nname = "Electronics"')
        )
        file = folder / "small.toml"
        file.write_text(text + MEASURES + sweep)
        return file

    return write


@pytest.fixture
def file(written: Callable[[Path], Path], tmp_path: Path) -> Path:
    """The small sweep."""
    return written(tmp_path)


@pytest.fixture(scope="session")
def finished(written: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small sweep as a run leaves it that nothing disturbs."""
    folder = tmp_path_factory.mktemp("sweep")
    command(written(folder), folder / "out").check_returncode()
    return folder / "out"


def line(file: Path, out: Path, *more: str) -> list[str]:
    """The words of a command line."""
    return [sys.executable, "-m", "backfill.cli", "sweep", str(file), "--out", str(out), *more]


def command(file: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run `backfill sweep`."""
    return subprocess.run(line(file, out, *more), capture_output=True, text=True, env=dict(os.environ))


def tables(out: Path) -> dict[str, bytes]:
    """Every file of a result's tables, whole."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}

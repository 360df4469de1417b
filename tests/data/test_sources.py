"""A source figure that is missing, negative or inconsistent is an error naming file, row, column and remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backfill.economy.compile import build
from backfill.economy.schema import DataError


@pytest.fixture
def sources(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(repository / "data" / "sources", tmp_path / "sources"))


def _change(path: Path, line: int, edit: Callable[[list[str]], list[str]]) -> None:
    lines = path.read_text().splitlines()
    lines[line - 1] = ",".join(edit(lines[line - 1].split(",")))
    path.write_text("\n".join(lines) + "\n")


def _set(column: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda cells: [*cells[:column], value, *cells[column + 1 :]]


@pytest.mark.parametrize(
    ("file", "line", "column", "value", "told"),
    [
        ("customs.csv", 5, 5, "-3", "row 5: value: -3: negative"),
        ("customs.csv", 5, 5, "", "row 5: value: : missing or not a number"),
        ("capacity.csv", 2, 5, "inf", "row 2: value: inf: missing or not a number"),
        ("capacity.csv", 2, 6, "0.99", "row 2: value: 0.7: lies outside its own low and high"),
        ("technology.csv", 3, 9, "guessed", "row 3: grade: guessed: use one of observed, derived, assumed"),
        ("technology.csv", 3, 10, "nowhere", "row 3: source: nowhere: not in bibliography.csv"),
        ("production.csv", 3, 5, "0.99", "output_share of minerals sum to"),
        ("equipment.csv", 5, 5, "90000", "row 5: value: 90000.0: world_output of lithography"),
        ("icio_flows.csv", 9, 1, "ATL", "row 9: region: ATL: unknown region"),
        ("customs.csv", 5, 2, "TWM", "row 5: partner: TWM: unknown region"),
        ("customs.csv", 5, 4, "222", "row 5: period: 222: is no year"),
    ],
)
def test_a_bad_figure_is_named(sources: Path, file: str, line: int, column: int, value: str, told: str):
    edits = _set(column, value)
    if value == "0.99" and file == "production.csv":
        edits = lambda cells: [*cells[:5], "0.99", "0.9", "1", *cells[8:]]  # noqa: E731
    _change(sources / file, line, edits)
    with pytest.raises(DataError) as raised:
        build(sources, sources.parent / "out")
    assert any(fault.startswith(str(sources / file)) and told in fault for fault in raised.value.faults)
    assert not (sources.parent / "out").exists()


def test_a_figure_given_twice_is_named(sources: Path):
    lines = (sources / "capacity.csv").read_text().splitlines()
    (sources / "capacity.csv").write_text("\n".join([*lines, lines[3]]) + "\n")
    with pytest.raises(DataError, match=rf"row {len(lines) + 1}: quantity: .*given twice"):
        build(sources, sources.parent / "out")


def test_all_faults_are_told_at_once(sources: Path):
    (sources / "minerals.csv").unlink()
    _change(sources / "capacity.csv", 2, _set(5, "-1"))
    _change(sources / "customs.csv", 2, _set(9, "certain"))
    with pytest.raises(DataError) as raised:
        build(sources, sources.parent / "out")
    told = "\n".join(raised.value.faults)
    assert "minerals.csv: missing file" in told
    assert "capacity.csv: row 2" in told
    assert "customs.csv: row 2: grade" in told


def test_a_missing_figure_says_which(sources: Path):
    lines = [x for x in (sources / "technology.csv").read_text().splitlines() if not x.startswith("crossings")]
    (sources / "technology.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="no row for crossings: add the figure with its source"):
        build(sources, sources.parent / "out")

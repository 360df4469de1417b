"""Loading tells every fault of the tables at once, and loads nothing heavy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backfill.economy.schema import DataError
from backfill.economy.tables import BaselineTables, load_tables, load_vocabulary


@pytest.fixture
def baseline(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(repository / "data" / "baseline", tmp_path / "baseline"))


def _edit(path: Path, row: int, column: int, value: str) -> None:
    lines = path.read_text().splitlines()
    cells = lines[row - 1].split(",")
    cells[column] = value
    lines[row - 1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "told"),
    [
        ("flows", 10, 3, "-5", "row 10: value_musd: -5.0: must not be negative"),
        ("flows", 10, 3, "nan", "row 10: value_musd: nan: give a finite number"),
        ("flows", 10, 3, "much", "row 10: value_musd: much: give a number"),
        ("flows", 10, 3, "", "row 10: value_musd: : missing"),
        ("flows", 10, 1, "ATL", "row 10: origin: ATL: unknown name"),
        ("inputs", 4, 3, "1.5", "row 4: share: 1.5: give at most 1"),
        ("tariffs", 2, 3, "-2", "row 2: rate: -2.0: give at least -1"),
        ("nodes", 2, 2, "ATL", "row 2: owner: ATL: unknown name"),
        ("compute_use", 2, 3, "mail", "row 2: channel: mail: use direct, cloud"),
        ("parameters", 3, 7, "sure", "row 3: grade: sure: use observed, derived, assumed"),
    ],
)
def test_a_faulty_cell_is_named(baseline: Path, table: str, row: int, column: int, value: str, told: str):
    _edit(baseline / f"{table}.csv", row, column, value)
    with pytest.raises(DataError) as raised:
        load_tables(baseline)
    assert any(fault.startswith(str(baseline / f"{table}.csv")) and told in fault for fault in raised.value.faults)


def test_missing_tables_missing_columns_and_repeated_rows_are_told_together(baseline: Path):
    (baseline / "labour.csv").unlink()
    (baseline / "nodes.csv").write_text("product,region\nhbm,KOR\n")
    lines = (baseline / "flows.csv").read_text().splitlines()
    (baseline / "flows.csv").write_text("\n".join([*lines, lines[5]]) + "\n")
    with pytest.raises(DataError) as raised:
        load_tables(baseline)
    told = "\n".join(raised.value.faults)
    assert "labour.csv: missing table" in told
    assert "nodes.csv: row 1: owner: missing: add the column" in told
    assert f"flows.csv: row {len(lines) + 1}: product" in told


def test_the_vocabulary_has_the_names_of_the_tables(tables: BaselineTables):
    vocabulary = load_vocabulary()
    assert len(vocabulary.regions) == 18
    assert len(vocabulary.products) == 20
    assert vocabulary.hubs == ("SGP", "MYS", "ASE", "GLF", "TKC")
    assert vocabulary.groups["tools"] == ("lithography", "deposition_etch", "process_control_test")
    assert set(vocabulary.groups["tools_and_subsystems"]) == {*vocabulary.groups["tools"], "subsystems"}
    assert vocabulary.groups["inputs"] == ("logic_advanced", "hbm", "packaging")
    assert vocabulary.expand_regions("adversary") == ("CHN", "RUS")
    assert tables.vocabulary() == vocabulary


def test_loading_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from backfill.economy.tables import load_tables, load_vocabulary\n"
        "load_vocabulary(); load_tables()\n"
        "heavy = {'jax', 'pyomo', 'altair', 'dataframely', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

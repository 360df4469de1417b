"""Building the baseline again gives the shipped bytes, and what is shipped fits its schemas."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from backfill.economy.compile import build
from backfill.economy.schema import TABLES
from backfill.economy.tables import load_tables


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("baseline")
    build(repository / "data" / "sources", out)
    return out


def test_rebuilding_gives_the_shipped_bytes(built: Path, repository: Path):
    shipped = repository / "data" / "baseline"
    assert sorted(p.name for p in built.iterdir()) == sorted(p.name for p in shipped.iterdir())
    differing = [p.name for p in built.iterdir() if p.read_bytes() != (shipped / p.name).read_bytes()]
    assert differing == []


def test_package_names_every_table_with_its_hash(repository: Path):
    shipped = repository / "data" / "baseline"
    package = json.loads((shipped / "datapackage.json").read_text())
    assert {r["name"] for r in package["resources"]} == {*TABLES, "adjustments"}
    for resource in package["resources"]:
        assert hashlib.sha256((shipped / resource["path"]).read_bytes()).hexdigest() == resource["sha256"]
    assert all(source["licence"] for source in package["sources"])


def test_shipped_tables_fit_their_dataframely_schemas():
    assert load_tables(strict=True).flows.height > 2000


def test_tables_are_sorted_with_ten_digits(repository: Path):
    lines = (repository / "data" / "baseline" / "flows.csv").read_text().splitlines()[1:]
    keys = [tuple(line.split(",")[:3]) for line in lines]
    assert keys == sorted(keys)
    assert all(len(line.split(",")[3].replace(".", "").lstrip("0").split("e")[0]) <= 10 for line in lines)

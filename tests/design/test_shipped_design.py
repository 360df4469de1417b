"""The shipped design ends where it did when last looked at, and what it writes runs."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from backfill.commands.validate import check
from backfill.experiments.config import load_experiment
from backfill.experiments.design.run import design
from backfill.resources import experiments_dir

NAME = "design-denial"
RELATIVE = 1e-3
"""The search ends where no step promises a millionth of what levers can do."""


@pytest.fixture(scope="module")
def result():
    return design(NAME)


@pytest.mark.slow
def test_it_is_certified(result):
    assert result.checks["converged"] == 1
    assert result.checks["optimality"] <= 1e-3
    assert result.checks["derivative_residual"] <= 1e-9
    assert result.checks["coupling_optimality"] <= 1e-6
    assert any(sentence.startswith("No package drawn is better") for sentence in result.sentences)


@pytest.mark.slow
def test_its_summary_is_the_expected_one(result):
    expected = pl.read_csv(experiments_dir() / f"{NAME}.best.csv", schema=result.summary.schema)
    keys = ["quantity", "where"]
    both = expected.join(result.summary, on=keys, suffix="_found", how="full")
    assert both["value"].null_count() == both["value_found"].null_count() == 0
    for row in both.iter_rows(named=True):
        assert row["value_found"] == pytest.approx(row["value"], rel=RELATIVE, abs=1e-3), row


@pytest.mark.slow
def test_the_frontier_rises_with_its_limit(result):
    points = result.tables["frontier"].filter(pl.col("kind") == "objective").sort("bound")["value"]
    assert (points.diff().drop_nulls() >= -1e-4 * points.max()).all()


@pytest.mark.slow
def test_the_best_package_is_an_experiment_that_can_run(result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("best.toml").write_text(result.resolved, encoding="utf-8")
    experiment, base = check("best.toml")
    assert experiment.design is None
    assert base.name == "current-policy"


def test_it_is_valid():
    table = load_experiment(NAME).design
    assert table is not None
    assert len(table.levers) == 5
    assert table.frontier is not None
    assert table.frontier.points == 10

"""Coupled sweeps, kept flows, dry runs, scenarios without an answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import backfill
from backfill.cli import main
from backfill.experiments.run import run
from backfill.experiments.sweep.file import SweepTable
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.solved import failed, in_order
from backfill.experiments.sweep.write import tables as written_tables
from tests.sweep.conftest import SWEEP, command, tables

ABOUT = {"file": "f", "inputs": "i", "reference": "r", "data": "d", "version": "v", "keep": "effects"}


def test_a_scenario_without_an_answer_is_a_row_with_its_reason():
    lever = {"measure": "A", "field": "rate", "name": "rate", "values": [0.0, 0.5, 1.0]}
    plan = Plan.of(SweepTable.model_validate({"levers": [lever]}))
    parts = [failed(np.array([2, 0]), "there is\n  no answer"), failed(np.array([1]), "nor here")]
    found = written_tables(plan, in_order(parts, np.arange(3), keep=False), ABOUT, None)
    assert found["scenarios"]["reason"].to_list() == ["there is no answer", "nor here", "there is no answer"]
    assert set(found["scenarios"]["status"]) == {"failed"}
    assert found["scenarios"]["rate"].to_list() == [0.0, 0.5, 1.0]
    assert found["effects"].is_empty()


@pytest.fixture
def coupled(written, tmp_path: Path) -> Path:
    sweep = SWEEP.replace('mode = "static"\nyear = 2024', 'mode = "coupled"').replace("points = 6", "points = 3")
    return written(tmp_path, sweep.replace("points = 4", "points = 2"))


@pytest.mark.slow
def test_a_coupled_sweep_is_what_runs_are_and_is_redone_to_the_byte(coupled: Path, tmp_path: Path):
    out = tmp_path / "out"
    command(coupled, out).check_returncode()
    whole = tables(out)
    for kind in ("scenarios", "effects"):
        (out / kind / "chunk-000001.parquet").unlink()
    command(coupled, out).check_returncode()
    assert tables(out) == whole
    sweep = backfill.load_sweep(out)
    chosen = sweep.scenarios.filter((pl.col("share closed") == 0.5) & (pl.col("Duty: rate") == 0.5)).collect()[
        "scenario"
    ][0]
    effects = sweep.effects.filter(pl.col("scenario") == chosen).collect()
    text = (
        coupled.read_text()
        .partition("[sweep]")[0]
        .replace("coverage = 0.7", "coverage = 0.5")
        .replace("rate = 0.1", "rate = 0.5")
    )
    single = coupled.with_name("single.toml")
    single.write_text(text)
    welfare = run(single).tables["welfare"].filter(pl.col("product") == "all")
    for quantity in ("equivalent variation", "change in fiscal revenue", "welfare, present value"):
        mine = effects.filter(pl.col("quantity") == quantity).select("period", "where", "value")
        its = welfare.filter(pl.col("quantity") == quantity).select("period", pl.col("region").alias("where"), "value")
        both = mine.join(its, on=["period", "where"], suffix="_run")
        assert both.height >= 3
        scale = both["value_run"].abs().max()
        assert ((both["value"] - both["value_run"]).abs() < 1e-6 * scale).all(), quantity


@pytest.mark.slow
def test_flows_are_kept_where_asked(file: Path, tmp_path: Path, finished: Path):
    out = tmp_path / "out"
    command(file, out, "--keep", "flows").check_returncode()
    flows = backfill.load_sweep(out).flows
    assert flows is not None
    sums = (
        flows.filter(pl.col("origin") != pl.col("destination"))
        .group_by("scenario", "period")
        .agg(pl.col("fob_value").sum())
    )
    exports = backfill.load_sweep(out).effects.filter(
        (pl.col("quantity") == "exports") & (pl.col("where") == "world") & (pl.col("product") == "all")
    )
    both = sums.join(exports, on=["scenario", "period"]).collect()
    assert both.height == 24
    np.testing.assert_allclose(both["fob_value"], both["value"], rtol=1e-9)
    scenarios, whole = (backfill.load_sweep(place).scenarios.collect() for place in (out, finished))
    assert scenarios.equals(whole)


@pytest.mark.slow
def test_a_dry_run_says_size_time_and_disk_and_leaves_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    assert main(["sweep", str(file), "--out", str(out), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "24 scenarios (static), 6 chunks of at most 4" in said
    assert "time: about" in said
    assert "bytes a scenario" in said
    assert not out.exists()


@pytest.mark.slow
def test_a_page_is_drawn_of_a_finished_sweep(finished: Path, tmp_path: Path):
    shutil.copytree(finished, tmp_path / "out")
    assert "vegaEmbed" in (finished / "chart.html").read_text()

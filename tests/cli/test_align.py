"""``backfill align``: what it prints, writes and refuses; slow ones solve the shipped game."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from backfill.cli import main
from backfill.resources import experiments_dir
from tests.experiments.align.expected import NAMES, expected_file


def test_the_shipped_game_is_sound(capsys):
    assert main(["validate", str(experiments_dir() / "align-tools.toml")]) == 0
    assert "ok" in capsys.readouterr().out


@pytest.mark.slow
def test_the_shipped_game_in_one_year(tmp_path: Path, capsys):
    out = tmp_path / "out"
    assert main(["align", "align-tools", "--mode", "static", "--no-ranges", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "Who aligns on tools and subsystems" in told
    assert "deterring tariffs by belief" in told
    assert "equilibri" in told
    assert f"open {out / 'chart.html'} in a browser" in told
    checks = json.loads((out / "checks.json").read_text(encoding="utf-8"))
    assert checks["converged"] == 1
    assert checks["worlds"] == 3 * 27
    for name in ("NLD", "JPN", "KOR"):
        assert 0 < checks[f"loss_{name}"] < 2.5 * checks[f"loss_by_thumb_{name}"]
    payoffs = pl.read_parquet(out / "payoffs.parquet")
    assert payoffs.height == 27 * 3 * 6
    assert payoffs["value"].is_not_null().all()
    again = main(["align", "align-tools", "--mode", "static", "--no-ranges", "--out", str(out), "--quiet"])
    assert again == 0
    assert capsys.readouterr().out == ""


def test_every_shipped_game_has_an_expected_answer():
    assert set(experiments_dir().glob("*.expected-game.csv")) == {expected_file(name) for name in NAMES}
    assert NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_game_answers_as_it_did_when_last_looked_at(name: str, tmp_path: Path):
    """As the file says, without ranges: equilibria and moves exactly, numbers to a thousandth of the largest of their kind."""
    out = tmp_path / "out"
    assert main(["align", name, "--no-ranges", "--out", str(out), "--quiet"]) == 0
    keys = ["quantity", "where"]
    found, wanted = (
        pl.read_csv(place, infer_schema=False).with_columns(pl.col("value").cast(pl.Float64))
        for place in (out / "summary.csv", expected_file(name))
    )
    assert found.select(keys).rows() == wanted.select(keys).rows()
    both = found.join(wanted, on=keys, suffix="_wanted", nulls_equal=True)
    exact = both.filter(pl.col("unit") == "count")
    assert exact.select("value", "note").rows() == exact.select("value_wanted", "note_wanted").rows()
    assert both["value"].is_null().to_list() == both["value_wanted"].is_null().to_list()
    for _, part in both.filter(pl.col("unit") != "count").group_by("quantity"):
        size = part["value_wanted"].abs().max() or 0.0
        assert ((part["value"] - part["value_wanted"]).abs().fill_null(0.0) <= 1e-3 * size + 1e-9).all(), part  # type: ignore[operator]

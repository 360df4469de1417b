"""``backfill compare``: results side by side, and which cannot stand so; results are hand-made."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import backfill
from backfill.charts.beside import beside
from backfill.cli import main
from backfill.effects.welfare import GAIN
from backfill.errors import CommandError
from backfill.experiments.results import Result
from backfill.experiments.toml_text import to_toml
from tests.cli.command import HEAVY
from tests.effects.hand_made import POLICY, REFERENCE
from tests.effects.test_results import make, solved

HORIZON = {"first": 2022, "last": 2023, "periods_per_year": 1}


def result(name: str, *, policy=None, provenance: dict | None = None, **resolved: object) -> Result:
    one = make(policy=policy)
    text = to_toml({"name": name, "horizon": HORIZON, **resolved})
    return dataclasses.replace(
        one,
        name=name,
        resolved=text,
        provenance={**one.provenance, "data_sha256": "abcdef012345", **(provenance or {})},
    )


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of two experiments under ``results``: ``strict`` and, of a policy that does nothing, ``idle``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("backfill.charts.overview.page", lambda one: f"page of {one.name}")
    result("strict").write("results/strict")
    result("idle", policy=solved(REFERENCE)).write("results/idle", tables="csv")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["compare", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


def test_numbers_stand_side_by_side(written: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["compare", "strict", "results/idle"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == "strict, idle: changes from no-controls"
    (row,) = [line for line in lines if line.split()[:4] == ["compute", "acquired", "adversary", "2022-2023"]]
    assert row.split()[4:] == ["H100e", "40,000", "-10,000", "0"]
    assert "change, idle" in out
    assert {path.name for path in written.iterdir()} == {"results"}


def test_table_and_chart_are_written_and_replace_earlier_ones(written: Path, capsys: pytest.CaptureFixture[str]):
    for _ in range(2):
        assert main(["compare", "idle", "strict", "--out", "deep/beside"]) == 0
        assert "open deep/beside/chart.html in a browser" in capsys.readouterr().out
        assert {path.name for path in Path("deep/beside").iterdir()} == {
            "comparison.csv",
            "chart.html",
            "provenance.json",
        }
    table = pl.read_csv("deep/beside/comparison.csv")
    assert table.columns[:5] == ["quantity", "where", "period", "unit", "reference"]
    assert table.columns[5:] == ["idle: level", "idle: change", "strict: level", "strict: change"]
    row = table.row(
        by_predicate=(pl.col("quantity") == "compute acquired") & (pl.col("period") == "2022-2023"), named=True
    )
    assert (row["reference"], row["idle: change"], row["strict: level"]) == (40_000, 0, 30_000)
    page = Path("deep/beside/chart.html").read_text()
    assert "vegaEmbed" in page
    assert "The adversary acquires least in strict" in page
    assert 'src="http' not in page


def test_from_python_results_folders_and_names_do(written: Path):
    both = backfill.compare("strict", Path("results/idle"), result("third"))
    assert both.worlds == ("strict", "idle", "third")
    again = both.table.select(pl.col("strict: change").alias("x"))
    assert again.equals(both.table.select(pl.col("third: change").alias("x")))


def test_what_one_result_alone_has_stays_empty_in_the_other(written: Path):
    strict = result("strict")
    fewer = dataclasses.replace(result("fewer"), summary=strict.summary.head(3))
    table = backfill.compare(fewer, strict).table
    assert table.height == strict.summary.height
    assert table["fewer: change"].null_count() > table["strict: change"].null_count()


def test_ranges_stand_beside_where_they_were_computed(written: Path, capsys: pytest.CaptureFixture[str]):
    one = result("ranged")
    is_denied = pl.col("quantity") == "compute denied"
    ranged = one.summary.with_columns(
        low=pl.when(is_denied).then(8_000.0), high=pl.when(is_denied).then(13_000.0)
    )  # fmt: skip
    dataclasses.replace(one, summary=ranged).write("results/ranged")
    both = backfill.compare("ranged", "idle")
    assert [name for name in both.table.columns if name.endswith("low")] == ["ranged: low"]
    assert main(["compare", "ranged", "idle"]) == 0
    assert "10,000 (8,000 to 13,000)" in capsys.readouterr().out
    assert "isValid(datum.low)" in json.dumps(beside(both).to_dict())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"horizon": {**HORIZON, "last": 2022}}, "horizon: 2022-2023 (strict), 2022-2022 (other)"),
        (
            {"horizon": {**HORIZON, "periods_per_year": 2}},
            "horizon: 2022-2023 (strict), 2022-2023 in half-years (other)",
        ),
        (
            {"parameters": {"sigma_tier": 5.0}},
            "benchmark abcdef01 (strict), benchmark abcdef01 with sigma_tier = 5 (other)",
        ),
        ({"regions": {"mapping": "/m.toml"}}, "benchmark abcdef01 over the regions of /m.toml (other)"),
        ({"economy": {"tables": "/mine", "closure": "fixed"}}, "tables in /mine, deficits fixed (other)"),
        ({"provenance": {"data_sha256": "9" * 64}}, "economy: benchmark abcdef01 (strict), benchmark 99999999 (other)"),
        ({"provenance": {"reference": "current-policy"}}, "reference: no-controls (strict), current-policy (other)"),
    ],
)
def test_other_economies_horizons_and_references_are_refused(written: Path, other, said: str, capsys):
    result("other", **other).write("results/other")
    line = refused(capsys, "strict", "other", "--out", "beside")
    assert line.startswith("backfill compare: strict, other cannot stand side by side, as these differ: ")
    assert said in line
    assert not Path("beside").exists()


def test_all_that_differs_is_one_line(written: Path, capsys: pytest.CaptureFixture[str]):
    result("other", provenance={"reference": "current-policy"}, horizon={**HORIZON, "last": 2022}).write(
        "results/other"
    )
    line = refused(capsys, "strict", "idle", "other")
    assert "horizon: 2022-2023 (strict, idle), 2022-2022 (other); reference: no-controls (strict, idle)" in line


def test_one_name_for_two_references_is_noticed(written: Path, capsys: pytest.CaptureFixture[str]):
    one = result("moved")
    moved = one.summary.with_columns(reference=pl.col("reference") * 1.001)
    dataclasses.replace(one, summary=moved).write("results/moved")
    line = refused(capsys, "strict", "moved")
    assert (
        "reference: no-controls is another world in each, with compute acquired, adversary, 2022-2023 of 40000 in strict"
        in line
    )


def test_what_else_sets_results_apart_is_said(written: Path, capsys: pytest.CaptureFixture[str]):
    result("myopic", foresight="myopic", as_of=dt.date(2025, 6, 30)).write("results/myopic")
    result("newer", provenance={"packages": {"backfill": "0.2.0"}}).write("results/newer")
    assert main(["compare", "strict", "idle"]) == 0
    assert "set apart" not in capsys.readouterr().out
    assert main(["compare", "strict", "myopic", "newer", "--out", "both"]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("set apart not by measures alone")]
    assert "foresight: perfect (strict, newer), myopic (myopic)" in line
    assert "known as of: the end (strict, newer), 2025-06-30 (myopic)" in line
    assert "0.2.0 (newer)" in line
    page = Path("both/chart.html").read_text()
    assert "foresight: perfect (strict, newer), myopic (myopic)" in page


def test_a_rate_is_said_to_be_one(written: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["compare", "strict", "idle"]) == 0
    told = "a rate, or a cost per unit, is that between no-controls and each world, not a change of rates"
    assert told in capsys.readouterr().out.splitlines()


def test_a_cost_below_nothing_is_told_as_a_gain(written: Path, capsys: pytest.CaptureFixture[str]):
    told = f"cost per unit denied: {GAIN}"
    assert main(["compare", "strict", "idle"]) == 0
    assert told not in capsys.readouterr().out.splitlines()
    cost = pl.col("quantity") == "cost per unit denied"
    one = result("gaining")
    summary = one.summary.with_columns(change=pl.when(cost).then(-400.0).otherwise("change"))
    dataclasses.replace(one, summary=summary).write("results/gaining")
    assert main(["compare", "strict", "gaining"]) == 0
    assert told in capsys.readouterr().out.splitlines()


def test_experiments_of_one_name_are_told_apart_by_folder(written: Path):
    result("strict", policy=solved(POLICY)).write("before/strict")
    assert backfill.compare("strict", "before/strict").worlds == ("results/strict", "before/strict")
    with pytest.raises(CommandError, match="is named twice"):
        backfill.compare("strict", "results/strict")


def test_every_missing_result_is_a_line(written: Path, capsys: pytest.CaptureFixture[str]):
    result("strict", policy=solved(POLICY, status="FAILED", checks={"converged": 0.0})).write("failed")
    Path("mine").mkdir()
    assert main(["compare", "strikt", "failed", "mine", "idle", "--out", "mine/x"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        'strikt: no such folder, nor a result under results; did you mean "strict"?',
        "failed: is of an experiment that could not be solved; there is nothing in it",
        "mine: holds no result; name a folder that `backfill run` wrote",
    ]


def test_one_result_is_not_enough(written: Path, capsys: pytest.CaptureFixture[str]):
    assert refused(capsys, "strict") == "backfill compare: takes two results or more"


@pytest.mark.parametrize("kept", ["results/strict", "thesis"])
def test_folders_with_something_else_are_left_alone(written: Path, kept: str, capsys: pytest.CaptureFixture[str]):
    Path("thesis").mkdir()
    Path("thesis/years.txt").write_text("of work")
    before = sorted(path.name for path in Path(kept).iterdir())
    line = refused(capsys, "strict", "idle", "--out", kept)
    assert line == f"{kept}: is not empty and holds no comparison; name another folder or empty it"
    assert sorted(path.name for path in Path(kept).iterdir()) == before


@pytest.mark.parametrize("mine", [["chart.html"], ["comparison.csv", "chart.html", "note.txt"]])
def test_what_people_put_into_the_folder_is_never_lost(
    written: Path, mine: list[str], capsys: pytest.CaptureFixture[str]
):
    Path("both").mkdir()
    for name in mine:
        (Path("both") / name).write_text("years of work")
    assert refused(capsys, "strict", "idle", "--out", "both").startswith("both: ")
    assert {path.name: path.read_text() for path in Path("both").iterdir()} == dict.fromkeys(mine, "years of work")


def test_nothing_of_the_solver_is_loaded(written: Path):
    script = (
        "import sys; from backfill.cli import main; code = main(['compare', 'strict', 'idle', '--quiet']); "
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=written, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "heavy: []"), done.stderr

"""What a design writes, draws and prints; the tables are hand-made, so that nothing is solved here."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from backfill.charts.design import design, page
from backfill.commands.design import report
from backfill.errors import OutputError
from backfill.experiments.config import Experiment, load_experiment
from backfill.experiments.design.result import SUMMARY, TABLES, DesignResult, may_replace, table
from backfill.experiments.design.sentences import unranged
from backfill.experiments.design.tables import Ranges

LEVERS = (("checks", "budget", 1.0, 10.0), ("coverage", "coverage", 0.3, 0.9))
H100E, MONEY = "H100e", "million USD"


def frontier() -> list[tuple]:
    rows: list[tuple] = []
    for n, bound in enumerate((20000.0, 30000.0, 40000.0)):
        verdict = "kinked" if n == 1 else "optimal"
        rows.append((n + 1, bound, "compute denied", "objective", 1e6 * (n + 1), 0.5e6, 4e6, H100E, verdict))
        rows.append((n + 1, bound, "cost", "limit", bound, 0.9 * bound, 2 * bound, MONEY, verdict))
        rows.append((n + 1, bound, "rent", "limit", 5.0, None, None, MONEY, verdict))
        rows.append((n + 1, bound, "shadow price", "price", 80.0, None, None, f"{H100E} by {MONEY}", verdict))
        for name, field, low, high in LEVERS:
            rows.append((n + 1, bound, name, "lever", low + (high - low) * n / 2, None, None, field, verdict))
            rows.append((n + 1, bound, name, "share", n / 2, None, None, "share of the range", verdict))
    return rows


def made(along: bool = True) -> DesignResult:
    packages = [
        (package, name, name, field, value, low, high, True, "high" if value == high else "")
        for package, end in (("as written", 0.5), ("best", 1.0))
        for name, field, low, high in LEVERS
        for value in (low + end * (high - low),)
    ]
    samples = [
        (n, quantity, kind, value, unit)
        for n in (1, 2)
        for quantity, kind, value, unit in (
            ("compute denied", "objective", 1e6 * n, H100E),
            ("cost", "limit", 15000.0 * n, MONEY),
        )
    ]
    rows = {
        "design": packages,
        "effects": [("best", "compute denied", "adversary", "all", 3e6, None, None, H100E)],
        "limits": [("cost", 40000.0, "at most", 40000.0, True, 80.0, f"{H100E} by {MONEY}")],
        "marginals": [(name, q, 1.5, H100E) for name, *_ in LEVERS for q in ("compute denied", "cost")],
        "frontier": frontier() if along else [],
        "certificates": [
            ("start 1", 3e6, 0.0, 1e-4, 5, 6, "The optimality conditions hold: no small change is better.")
        ],
        "samples": samples,
    }
    return DesignResult(
        name="mine",
        title="Mine",
        objective="most compute denied (adversary)",
        tables={name: table(name, part) for name, part in rows.items()},
        summary=pl.DataFrame([("checks", "lever", 10.0, None, None, "budget", "")], schema=SUMMARY, orient="row"),
        sentences=("Most compute denied: 3 million H100e.",),
        checks={"converged": 1.0, "frontier_optimal": float("nan")},
        provenance={"reference": "no-controls"},
        resolved='name = "mine-best"\n',
    )


def test_everything_is_written_and_may_be_written_again(tmp_path: Path):
    folder = made().write(tmp_path / "out")
    names = {path.name for path in folder.iterdir()}
    assert names == {*(f"{name}.parquet" for name in TABLES), "summary.csv", "checks.json", "provenance.json", "resolved.toml",
                     "chart.html"}  # fmt: skip
    assert json.loads((folder / "checks.json").read_text()) == {"converged": 1.0}
    assert json.loads((folder / "provenance.json").read_text())["sentences"] == [
        "Most compute denied: 3 million H100e."
    ]
    assert pl.read_parquet(folder / "frontier.parquet").columns == list(TABLES["frontier"])
    made(along=False).write(folder)


def test_other_folders_are_left_alone(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds no design"):
        may_replace(tmp_path)
    with pytest.raises(OutputError, match="is a file"):
        may_replace(tmp_path / "notes.txt")


@pytest.mark.parametrize("along", [True, False])
def test_the_page_draws_with_and_without_a_frontier(along: bool):
    chart = design(made(along)).to_dict()
    text = json.dumps(chart)
    assert "Most compute denied" in text
    assert ("moves most" in text) == along
    assert page(made(along)).startswith("<!DOCTYPE html>")


def test_the_report_shows_levers_and_sentences(tmp_path: Path):
    folder = made().write(tmp_path / "out")
    told = report(made(), folder)
    assert told[0] == "Mine"
    assert any("checks" in line and "10" in line for line in told)
    assert "Most compute denied: 3 million H100e." in told


@pytest.fixture(scope="module")
def shipped() -> Experiment:
    return load_experiment("design-denial")


def test_numbers_without_ranges_say_how_to_get_them(shipped: Experiment):
    told = list(unranged(shipped, None, None))
    assert len(told) == 1
    assert "for ranges add --ranges" in told[0]
    assert not list(unranged(shipped, Ranges({}, []), {"unsolved": []}))


def test_packages_without_a_world_at_some_parameter_say_where(shipped: Experiment):
    told = list(unranged(shipped, None, {"unsolved": ["trade_elasticity low"]}))
    assert told[0].startswith("No ranges: these packages have no world where trade_elasticity low")

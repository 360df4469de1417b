"""A result from hand-made worlds: what it holds, how it is written and read back, and how it is drawn."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backfill.charts.leakage import steps
from backfill.charts.overview import overview, page
from backfill.charts.theme import columns, wrap
from backfill.errors import OutputError
from backfill.experiments.results import CHECKS, EffectTables, Status, load_result
from backfill.experiments.run import downstream_name, result_of
from backfill.experiments.summary import SCHEMA, summary
from backfill.experiments.toml_text import to_toml
from backfill.policy.wedges import Wedges
from tests.effects.hand_made import DOWNSTREAM, PERIODS, POLICY, REFERENCE, VOCABULARY, world
from tests.effects.test_worlds import CHIPS, TOOLS, closing

CHECKED = {
    "converged": 1.0,
    "walras": 1e-12,
    "complementarity": 0.0,
    "shares": 1e-15,
    "volume": 0.0,
    "coupling_step": 1e-8,
    "coupling_optimality": 1e-9,
}
NONE = Wedges.none(VOCABULARY, PERIODS)
POLICY_WEDGES = closing(NONE, TOOLS, CHIPS)


def solved(rows, *, status: str = "SOLVED", checks: dict | None = None, **kinds):
    return SimpleNamespace(
        tables=world(rows, **kinds),
        checks={**CHECKED, **(checks or {})},
        periods=PERIODS,
        discount=0.94,
        rounds=4,
        status=SimpleNamespace(name=status),
        message="Markets and plan agree." if status == "SOLVED" else "Periods: 2023.",
    )


def make(*, second: bool = False, policy=None):
    references = {"no-controls": NONE} | ({"current-policy": closing(NONE, CHIPS)} if second else {})
    worlds = {"no-controls": solved(REFERENCE, checks={"walras": 3e-11}), "control": policy or solved(POLICY, size=8.0)}
    if second:
        worlds["current-policy"] = solved(DOWNSTREAM + REFERENCE[:4])
    worlds |= {downstream_name(name): solved(DOWNSTREAM) for name in references}
    return result_of(
        worlds,
        scenario="control",
        references=references,
        policy=POLICY_WEDGES,
        vocabulary=VOCABULARY,
        resolved='name = "control"\n',
        parameters={"discount_factor": (0.94, "assumed", "round figure")},
        seconds=1.0,
    )


@pytest.fixture(scope="module")
def result():
    return make()


def test_checks_are_the_worst_of_all_worlds(result):
    assert list(result.checks) == list(CHECKS)
    assert result.checks["walras"] == 3e-11
    assert result.checks["converged"] == 1
    assert result.checks["leakage_sum"] <= 1e-9


def test_summary_says_what_the_tables_say(result):
    assert dict(result.summary.schema) == SCHEMA
    rows = {(r["quantity"], r["where"], r["period"]): r for r in result.summary.to_dicts()}
    acquired = rows["compute acquired", "adversary", "2022-2023"]
    assert (acquired["reference"], acquired["policy"], acquired["change"]) == (40_000, 30_000, -10_000)
    assert rows["leakage rate", "adversary", "2022-2023"]["change"] == pytest.approx(0.5)
    assert rows["capacity, logic_advanced", "adversary", "2023"]["change"] == pytest.approx(-2)
    assert rows["backfill rate of tools by US allies", "adversary", "2022-2023"]["change"] == pytest.approx(0.5)
    assert acquired["current_policy"] is None
    assert len(rows) == result.summary.height


def test_a_second_reference_stands_beside():
    both = make(second=True)
    assert both.also_against == "current-policy"
    assert set(both.tables["leakage"]["reference"]) == {"no-controls", "current-policy"}
    assert set(both.tables["exports"]["scenario"]) == {"no-controls", "current-policy", "control"}
    row = both.summary.filter(pl.col("quantity") == "compute acquired", pl.col("period") == "2022-2023").to_dicts()[0]
    assert row["against_current_policy"] == pytest.approx(row["policy"] - row["current_policy"])
    denied = both.summary.filter(pl.col("quantity") == "compute denied").to_dicts()[0]
    assert denied["against_current_policy"] == pytest.approx(-row["against_current_policy"])


def test_a_rate_is_the_one_between_two_worlds_and_no_change_of_rates():
    both = make(second=True)
    rate = pl.when(pl.col("reference") == "current-policy").then(-0.83).otherwise(-0.81)
    filled = both.tables.backfilling.with_columns(value=rate)
    tables = dataclasses.replace(both.tables, backfilling=filled)
    rows = summary(tables, "control", "no-controls", "current-policy", ["2022", "2023"])
    (row,) = rows.filter(pl.col("quantity") == "backfill rate of tools by US allies").to_dicts()
    assert (row["change"], row["against_current_policy"]) == (-0.81, -0.83)
    assert row["reference"] is row["policy"] is row["current_policy"] is None


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_written_and_read_back(result, tmp_path, kind):
    folder = result.write(tmp_path / "out", tables=kind)
    assert {p.name for p in folder.iterdir()} == {
        *(f"{name}.{kind}" for name in EffectTables.empty()),
        "summary.csv",
        "checks.json",
        "provenance.json",
        "resolved.toml",
        "chart.html",
    }
    again = load_result(folder)
    for name in result.tables:
        assert_frame_equal(again.tables[name], result.tables[name])
    assert_frame_equal(again.summary, result.summary)
    assert again.checks == result.checks
    assert (again.name, again.reference, again.also_against) == ("control", "no-controls", None)
    assert again.provenance == result.provenance
    assert again.resolved == result.resolved
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_earlier_result_is_replaced_whole_and_nothing_else(result, tmp_path):
    folder = result.write(tmp_path / "out")
    result.write(folder, tables="csv")
    assert not list(folder.glob("*.parquet"))
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "draft.txt").write_text("precious")
    with pytest.raises(OutputError, match="holds no result"):
        result.write(other)
    assert [p.name for p in other.iterdir()] == ["draft.txt"]
    with pytest.raises(OutputError, match="is a file"):
        result.write(other / "draft.txt")
    with pytest.raises(ValueError, match="'parquet' or 'csv'"):
        result.write(tmp_path / "x", tables="xlsx")  # type: ignore[arg-type]


def test_nothing_is_left_when_writing_fails(result, tmp_path, monkeypatch):
    def broken(_):
        raise RuntimeError("no ink")

    monkeypatch.setattr("backfill.charts.overview.page", broken)
    with pytest.raises(RuntimeError, match="no ink"):
        result.write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_world_leaves_only_checks(tmp_path):
    failed = make(policy=solved(POLICY, status="MARKETS_FAILED", checks={"converged": 0.0, "walras": math.nan}))
    assert failed.status is Status.FAILED
    assert failed.message == "control: Periods: 2023."
    folder = failed.write(tmp_path / "out")
    assert [p.name for p in folder.iterdir()] == ["checks.json"]
    checks = json.loads((folder / "checks.json").read_text())
    assert list(checks) == [name for name in CHECKS if name != "walras"]
    assert all(isinstance(v, float) and math.isfinite(v) for v in checks.values())
    assert checks["converged"] == 0
    assert checks["leakage_sum"] <= 1e-9
    assert load_result(folder).status is Status.FAILED
    make().write(folder)
    assert load_result(folder).status is Status.SOLVED


def test_provenance_names_versions_data_and_parameters(result):
    record = result.provenance
    assert len(record["data_sha256"]) == len(record["experiment_sha256"]) == 64
    assert record["packages"]["polars"] == pl.__version__
    assert record["parameters"]["discount_factor"] == {"value": 0.94, "grade": "assumed", "source": "round figure"}
    assert record["worlds"]["control"]["rounds"] == 4


def test_result_is_frozen(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.name = "other"
    with pytest.raises(KeyError, match="no table 'exprots'"):
        result.tables["exprots"]


def test_the_waterfall_adds_up(result):
    bars = steps(result.tables["leakage"], "control", "no-controls")
    assert bars["step"].to_list()[0] == "gross denial"
    assert bars["end"].to_list()[-2] == pytest.approx(bars["end"].to_list()[-1])
    assert bars["end"].to_list()[0] == pytest.approx(20_000)


def test_page_opens_without_a_network(result):
    html = page(result)
    assert "control, compared with no-controls" in html
    for loader in ('<script src="', '<link rel="stylesheet" href="http', "import("):
        assert loader not in html.split("<body>")[0].split("vega-lite")[0]
    assert 'src="http' not in html


def text(chart) -> str:
    """Everything a page says, lines of one sentence joined."""
    return json.dumps(chart.to_dict()).replace('", "', " ")


@pytest.mark.parametrize("second", [False, True])
def test_page_is_drawn_from_these_numbers(second):
    said = text(overview(make(second=second)))
    assert "The adversary acquires 25% less compute over the period." in said
    assert "Of 20 thousand H100e denied at first, 10 thousand H100e stay denied." in said
    assert ("current-policy" in said) == second


def test_page_of_a_policy_without_effect():
    said = text(overview(make(policy=solved(REFERENCE))))
    assert "nobody backfills" in said


def test_columns_are_checked_before_drawing(result):
    with pytest.raises(ValueError, match="no column vlaue"):
        columns(result.tables["exports"], ["period", "vlaue"])


def test_wrap():
    assert wrap("one two three", 7) == ["one two", "three"]
    assert " ".join(wrap("a bb ccc dddd", 4)) == "a bb ccc dddd"


def test_toml_reads_back_the_same():
    import datetime as dt

    value = {
        "name": 'a "quoted" name\nwith é',
        "rate": 0.25,
        "big": 1e22,
        "whole": 3.0,
        "count": 2,
        "flag": True,
        "none": None,
        "inf": math.inf,
        "start": dt.date(2023, 11, 17),
        "names": ["x", "y"],
        "empty": [],
        "horizon": {"first": 2022, "odd key": 1},
        "measures": [{"kind": "tariff", "nested": {"a": [1.5]}}, {"kind": "levy"}],
    }
    assert tomllib.loads(to_toml(value)) == {k: v for k, v in value.items() if v is not None}
    with pytest.raises(TypeError, match="a.b: TOML has no form"):
        to_toml({"a": {"b": object()}})

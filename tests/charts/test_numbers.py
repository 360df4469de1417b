"""What charts say equals the tables; what is missing or idle is said, never drawn as nothing."""

from __future__ import annotations

import dataclasses
import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import backfill.charts as charts
from backfill.charts import leakage, swings
from backfill.charts.panel import NothingToDraw
from backfill.charts.places import members
from backfill.charts.trade_flows import flows
from backfill.charts.words import capital, day, listed, measure, people
from backfill.charts.world_map import PLACES, world
from backfill.experiments.align.result import load_game
from backfill.experiments.beside import SideBySide, load_comparison
from backfill.experiments.design.result import load_design
from backfill.experiments.results import EffectTables


def datasets(chart) -> list[list[dict]]:
    return list(chart.to_dict()["datasets"].values())


def rows_with(chart, *columns: str) -> list[dict]:
    """The rows of the first table drawn that has the columns."""
    return next(rows for rows in datasets(chart) if rows and set(columns) <= set(rows[0]))


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (43_256_341.0, "H100e", "43 million H100e"),
        (57_242.0, "thousand H100e", "57 million H100e"),
        (999.9, "H100e", "1.0 thousand H100e"),
        (999_960.0, "H100e", "1.0 million H100e"),
        (1_234.0, "million USD", "1.2 billion USD"),
        (-31_402.0, "million USD of 2022", "−31 billion USD of 2022"),
        (547_034.0, "million USD", "547 billion USD"),
        (0.4, "million USD", "400 thousand USD"),
        (0.123, "share of the fall in US sales", "12%"),
        (13_191.0, "USD per H100e", "13,191 USD per H100e"),
        (2.505, "ratio", "2.5 ratio"),
        (0.0, "H100e", "0 H100e"),
    ],
)
def test_numbers_as_people_write_them(value, unit, told):
    assert people(value, unit) == told


def test_a_measure_suits_the_largest_value():
    how = measure("million USD", [1.0, -25_000.0, None, float("nan")])
    assert (how.unit, how.label(-25_000.0), how.label(1.0, 2, signed=True)) == ("billion USD", "−25.0", "+0.0010")
    assert measure("H100e", []).unit == "H100e"


def test_words():
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert (listed(["a"]), listed([])) == ("a", "")
    assert day("2026-03-05T10:00:00+00:00") == "5 March 2026"
    assert day(None) == ""
    assert capital("the US") == "The US"


def test_the_waterfall_adds_up_and_is_the_table(result):
    bars = leakage.steps(result.tables["leakage"], "control", "no-controls")
    gross, *between, denied = bars["amount"].to_list()
    assert gross + sum(between) == pytest.approx(denied)
    drawn = rows_with(charts.waterfall(result), "step", "start", "end")
    assert [row["step"] for row in drawn] == bars["step"].to_list()
    for one, other in zip(drawn[1:-1], drawn[2:], strict=True):
        if other["kind"] != "total":
            assert other["start"] == pytest.approx(one["end"])
    assert drawn[-2]["end"] == pytest.approx(drawn[-1]["end"])


def test_who_backfills_is_the_table(result):
    drawn = {
        row["seller"]: row["scaled"] for row in rows_with(charts.who_backfills(result, "tools"), "seller", "scaled")
    }
    table = result.tables["backfilling"].filter(
        pl.col("period") == "all",
        pl.col("reference") == "no-controls",
        pl.col("product") == "tools",
        pl.col("destination") == "adversary",
        pl.col("quantity") == "change in sales, current value",
    )
    wanted = dict(table.filter(pl.col("origin").is_in(["us", "KOR", "CHN"])).select("origin", "value").iter_rows())
    assert drawn == {"United States": wanted["us"], "Korea": wanted["KOR"], "China": wanted["CHN"]}
    assert wanted == {"us": -40, "KOR": 20, "CHN": 4}


def test_compute_by_route_is_the_table(result):
    drawn = {
        row["seller"]: row["scaled"]
        for row in rows_with(charts.who_backfills(result, "accelerators"), "seller", "scaled")
    }
    assert drawn["from the US"] == pytest.approx(-17.5)
    assert drawn["smuggled through hubs"] == pytest.approx(3)
    assert sum(drawn.values()) == pytest.approx(-10)


def test_flows_are_the_exports(result):
    data = flows(result.tables["exports"], "control", "no-controls", "tools")
    row = data.filter(pl.col("origin") == "USA", pl.col("destination") == "CHN").row(0, named=True)
    assert (row["before"], row["after"]) == (110, 70)
    cell = next(
        r for r in rows_with(charts.flows(result), "seller", "buyer", "change") if r["seller"] == "United States"
    )
    assert (cell["buyer"], cell["change"]) == ("China", -40)
    year = flows(result.tables["exports"], "control", "no-controls", "lithography", "2023")
    assert year.filter(pl.col("origin") == "USA")["after"].sum() == 20
    with pytest.raises(ValueError, match="no period '2031' to draw; there are 2022, 2023"):
        charts.flows(result, period="2031")
    with pytest.raises(
        ValueError, match="no product or group 'tols' to draw; there are upstream, tools_and_subsystems, tools, "
    ):
        charts.flows(result, "tols")


def test_bands_are_as_high_as_what_flows(result):
    drawn = rows_with(charts.flow_bands(result), "band", "low", "high", "x")
    for row in (r for r in drawn if r["band"] == "us adversary"):
        assert row["high"] - row["low"] == pytest.approx(110)


def test_the_map_has_every_region_and_a_place_for_its_number(vocabulary):
    shapes = {one["id"] for one in json.loads(world())["objects"]["regions"]["geometries"]}
    assert shapes | {"SGP"} == set(vocabulary.regions) == set(PLACES)
    assert all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat, *_ in PLACES.values())


def test_the_map_takes_sellers_it_knows(result):
    charts.exports_map(result, sellers="KOR")
    with pytest.raises(ValueError, match="no seller 'usa' to draw; there are"):
        charts.exports_map(result, sellers="usa")


def test_bands_over_time_come_from_ranges(result, ranged):
    assert not any("low" in rows[0] for rows in datasets(charts.stocks(result)) if rows)
    band = rows_with(charts.stocks(ranged), "scenario", "low", "high")
    assert {row["scenario"] for row in band} == {"control", "no-controls"}
    line = {(r["scenario"], r["period"]): r["scaled"] for r in rows_with(charts.stocks(ranged), "scenario", "scaled")}
    for row in band:
        assert row["low"] == pytest.approx(0.9 * line[row["scenario"], row["period"]])
    assert "range over parameters" in charts.stocks(ranged).description


def test_tornado_is_widest_first_and_leaves_out_what_does_not_move(ranged):
    rows = rows_with(charts.ranges_tornado(ranged), "name", "end", "value")
    assert list(dict.fromkeys(row["name"] for row in rows)) == ["sigma family", "diversion slope"]
    with pytest.raises(NothingToDraw, match="no range of 'compute' in 'adversary' to draw; there are compute acquired"):
        charts.ranges_tornado(ranged, "compute")


def test_one_sided_swings_are_labelled_once():
    data = pl.DataFrame({"name": ["a"], "low": [12.0], "high": [15.0]})
    panel = swings.tornado(data, 10.0, "H100e", "compute", "told", "parameter")
    rows = next(rows for rows in panel.drawing.to_dict()["datasets"].values() if "shown" in rows[0])
    assert [(row["end"], row["shown"]) for row in rows] == [("low", False), ("high", True)]


def test_two_levers_are_means_of_solved_scenarios(sweep):
    cells = rows_with(charts.two_levers(sweep, "coverage", "budget"), "across", "up", "value")
    assert len(cells) == 17
    one = next(c for c in cells if (c["across"], c["up"]) == ("0.2", "1"))
    assert one["value"] == pytest.approx(1e6 * 0.3)
    with pytest.raises(NothingToDraw, match="no lever 'covrage' that varies; there are coverage, budget"):
        charts.two_levers(sweep, "covrage", "budget")
    with pytest.raises(
        NothingToDraw, match="no 'denied' in 'adversary' to draw; there are compute denied, adversary; "
    ):
        charts.two_levers(sweep, "coverage", "budget", "denied")


def test_the_frontier_of_a_sweep_is_beaten_by_none(sweep):
    rows = rows_with(charts.sweep_frontier(sweep), "gain", "cost", "best")
    best = [row for row in rows if row["best"]]
    assert best
    for row in rows:
        beaten = any(b["gain"] >= row["gain"] and b["cost"] >= row["cost"] and b != row for b in rows)
        assert row["best"] != beaten or (row["gain"], row["cost"]) in {(b["gain"], b["cost"]) for b in best}


def test_a_sweep_tornado_ranks_levers(sweep):
    rows = rows_with(charts.sweep_tornado(sweep), "name", "end", "value")
    assert [row["name"] for row in rows if row["end"] == "high"] == ["coverage", "budget"]


@pytest.mark.parametrize("name", ["who-backfills", "backfill-rates", "flows", "exports-map", "stocks"])
def test_a_policy_without_effect_is_said(idle, name):
    told = charts.draw(idle, name).description
    assert any(word in told for word in ("Nobody", "nobody", "are the same", "hardly changes")), told


def test_empty_tables_are_errors(result):
    empty = dataclasses.replace(result, tables=EffectTables.empty())
    for draw in (charts.waterfall, charts.flows, charts.stocks, charts.compute_by_route, charts.exports_map):
        with pytest.raises(NothingToDraw, match="is empty, so that there is nothing to draw"):
            draw(empty)


def test_columns_are_checked(result):
    bad = dataclasses.replace(result.tables, exports=result.tables.exports.rename({"value": "vlaue"}))
    with pytest.raises(ValueError, match="no column value to draw; there are scenario, "):
        charts.flows(dataclasses.replace(result, tables=bad))


def test_groups_are_cut_to_what_is_there():
    assert list(members("tools", ["lithography", "hbm"])) == ["lithography"]
    assert list(members("gadgets", ["gadgets", "services"])) == ["gadgets"]


def test_alt_text_tells_the_numbers(result):
    told = charts.waterfall(result).description
    assert "gross denial 20" in told
    assert "compute denied 10" in told
    assert json.dumps(told)


def test_games_designs_and_comparisons_are_read_back_as_they_were(game, design, comparison, tmp_path, monkeypatch):
    for page in ("align", "beside", "design"):
        monkeypatch.setattr(f"backfill.charts.{page}.page", lambda one: "page")
    for thing, load in ((game, load_game), (design, load_design), (comparison, load_comparison)):
        again = load(thing.write(tmp_path / type(thing).__name__))
        tables = {"table": thing.table} if isinstance(thing, SideBySide) else thing.tables
        mine = {"table": again.table} if isinstance(again, SideBySide) else again.tables
        for name, table in tables.items():
            assert_frame_equal(mine[name], table)
        for field in dataclasses.fields(thing):
            if field.name not in ("table", "tables", "summary", "checks"):
                assert getattr(again, field.name) == getattr(thing, field.name), field.name

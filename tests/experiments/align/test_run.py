"""A whole game on the small economy: what it returns, says and writes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import backfill.experiments.align.run as module
from backfill.errors import Faults, UnsolvedError
from backfill.experiments.align import solve
from backfill.experiments.align.result import SUMMARY, TABLES, AlignResult, percent
from backfill.experiments.align.run import align
from backfill.experiments.align.sentences import _package
from backfill.experiments.align.threats import band
from backfill.games.incentives import Package
from backfill.games.payoffs import PARTS, Game


@pytest.fixture
def small_world(setting, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.Setting, "of", lambda *_: setting)


@pytest.fixture(scope="module")
def results() -> dict[str, AlignResult]:
    return {}


def solved(experiment, results, mode: str) -> AlignResult:
    if mode not in results:
        results[mode] = align(experiment, mode=mode, ranges=mode == "static")  # type: ignore[arg-type]
    return results[mode]


@pytest.mark.parametrize("mode", ["static", pytest.param("coupled", marks=pytest.mark.slow)])
def test_tables_have_their_columns_and_parts_add_up(small_world, experiment, results, mode):
    found = solved(experiment, results, mode)
    for name, columns in TABLES.items():
        assert dict(found.tables[name].schema) == columns, name
    assert dict(found.summary.schema) == SUMMARY
    payoffs = found.tables["payoffs"]
    assert payoffs.height == 4 * 2 * (len(PARTS) + 1)
    keys = ["profile", "player"]
    parts = payoffs.filter(pl.col("part") != "total").group_by(keys).agg(pl.col("value").sum())
    totals = payoffs.filter(pl.col("part") == "total").join(parts, on=keys)
    np.testing.assert_allclose(totals["value"], totals["value_right"], atol=1e-15)
    assert found.checks["converged"] == 1
    assert found.checks["shapley_sum"] < 1e-9


@pytest.mark.parametrize("mode", ["static", pytest.param("coupled", marks=pytest.mark.slow)])
def test_equilibria_are_those_of_the_pay_offs_it_reports(small_world, experiment, results, mode):
    """By trying every move on the table that is written."""
    found = solved(experiment, results, mode)
    totals = found.tables["payoffs"].filter(pl.col("part") == "total")
    value = {(profile, player): v for profile, player, v in totals.select("profile", "player", "value").iter_rows()}

    def named(levels) -> str:
        return f"TWN {levels[0]:g}, SGP {levels[1]:g}"

    stable = []
    for a, b in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        first = value[named((a, b)), "TWN"] >= value[named((1 - a, b)), "TWN"] - 1e-7
        second = value[named((a, b)), "SGP"] >= value[named((a, 1 - b)), "SGP"] - 1e-7
        stable += [named((a, b))] if first and second else []
    assert found.tables["equilibria"]["profile"].unique(maintain_order=True).to_list() == stable


def test_at_the_deterring_tariff_the_player_is_indifferent(small_world, experiment, results):
    """A static game solved again with that tariff as the one threatened."""
    found = solved(experiment, results, "static").tables["deterrence"]
    row = found.filter(
        (pl.col("player") == "TWN") & (pl.col("others") == "as asked") & (pl.col("quantity") == "deterring tariff")
    ).filter(pl.col("credibility") == 0.5)
    rate = row["value"][0]
    if rate is None or rate == 0:
        pytest.skip("no tariff between none and the cap")
    table = experiment.game
    threat = table.threat.model_copy(update={"rate": rate})
    again = align(replace(experiment, game=table.model_copy(update={"threat": threat})), mode="static", ranges=False)
    totals = again.tables["payoffs"].filter((pl.col("part") == "total") & (pl.col("player") == "TWN"))
    value = dict(totals.select("profile", "value").iter_rows())
    loss = abs(again.checks["loss_TWN"])
    assert value["TWN 1, SGP 1"] - value["TWN 0, SGP 1"] == pytest.approx(0, abs=0.05 * loss)


@pytest.mark.slow
def test_confirmed_tariffs_leave_players_near_indifference_in_coupled_worlds(small_world, experiment):
    found = align(experiment, mode="coupled", ranges=False, confirm=True)
    name = "aligning is better by, coupled, at the deterring tariff"
    again = found.tables["deterrence"].filter(pl.col("quantity") == name)
    finite = found.tables["deterrence"].filter(
        (pl.col("quantity") == "deterring tariff") & (pl.col("credibility") == 0.5) & (pl.col("value") > 0)
    )
    assert again.height == finite.height
    loss = max(found.checks["loss_TWN"], found.checks["loss_SGP"])
    assert (again["value"].abs() < 0.3 * loss).all()


@pytest.mark.parametrize("only", [False, True])
def test_what_the_package_costs_depends_neither_on_the_grid_nor_on_the_files_own_duty(small_world, experiment, only):
    table, costs = experiment.game, []
    for change in ({"rate": 0.2, "steps": 4}, {"rate": 0.07, "steps": 5}):
        threat = table.threat.model_copy(update={"answered": 0.0, "credibility": 1.0, **change})
        ask = table.incentives.model_copy(update={"only": only})
        game = table.model_copy(update={"threat": threat, "incentives": ask})
        found = align(replace(experiment, game=game), mode="static", ranges=False).tables["incentives"]
        costs += found.filter(pl.col("quantity") == "cost")["value"].to_list()
    assert costs == pytest.approx([costs[0]] * 2, rel=0.01)
    assert costs[0] > 1


def test_ranges_hold_the_number_they_are_around(small_world, experiment, results):
    found = solved(experiment, results, "static").tables["deterrence"].drop_nulls(["value", "low", "high"])
    assert found.height
    assert (found["low"] <= found["value"] + 1e-12).all()
    assert (found["high"] >= found["value"] - 1e-12).all()


@pytest.mark.parametrize("mode", ["static", pytest.param("coupled", marks=pytest.mark.slow)])
def test_sentences_say_what_came_out(small_world, experiment, results, mode):
    found = solved(experiment, results, mode)
    assert found.sentences[0].startswith(("One equilibrium", "2 equilibria", "No profile"))
    assert any(line.startswith("TWN, the others as today") for line in found.sentences)
    assert any(line.startswith("Carried out, a duty of 20% changes the pay-off of USA by") for line in found.sentences)
    assert any(
        line.startswith("What it is for: with everybody aligned as asked the adversary") for line in found.sentences
    )
    assert any(line.startswith("To make (TWN 1, SGP 1) the only equilibrium") for line in found.sentences)


def test_it_is_written_whole_and_can_be_written_again(small_world, experiment, results, tmp_path: Path):
    found = solved(experiment, results, "static")
    for _ in range(2):
        found.write(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *(f"{name}.parquet" for name in TABLES), "summary.csv", "checks.json", "provenance.json", "resolved.toml", "chart.html",
    }  # fmt: skip
    record = json.loads((tmp_path / "out" / "provenance.json").read_text(encoding="utf-8"))
    assert record["sentences"] == list(found.sentences)
    assert record["game"]["mode"] == "static"
    assert (
        "One equilibrium" in found.sentences[0]
        or "equilibria" in found.sentences[0]
        or "No profile" in found.sentences[0]
    )
    assert "vegaEmbed" in (tmp_path / "out" / "chart.html").read_text(encoding="utf-8")


def test_a_profile_without_a_solution_is_named_and_the_game_goes_on(small_world, experiment, monkeypatch):
    true = solve.static_accounts

    def failing(economy, worlds, at, sender):
        found = true(economy, worlds, at, sender)
        marked = [
            replace(one, failure="the markets have no answer") if hit(w) else one
            for one, w in zip(found, worlds, strict=True)
        ]
        return marked

    def hit(wedges) -> bool:
        """Both aligned: China retaliates on both."""
        regions = list(experiment_regions)
        china = regions.index("CHN")
        return all(wedges.coverage[:, 0, china, regions.index(r)].any() for r in ("TWN", "SGP"))

    from tests.support import small

    experiment_regions = small.REGIONS
    monkeypatch.setattr(solve, "static_accounts", failing)
    found = align(experiment, mode="static", ranges=False)
    assert found.checks["unsolved"] > 0
    assert found.checks["converged"] == 0
    assert "TWN 1, SGP 1" in found.provenance["game"]["unsolved"]  # type: ignore[index]
    assert any(line.startswith("Not solved, and no part of the game: TWN 1, SGP 1") for line in found.sentences)
    assert "TWN 1, SGP 1" not in found.tables["equilibria"]["profile"].to_list()
    known = found.tables["deterrence"].filter(pl.col("others") == "as asked")
    assert known["value"].is_null().all()


def test_without_todays_world_there_is_no_game(small_world, experiment, monkeypatch):
    def failing(economy, worlds, at, sender):
        return [replace(one, failure="the markets have no answer") for one in true(economy, worlds, at, sender)]

    true = solve.static_accounts
    monkeypatch.setattr(solve, "static_accounts", failing)
    with pytest.raises(UnsolvedError, match="The game cannot be solved: the reference: the markets have no answer"):
        align(experiment, mode="static", ranges=False)


def test_an_experiment_without_a_game_is_a_mistake(experiment):
    with pytest.raises(Faults, match="game: is missing"):
        align(replace(experiment, game=None))


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0%"), (0.00095, "0.095%"), (0.0041, "0.41%"), (0.01, "1%"), (0.0122, "1.2%"), (0.4828, "48%"), (1.0, "100%")],
)
def test_small_shares_keep_two_digits(share, told):
    assert percent(share) == told


@pytest.mark.parametrize(
    ("reached", "others", "told"),
    [
        (False, ((0, 0),), "The package does not move anybody: from today play stays at (A 0, B 0)"),
        (False, ((0, 1),), "The package does not lead to (A 1, B 1): from today play comes to (A 0, B 1)."),
        (False, (), "never settles there"),
        (True, ((0, 1),), "to (A 1, B 1) or to (A 0, B 1), depending on who moves first."),
        (True, (), "Under the package play comes from today to (A 1, B 1)."),
    ],
)
def test_where_the_package_leads_comes_first(reached, others, told):
    game = Game(("A", "B"), (0.0, 1.0), (0, 0), (1, 1))
    answer = Package(True, "A an offer of 5.", np.zeros(2), np.array([5.0, 0.0]), 5.0, {})
    built = SimpleNamespace(wanted=(1, 1), package=answer, reached=reached, others=others, equilibrium=True)
    table = SimpleNamespace(incentives=SimpleNamespace(only=False), threat=SimpleNamespace(steps=8, cap=0.6))
    found = SimpleNamespace(package=built, game=game, table=table, equilibria=((1, 1),), executions={})
    lines = list(_package(found))  # type: ignore[arg-type]
    assert told in lines[0]
    assert lines[1].startswith("To make (A 1, B 1) an equilibrium: A an offer")
    assert "With the file's own threat and offers (A 1, B 1) is an equilibrium already and the only one." in lines
    assert any("replaces the file's own threat and offers" in line and "no range" in line for line in lines)
    assert any("is indifferent" in line for line in lines)


def test_an_offer_of_the_file_is_told_beside_the_deterring_one_and_numbers_say_that_they_are_central(
    small_world, experiment
):
    table = experiment.game
    players = tuple(player.model_copy(update={"offer": 1.0}) for player in table.players)
    found = align(
        replace(experiment, game=table.model_copy(update={"players": players})), mode="static", ranges=False
    )
    rows = found.summary.filter(pl.col("quantity").str.starts_with("deterring offer") & (pl.col("value") > 0))
    assert rows.height
    for value, note in rows.select("value", "note").iter_rows():
        assert note == f"without a threat; beside the offer of 1 in the file, {value + 1:,.0f} in all; central values"
    assert any("beside the 1 of the file" in line for line in found.sentences)
    assert any("at central values of all parameters" in line for line in found.sentences)
    notes = found.summary.filter(pl.col("quantity").str.starts_with("deterring tariff"))["note"]
    assert notes.str.contains("central values").all()
    assert found.provenance["game"]["ranges"] == "central values"  # type: ignore[index]


def test_bands():
    assert (band(1.0, {}).low, band(1.0, {}).high) == (1.0, 1.0)
    made = band(1.0, {"a": [0.7, 1.4], "b": [0.6, 1.3]})
    assert made.low == pytest.approx(0.5)
    assert made.high == pytest.approx(1.5)
    assert band(0.1, {"a": [-3.0]}).low == 0.0
    assert math.isinf(band(1.0, {"a": [0.5, math.inf]}).high)
    assert band(math.inf, {"a": [0.5, math.inf]}).low == 0.5

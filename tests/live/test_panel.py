"""The live panel, driven by its widgets without a browser: it answers, compares, and saves what gives the same numbers."""

from __future__ import annotations

import shutil
import threading
import tomllib
from dataclasses import fields
from pathlib import Path

import altair as alt
import numpy as np
import pytest

import backfill
from backfill.commands.sweep import sweep_experiment
from backfill.errors import Faults, OutputError
from backfill.live.latest import Latest
from backfill.live.panel import HERE, NOBODY, Panel
from backfill.policy.compile import compile_policy
from backfill.policy.wedges import Wedges
from tests.sweep.conftest import MEASURES, SWEEP

SWITCH = """
[[sweep.levers]]
measure = "Levy"
field = "rate"
name = "a duty of Japan"
values = [0.0, 0.3]
"""
LEVY = """
[[measures]]
kind = "tariff"
name = "Levy"
by = "Japan, Korea, Taiwan"
origins = "China"
products = "electronics"
rate = 0.0
from = 2023-01-01
"""


def written(folder: Path, repository: Path, sweep: str) -> Path:
    """A small economy of a person's own, with two sliders and a switch."""
    source = repository / "docs" / "your-own-data"
    for name in ("trade.csv", "elasticities.csv", "regions.csv"):
        shutil.copy(source / name, folder)
    control = (source / "control.toml").read_text()
    named = control.replace('kind = "export_control"', 'kind = "export_control"\nname = "Electronics"')
    file = folder / "small.toml"
    file.write_text(named + MEASURES + LEVY + sweep + SWITCH)
    return file


@pytest.fixture(scope="module")
def board(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return backfill.panel(written(tmp_path_factory.mktemp("live"), repository, SWEEP))


@pytest.fixture(autouse=True)
def _back(request: pytest.FixtureRequest):
    yield
    if "board" in request.fixturenames:
        request.getfixturevalue("board").reset()


def worth(board: Panel, region: str = "China") -> float:
    return board.shown.value("equivalent variation", region)


def test_levers_are_sliders_and_switches_at_the_values_of_the_file(board: Panel):
    assert list(board.sliders) == ["share closed", "Duty: rate", "a duty of Japan"]
    share, duty, switch = board.sliders.values()
    assert (share.min, share.max, round(share.step, 9)) == (0.1, 0.9, 0.16)
    assert duty.value == 0.1
    assert switch.value is False
    assert board.values == board.positions.start


def test_a_slider_moves_charts_and_sentence(board: Panel):
    before, told = worth(board), board.told.value
    spec = board.drawing.spec
    board.sliders["share closed"].value = 0.9
    assert worth(board) < before
    assert board.told.value != told
    assert board.drawing.spec["datasets"] != spec["datasets"]
    assert {key: board.drawing.spec[key] for key in spec if key != "datasets"} == {
        key: value for key, value in spec.items() if key != "datasets"
    }


def test_a_switch_moves_the_lever_from_one_value_to_the_other(board: Panel):
    board.sliders["a duty of Japan"].value = True
    assert board.values[2] == 0.3
    assert board.shown_at[2] == 0.3


def test_where_nothing_answers_the_panel_says_so(board: Panel, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patched:
        patched.setattr(board.model, "at", lambda values, name: board.shown)
        board.move(**{"share closed": 0.42})
        assert "no number moves" in board.state.value
    board.move(**{"share closed": 0.9})
    assert board.state.value == ""


def test_what_is_drawn_is_a_valid_chart_of_the_worlds(board: Panel):
    board.keep()
    board.move(**{"share closed": 0.9})
    alt.Chart.from_dict(board.drawing.spec)
    rows = board.drawing.spec["datasets"]["welfare"]
    assert {row["world"] for row in rows} == {"kept", "now"}
    now = next(row for row in rows if row["world"] == "now" and row["bloc"] == "adversary")
    assert now["value"] == pytest.approx(1e-3 * board.shown.value("equivalent variation", "adversary"))


def test_the_world_kept_stays_until_reset(board: Panel):
    board.compare.value = HERE
    kept = board.kept
    assert kept is not None
    board.move(**{"share closed": 0.9})
    assert board.kept is kept
    assert kept.numbers != board.shown.numbers
    board.again.click()
    assert board.kept is None
    assert board.compare.value == NOBODY
    assert board.values == board.positions.start


def test_an_experiment_of_another_economy_cannot_stand_beside(board: Panel):
    board.compare.value = "current-policy"
    assert "cannot stand beside" in board.state.value
    assert board.kept is None
    assert board.compare.value == NOBODY
    board.compare.value = HERE
    kept = board.kept
    board.compare.value = "current-policy"
    assert board.kept is kept
    assert board.compare.value == HERE


def test_the_same_position_gives_the_same_numbers(board: Panel):
    board.move(**{"share closed": 0.5, "Duty: rate": 0.3})
    first = dict(board.shown.numbers)
    board.reset()
    board.move(**{"share closed": 0.5, "Duty: rate": 0.3})
    assert np.array_equal(list(first.values()), list(board.shown.numbers.values()), equal_nan=True)


def test_a_position_is_saved_as_a_file_whose_measures_act_just_so(board: Panel, tmp_path: Path):
    board.move(**{"share closed": 0.57, "Duty: rate": 0.21})
    file = board.save(tmp_path / "mine")
    assert file.name == "mine.toml"
    saved = backfill.load_experiment(file)
    assert [one.name for one in saved.policy.measures] == ["Electronics", "Duty", "Levy"]
    policies = (saved.policy, board.positions.policy(board.shown_at))
    mine, shown = (
        compile_policy(one, saved.vocabulary(), saved.periods, flow_exists=saved.flow_exists(), inert_allowed=True)
        for one in policies
    )
    assert mine.limits == shown.limits == ()
    for field in fields(Wedges):
        if field.name != "limits":
            assert np.array_equal(getattr(mine, field.name), getattr(shown, field.name)), field.name


def test_a_position_where_nothing_acts_is_saved_as_a_sweep_of_its_world(board: Panel, tmp_path: Path):
    board.move(**{"share closed": 0.1, "Duty: rate": 0.0})
    saved = backfill.load_experiment(board.save(tmp_path / "mine"))
    assert {one.placed.measure.name for one in saved.inert()} == {"Duty", "Levy"}
    assert saved.sweep is not None
    assert [lever.values for lever in saved.sweep.levers] == [(0.1,), (0.0,), (0.0,)]


ENDING = """
[[measures]]
kind = "export_control"
name = "First"
by = "United States"
products = "electronics"
destinations = ["China"]
coverage = 0.8
from = 2023-01-01

[[measures]]
kind = "tariff"
name = "Second"
by = "Japan, Korea, Taiwan"
origins = "China"
products = "electronics"
rate = 0.1
from = 2024-01-01
supersedes = ["First"]
"""


@pytest.mark.parametrize(("share", "ended"), [(0.9, ()), (0.1, ("First",))])
def test_a_saved_measure_ends_only_what_the_file_still_has(
    repository: Path, tmp_path: Path, share: float, ended: tuple[str, ...]
):
    panel = backfill.panel(written(tmp_path, repository, ENDING + SWEEP))
    panel.move(**{"share closed": share, "Duty: rate": 0.2})
    saved = backfill.load_experiment(panel.save(tmp_path / "mine"))
    (second,) = (one for one in saved.policy.measures if one.name == "Second")
    assert second.supersedes == ended
    assert [one.name for one in saved.policy.measures if one.name == "First"] == list(ended)


@pytest.mark.slow
def test_a_static_position_is_saved_as_a_sweep_of_one_world_with_the_same_numbers(board: Panel, tmp_path: Path):
    board.move(**{"share closed": 0.57, "Duty: rate": 0.21})
    file = board.save(tmp_path / "mine")
    assert sweep_experiment(str(file), tmp_path / "out", workers=1, quiet=True)
    effects = backfill.load_sweep(tmp_path / "out").effects.collect()
    found = {row[:4]: row[4] for row in effects.select("quantity", "where", "product", "unit", "value").iter_rows()}
    wanted = {tuple(key): value for key, value in board.shown.numbers.items() if np.isfinite(value)}
    assert found.keys() == wanted.keys()
    scale = max(map(abs, wanted.values()))
    assert max(abs(found[key] - wanted[key]) for key in wanted) < 1e-9 * scale


def test_a_file_that_is_there_stays(board: Panel, tmp_path: Path):
    (tmp_path / "mine.toml").write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        board.save(tmp_path / "mine.toml")
    board.file.value = str(tmp_path / "mine.toml")
    board.saved.click()
    assert "is there already" in board.state.value
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_an_experiment_without_levers_says_what_is_missing(repository: Path):
    with pytest.raises(Faults, match=r"sweep\.levers: is missing"):
        backfill.panel(repository / "docs" / "your-own-data" / "control.toml")


def test_only_the_latest_question_is_answered():
    begun, go_on = threading.Event(), threading.Event()
    answered: list[int] = []

    def answer(question: int) -> None:
        begun.set()
        go_on.wait(10)
        answered.append(question)

    work = Latest[int](answer, lambda: answered.append(-1))
    work.ask(1)
    assert begun.wait(10)
    for question in (2, 3, 4):
        work.ask(question)
    assert work.busy
    go_on.set()
    assert work.wait(10)
    assert answered == [1, 4, -1]


@pytest.mark.slow
def test_a_coupled_position_is_saved_as_a_file_that_runs_to_the_same_numbers(repository: Path, tmp_path: Path):
    sweep = SWEEP.replace('mode = "static"\nyear = 2024\nchunk = 4', 'mode = "coupled"')
    board = backfill.panel(written(tmp_path, repository, sweep))
    board.sliders["share closed"].value = 0.57
    assert board.wait(300)
    board.sliders["Duty: rate"].value = 0.21
    assert board.wait(300)
    assert board.state.value == ""
    file = board.save(tmp_path / "mine")
    assert "sweep" not in tomllib.loads(file.read_text())
    _same_as_run(board, file)


@pytest.mark.slow
def test_every_lever_of_the_shipped_panel_moves_numbers_or_says_that_it_does_not():
    board = backfill.panel()
    silent = []
    for slide in board.positions.slides:
        board.reset()
        board.move(**{slide.label: slide.low if slide.start == slide.high else slide.high})
        silent += [slide.label] if "no number moves" in board.state.value else []
    assert silent == ["subsidy to US logic"]


@pytest.mark.slow
def test_the_shipped_panel_answers_as_the_command_line_does(tmp_path: Path):
    board = backfill.panel(mode="coupled")
    board.move(**{"Korea aligns": 0.7, "secondary tariff": 0.15})
    assert board.wait(900)
    _same_as_run(board, board.save(tmp_path / "mine"))


def _same_as_run(board: Panel, file: Path) -> None:
    """What the panel shows is what `backfill run` finds."""
    result = backfill.run(file)
    assert result.status.name == "SOLVED", result.message
    welfare = result.tables.welfare.filter(quantity="welfare, present value", scenario=result.name)
    checked = 0
    scale = float(welfare["value"].abs().max())  # type: ignore[arg-type]
    for row in welfare.iter_rows(named=True):
        shown = board.shown.value("welfare, present value", row["region"])
        if np.isfinite(shown) and row["reference"] == result.reference:
            assert shown == pytest.approx(row["value"], abs=1e-5 * scale), row["region"]
            checked += 1
    assert checked >= 4

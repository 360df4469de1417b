"""``backfill explain``: what it reads, writes, prints and refuses; the answer is hand-made, so that nothing is solved here."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import polars as pl
import pytest

import backfill.commands.explain
import backfill.commands.run
from backfill.cli import main
from backfill.errors import UnsolvedError
from backfill.experiments.config import load_experiment
from backfill.experiments.explain import SCHEMA, Explanation
from backfill.experiments.groups import Group
from backfill.experiments.provenance import data_sha256
from backfill.policy.policy import Placed
from tests.effects.hand_made import POLICY
from tests.effects.test_results import make, solved
from tests.experiments.test_groups import CHIPS, TOOLS

DENIED = ("compute denied", "adversary", "2022-2023", "H100e")
RATIO = ("US to adversary compute, flow", "world", "2023", "ratio")
EXPERIMENT = """\
name = "control"
[[measures]]
kind = "export_control"
name = "chips"
by = "USA"
products = "us_accelerators"
destinations = "CHN"
[[measures]]
kind = "export_control"
name = "tools"
by = "USA"
products = "tools"
destinations = "CHN"
"""


def explanation(groups: int = 2, *, orders: int | None = None) -> Explanation:
    """Groups of which the first does 6,000 and the others share 4,000 H100e."""
    measures = (Placed(CHIPS), Placed(TOOLS))
    named = tuple(Group(f"group {n}", measures) for n in range(groups))
    error = None if orders is None else 12.5
    rows = [
        (
            *row,
            group.name,
            scale * (6_000.0 if n == 0 else 4_000.0 / (groups - 1)),
            error,
            scale * 10_000.0,
            "chips; tools",
        )
        for row, scale in ((DENIED, 1.0), (RATIO, 0.0))
        for n, group in enumerate(named)
    ]
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return Explanation("control", "no-controls", named, table, 4, orders, ("leakage, adversary, 2022-2023",))


@pytest.fixture
def explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Explain the result of ``control`` with an answer in place of the solver; keeps what it is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backfill.commands.run, "keep_compiled", lambda: None)
    monkeypatch.setattr("backfill.charts.overview.page", lambda one: "page")
    one = make()
    about = {**one.provenance, "data_sha256": data_sha256()}
    one = dataclasses.replace(one, resolved=EXPERIMENT, provenance=about)
    one.write("results/control")
    asked: list[tuple] = []

    def with_answer(answer, *words: str) -> int:
        def solver(experiment, reference, **options):
            asked.append((experiment, reference, options))
            if isinstance(answer, BaseException):
                raise answer
            return answer(options) if callable(answer) else answer

        monkeypatch.setattr(backfill.commands.explain, "explain", solver)
        return main(["explain", *(words or ("control",))])

    with_answer.asked = asked
    with_answer.result = one
    return with_answer


def test_shares_are_told_and_written_beside_the_result(explain, capsys: pytest.CaptureFixture[str]):
    before = {path.name for path in Path("results/control").iterdir()}
    assert explain(explanation()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[:2] == [
        "control, compared with no-controls: what each principle adds to the change",
        "Shapley values over all 4 combinations; rows add up",
    ]
    (row,) = [line for line in lines if line.startswith(" compute denied")]
    assert row.split()[-3:] == ["10,000", "6,000", "4,000"]
    assert not any("US to adversary" in line for line in lines), "a row that nobody moves says nothing"
    assert "group 1: chips; tools" in lines
    assert "not given, as they do not exist in some combination: leakage, adversary, 2022-2023" in lines
    assert {path.name for path in Path("results/control").iterdir()} == before | {"explain.csv"}
    written = pl.read_csv("results/control/explain.csv")
    assert written.columns == list(SCHEMA)
    assert written.height == 4
    assert backfill.load_result("results/control").name == "control"


def test_what_was_run_is_what_is_explained(explain):
    assert explain(explanation(), "results/control", "--by", "kind", "--quiet", "--orders", "20") == 0
    ((experiment, reference, options),) = explain.asked
    assert [measure.name for measure in experiment.policy.measures] == ["chips", "tools"]
    assert reference.name == "no-controls"
    assert (options["by"], options["orders"]) == ("kind", 20)


def test_the_reference_is_the_one_that_was_used(explain):
    one = explain.result
    about = {**one.provenance, "reference": "current-policy"}
    dataclasses.replace(one, reference="current-policy", provenance=about).write("results/control")
    assert explain(explanation(), "control", "--quiet") == 0
    assert explain.asked[0][1].name == "current-policy"


def test_a_day_holds_for_the_reference_too(explain):
    one = explain.result
    about = {**one.provenance, "reference": "current-policy"}
    day = "as_of = 2024-06-30\n"
    dataclasses.replace(one, provenance=about, resolved=day + EXPERIMENT).write("results/control")
    assert explain(explanation(), "control", "--quiet") == 0
    experiment, reference, _ = explain.asked[0]
    assert str(reference.as_of) == str(experiment.as_of) == "2024-06-30"
    assert len(reference.policy.placed) < len(load_experiment("current-policy").policy.placed)


def test_many_groups_are_rows_with_their_error(explain, capsys: pytest.CaptureFixture[str]):
    assert explain(explanation(9, orders=16), "control", "--by", "measure") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "means over 16 random orders (4 combinations), ± their standard error; columns add up"
    (first,) = [line for line in lines if line.startswith(" group 0")]
    assert first.split()[-3:] == ["6,000", "±", "12.5"]
    (total,) = [line for line in lines if line.startswith(" change")]
    assert total.split() == ["change", "10,000"]


def test_quiet_prints_nothing(explain, capsys: pytest.CaptureFixture[str]):
    assert explain(explanation(), "control", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def refused(explain, capsys, answer, *words: str, code: int = 2) -> str:
    before = {path.name: path.stat().st_mtime_ns for path in Path("results/control").iterdir()}
    assert explain(answer, *words) == code
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert {path.name: path.stat().st_mtime_ns for path in Path("results/control").iterdir()} == before
    return line


def test_other_data_are_noticed_before_anything_is_solved(explain, capsys):
    about = {**explain.result.provenance, "data_sha256": "0" * 64}
    dataclasses.replace(explain.result, provenance=about).write("results/control")
    line = refused(explain, capsys, explanation())
    assert line == "results/control: was solved with other data; run control again"
    assert explain.asked == []


def test_another_model_is_noticed_once_the_whole_change_is_known(explain, capsys):
    def drifted(options):
        options["checked"]({DENIED: 10_000.0})
        options["checked"]({DENIED: 10_500.0})
        raise AssertionError("solved on")

    line = refused(explain, capsys, drifted)
    assert line == (
        "results/control: 10000.0: is another change of compute denied, adversary, 2022-2023 than the model finds now, "
        "10500; run control again"
    )


def test_a_reference_nobody_knows_is_told(explain, capsys):
    about = {**explain.result.provenance, "reference": "my old base"}
    dataclasses.replace(explain.result, provenance=about).write("results/control")
    line = refused(explain, capsys, explanation())
    assert line.startswith('results/control: reference: "my old base": is not found by its name; run control again')


def test_the_same_measures_explain_nothing(explain, capsys):
    line = refused(explain, capsys, None)
    assert line == "results/control: has the same measures as no-controls, so that there is nothing to explain"


def test_a_combination_that_cannot_be_solved_leaves_the_folder_alone(explain, capsys):
    line = refused(explain, capsys, UnsolvedError("The world with tools alone\ncannot be solved."), code=3)
    assert line == "The world with tools alone cannot be solved."


def test_interrupted_an_earlier_table_stays(explain, capsys):
    assert explain(explanation(), "control", "--quiet") == 0
    line = refused(explain, capsys, KeyboardInterrupt(), code=130)
    assert line == "interrupted: nothing written"
    assert pl.read_csv("results/control/explain.csv").height == 4


def test_interrupted_or_stopped_while_writing_an_earlier_table_stays(explain, capsys, monkeypatch: pytest.MonkeyPatch):
    assert explain(explanation(), "control", "--quiet") == 0

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(backfill.commands.explain.os, "replace", full)
    line = refused(explain, capsys, explanation(3))
    assert line == "results/control/explain.csv: cannot be written (No space left on device)"
    assert pl.read_csv("results/control/explain.csv").height == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["contrl"], 'contrl: no such folder, nor a result under results; did you mean "control"?'),
        (["."], ".: holds no result; name a folder that `backfill run` wrote"),
        (["control", "--orders", "5"], "backfill explain: --orders: 5: is an even number, at least 4"),
        (["control", "--by", "colour"], 'backfill: Invalid value "colour" for --by'),
    ],
)
def test_mistakes_are_one_line(explain, capsys, words: list[str], said: str):
    assert refused(explain, capsys, explanation(), *words).startswith(said)
    assert explain.asked == []


def test_a_result_that_failed_has_nothing_to_explain(explain, capsys):
    make(policy=solved(POLICY, status="FAILED", checks={"converged": 0.0})).write("failed")
    line = refused(explain, capsys, explanation(), "failed")
    assert line == "failed: is of an experiment that could not be solved; there is nothing in it"

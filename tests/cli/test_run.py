"""What ``backfill run`` prints, writes, replaces and refuses; results are hand-made, so that nothing is solved here."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import backfill.commands.run
import backfill.experiments.run
from backfill.cli import main
from backfill.commands.report import report
from backfill.effects.welfare import GAIN, UNSETTLED
from backfill.errors import UnsolvedError
from backfill.experiments.results import load_result
from tests.cli.command import backfill as command
from tests.effects.hand_made import POLICY
from tests.effects.test_results import make, solved

FILES = {
    *(
        f"{t}.parquet"
        for t in ["exports", "backfilling", "leakage", "welfare", "compute", "capacity", "limits", "prices", "stockpiles"]
    ),
    *("summary.csv", "checks.json", "provenance.json", "resolved.toml", "chart.html"),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run no-controls in an empty folder, with an answer in place of the solver; counts how often it is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backfill.commands.run, "keep_compiled", lambda: None)
    asked: list[dict] = []

    def with_answer(answer, *words: str, name: str = "no-controls") -> int:
        def solver(experiment, **options):
            asked.append(options)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(backfill.experiments.run, "run", solver)
        return main(["run", name, *words])

    with_answer.asked = asked
    return with_answer


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unsolved():
    return make(policy=solved(POLICY, status="FAILED", checks={"converged": 0.0}))


def test_a_result_is_written_and_told_in_full_width(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    result = make(second=True)
    assert run(result) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert names(tmp_path) == {"results"}
    assert names(tmp_path / "results") == {"no-controls"}
    assert names(tmp_path / "results" / "no-controls") == FILES
    assert "…" not in out
    lines = out.splitlines()
    for quantity, where in result.summary.select("quantity", "where").iter_rows():
        assert any(quantity in line and where in line for line in lines), quantity
    (head,) = [line for line in lines if "against current-policy" in line]
    assert "control" in head
    (acquired,) = [line for line in lines if line.split()[:4] == ["compute", "acquired", "adversary", "2022-2023"]]
    assert acquired.split()[5:8] == ["40,000", "30,000", "-10,000"]
    assert "results/no-controls/chart.html" in out
    between = "is that between no-controls or current-policy and control, not a change of rates"
    assert f"a rate, or a cost per unit, {between}" in lines
    assert "backfill rates are in value at current prices; the table backfilling has two other measures" in lines


COST = pl.col("quantity") == "cost per unit denied"


def test_a_cost_below_nothing_is_told_as_a_gain_and_not_as_missing(run, capsys: pytest.CaptureFixture[str]):
    result = make()
    for change, note in ((-400.0, GAIN), (400.0, "")):
        told = {name: pl.when(COST).then(pl.lit(value)).otherwise(name) for name, value in (("change", change), ("note", note))}
        assert run(dataclasses.replace(result, summary=result.summary.with_columns(**told))) == 0
        lines = capsys.readouterr().out.splitlines()
        assert (f"cost per unit denied: {GAIN}" in lines) is (change < 0)
        assert not any(GAIN in line for line in lines if line.startswith("not given"))


@pytest.mark.parametrize(("change", "high", "told"), [(5.0, None, True), (-5.0, None, False), (-5.0, 1.0, True)])
def test_a_gain_of_the_adversary_is_told_to_be_unsettled(run, capsys, change: float, high: float | None, told: bool):
    result = make()
    worth = (pl.col("quantity") == "welfare, present value") & (pl.col("where") == "adversary")
    assert result.summary.filter(worth).height == 1
    told_as = {"change": change, "high": high, "against_current_policy": None}
    written = {name: pl.when(worth).then(pl.lit(value, pl.Float64)).otherwise(name) for name, value in told_as.items()}
    assert run(dataclasses.replace(result, summary=result.summary.with_columns(**written))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (f"welfare of the adversary: not settled: {UNSETTLED}" in lines) is told


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"name": "current-policy"}, "this is that policy"),
        ({"reference": "current-policy"}, "it is the reference itself"),
        ({}, 'include = ["current-policy"] builds on it'),
    ],
)
def test_that_nothing_stands_against_current_policy_is_said_with_the_reason(named: dict, why: str, tmp_path: Path, capsys):
    report(dataclasses.replace(make(), **named), "", tmp_path)
    told = f"no numbers against current-policy, whose columns are empty: {why}"
    assert told in capsys.readouterr().out.splitlines()
    report(make(second=True), "", tmp_path)
    assert "no numbers against" not in capsys.readouterr().out


BAN = """
include = ["current-policy"]

[[measures]]
kind = "export_control"
name = "Ban"
by = "USA"
products = "accelerators"
destinations = "CHN"
coverage = 1.0
from = 2026-07-01
supersedes = ["Half of what is sold at home", "A quarter of the price, section 232"]
"""


def test_a_cap_that_is_ended_before_it_counts_is_told_once(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.toml").write_text(BAN)
    assert run(make(second=True), name="mine") == 0
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "Half of what is sold at home" in line and "acts in no period" in line]) == 1
    assert not [line for line in lines if "changes nothing here" in line]


def test_quiet_prints_nothing(run, capsys: pytest.CaptureFixture[str]):
    assert run(make(), "--quiet", "--out", "here", "--tables", "csv") == 0
    assert capsys.readouterr() == ("", "")
    assert (Path("here") / "exports.csv").is_file()


def test_the_reference_typed_is_the_one_used(run):
    run(make(), "--reference", "current-policy", "--quiet")
    assert run.asked[-1]["reference"].name == "current-policy"


def test_an_earlier_result_is_replaced_whole(run, tmp_path: Path):
    assert run(make(), "--quiet", "--tables", "csv") == 0
    assert run(make(), "--quiet") == 0
    assert names(tmp_path / "results" / "no-controls") == FILES
    assert run(unsolved(), "--quiet", "--out", "out") == 3
    assert names(tmp_path / "out") == {"checks.json"}
    assert run(make(), "--quiet", "--out", "out") == 0
    assert names(tmp_path / "out") == FILES


def test_a_run_that_fails_leaves_an_earlier_result_as_it_is(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good = tmp_path / "results" / "no-controls"
    assert run(make(), "--quiet") == 0
    before = contents(good)
    for _ in range(2):
        assert run(unsolved(), "--quiet") == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert line == (
            "no-controls: cannot be solved: control: Periods: 2023. "
            "Residuals: results/no-controls.failed/checks.json; the earlier result in results/no-controls stays"
        )
        assert contents(good) == before
        assert names(tmp_path / "results" / "no-controls.failed") == {"checks.json"}
    assert run(make(), "--quiet") == 0
    assert names(tmp_path / "results") == {"no-controls"}


@pytest.mark.parametrize("answer", ["solved", "unsolved"])
def test_what_people_put_beside_a_result_is_never_lost(
    run, answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "results" / "no-controls"
    assert run(make(), "--quiet") == 0
    (folder / "note.txt").write_text("years of work")
    (folder / "figures").mkdir()
    before = contents(tmp_path)
    assert run(make() if answer == "solved" else unsolved()) == 2
    assert len(run.asked) == 1
    assert capsys.readouterr().err == (
        "results/no-controls: holds figures, note.txt beside a result, which would be lost; "
        "move it elsewhere or name another folder\n"
    )
    assert contents(tmp_path) == before
    assert (folder / "figures").is_dir()


def test_an_explanation_and_what_file_managers_leave_belong_to_a_result(run, tmp_path: Path):
    folder = tmp_path / "results" / "no-controls"
    assert run(make(), "--quiet") == 0
    for name in ("explain.csv", ".DS_Store"):
        (folder / name).write_text("")
    assert run(make(), "--quiet") == 0
    assert names(folder) == FILES


def test_a_folder_with_names_like_ours_is_no_result(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "prices.csv").write_text("years of work")
    assert run(make(), "--out", "mine") == 2
    assert capsys.readouterr().err == "mine: is not empty and holds no result; name another folder or empty it\n"
    assert names(tmp_path / "mine") == {"prices.csv"}


def test_any_other_folder_is_refused_before_anything_is_solved(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert run(make(), "--out", "mine") == 2
    assert run.asked == []
    assert capsys.readouterr().err == "mine: is not empty and holds no result; name another folder or empty it\n"
    assert names(tmp_path) == {"mine"}
    assert names(tmp_path / "mine") == {"thesis.txt"}


def test_the_working_directory_is_not_replaced(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    inode = tmp_path.stat().st_ino
    for place in (".", str(tmp_path)):
        assert run(make(), "--out", place) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == f"{place}: holds the working directory, which stays; name another folder"
    assert run.asked == []
    assert tmp_path.stat().st_ino == inode


def test_a_world_that_cannot_be_solved_leaves_its_checks_alone(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(unsolved(), "--out", "out") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "no-controls: cannot be solved: control: Periods: 2023. Residuals: out/checks.json"
    assert names(tmp_path / "out") == {"checks.json"}
    assert load_result("out").checks["converged"] == 0


def test_an_economy_that_cannot_be_set_up_leaves_numbers_too(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(UnsolvedError("The plan needs more packaging\nthan there is.", {"walras": 0.5}), "--out", "out") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "The plan needs more packaging than there is." in line
    assert names(tmp_path / "out") == {"checks.json"}
    checks = json.loads((tmp_path / "out" / "checks.json").read_text())
    assert checks == {"converged": 0.0, "walras": 0.5}


def test_interrupted_while_solving_nothing_stays(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "interrupted: nothing written\n"
    assert not names(tmp_path)


def test_told_to_end_it_tidies_up(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("backfill.charts.overview.page", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    assert run(make(), "--quiet") == 130
    assert not names(tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before


BUSY = """
import hashlib, sys
import backfill.commands.run, backfill.experiments.run
from backfill.cli import main
def solve(*_, **__):
    print("busy", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
backfill.commands.run.keep_compiled = lambda: None
backfill.experiments.run.run = solve
sys.argv = ["backfill", "run", "no-controls"]
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_compiled_code_that_does_not_listen_is_ended(number: int, tmp_path: Path):
    busy = subprocess.Popen(
        [sys.executable, "-c", BUSY], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert busy.stdout is not None
    assert busy.stdout.readline() == "busy\n"
    busy.send_signal(number)
    out, err = busy.communicate(timeout=20)
    assert (busy.returncode, out, err) == (130, "", "interrupted: nothing written\n")
    assert not names(tmp_path)


LOADING = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv = ["backfill", "run", "no-controls"]
from backfill.cli import main
sys.exit(main())
"""

SWALLOWED = """
import os, signal, sys
import backfill.commands.run, backfill.experiments.run
from backfill.cli import main
class Callback:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
def solve(*_, **__):
    Callback()
    raise SystemExit(7)
backfill.commands.run.keep_compiled = lambda: None
backfill.experiments.run.run = solve
sys.argv = ["backfill", "run", "no-controls"]
sys.exit(main())
"""


@pytest.mark.parametrize(
    "script", [*(LOADING.format(module=name) for name in ("cyclopts", "polars", "jax")), SWALLOWED]
)
def test_interrupted_before_anything_is_written_says_so_in_a_line(script: str, tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted: nothing written\n")
    assert not names(tmp_path)


def test_interrupted_while_telling_the_result_stays(run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    def interrupted(*_words, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("backfill.commands.report.report", interrupted)
    assert run(make()) == 130
    assert capsys.readouterr().err == "interrupted: the result is in results/no-controls\n"
    assert names(tmp_path / "results" / "no-controls") == FILES


def test_interrupted_while_writing_the_earlier_result_stays(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert run(make(), "--quiet") == 0
    before = (tmp_path / "results" / "no-controls" / "summary.csv").read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("backfill.charts.overview.page", interrupted)
    assert run(make(second=True), "--quiet") == 130
    assert run(make(), "--out", "deep/er/out") == 130
    assert names(tmp_path) == {"results"}
    assert names(tmp_path / "results") == {"no-controls"}
    assert (tmp_path / "results" / "no-controls" / "summary.csv").read_bytes() == before


@pytest.mark.parametrize("folder", ["file/out", "/proc/out", "bad\0name"])
def test_a_place_that_cannot_be_written_is_one_line(
    run, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("")
    assert run(make(), "--out", folder) == 2
    assert run.asked == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{folder}: cannot be written (")
    assert names(tmp_path) == {"file"}


@pytest.mark.parametrize("tables", ["csv", "parquet"])
def test_a_full_disk_is_one_line_and_nothing_stays(tables: str, tmp_path: Path, repository: Path):
    script = f"""
import resource, sys
sys.path.insert(0, {str(repository)!r})
from pathlib import Path
from backfill.commands.folder import write
from backfill.errors import OutputError
from tests.effects.test_results import make
result = make()
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write(result, Path("new/out"), {tables!r})
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("new/out: cannot be written (File too large)")
    assert not names(tmp_path)


def test_compiled_programs_are_kept_in_the_cache_folder(tmp_path: Path):
    script = (
        "from backfill.commands.run import keep_compiled; keep_compiled(); import jax; "
        "jax.jit(lambda x: x * 2 + 1)(3.0).block_until_ready()"
    )
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert any((tmp_path / "cache" / "backfill" / "jax").iterdir())


def test_shipped_names_resolve_away_from_the_repository(tmp_path: Path):
    assert command("run", "allied-aligment", cwd=tmp_path).stderr.endswith('did you mean "allied-alignment"?\n')

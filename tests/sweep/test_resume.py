"""Whatever ends a sweep, going on gives what an undisturbed run gives, byte for byte."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import backfill
from backfill.cli import main
from backfill.commands.validate import check
from backfill.errors import OutputError
from backfill.experiments.sweep.folder import Part, SweepFolder
from backfill.experiments.sweep.identity import identity
from backfill.experiments.sweep.plan import Plan
from tests.sweep.conftest import command, line, tables


def test_everything_is_there(finished: Path):
    sweep = backfill.load_sweep(finished)
    scenarios = sweep.scenarios.collect()
    assert scenarios.columns == ["scenario", "number", "status", "reason", "share closed", "Duty: rate"]
    assert scenarios["number"].sort().to_list() == list(range(24))
    assert scenarios["scenario"].n_unique() == 24
    assert (scenarios["status"] == "solved").all()
    effects = sweep.effects.collect()
    assert effects["scenario"].n_unique() == 24
    assert effects["value"].is_finite().all()
    assert sweep.axes == ("share closed", "Duty: rate")
    assert sweep.flows is None
    assert len(tables(finished)) == 12


def killed(file: Path, out: Path, expected: dict[str, bytes], moments: np.ndarray) -> int:
    """Start the sweep again and again, killing it and its processes at random moments; how often that was in its middle."""
    hit = 0
    for moment in moments:
        process = subprocess.Popen(line(file, out, "--quiet"), stderr=subprocess.DEVNULL, env=dict(os.environ))
        begun = time.monotonic()
        while time.monotonic() - begun < 120 and process.poll() is None and len(tables(out)) < len(expected):
            if (out / "sweep.json").is_file() and time.monotonic() - begun > moment:
                break
            time.sleep(0.01)
        hit += process.poll() is None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        workers = children.read_text().split() if children.is_file() else []
        process.kill()
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(worker), signal.SIGKILL)
        process.wait()
        have = tables(out)
        assert all(expected[name] == content for name, content in have.items()), "a file that is there is not whole"
        if len(have) == len(expected):
            shutil.rmtree(out)
    return hit


def resumed(file: Path, tmp_path: Path, finished: Path, kills: int) -> None:
    out, expected = tmp_path / "out", tables(finished)
    moments = np.random.default_rng(kills).uniform(0.5, 6.0, kills)
    assert killed(file, out, expected, moments) > 0
    command(file, out).check_returncode()
    assert tables(out) == expected
    assert not list(out.rglob(".*.part"))


def test_three_kills_and_the_same_bytes(file: Path, tmp_path: Path, finished: Path):
    resumed(file, tmp_path, finished, 3)


@pytest.mark.slow
def test_twenty_kills_and_the_same_bytes(file: Path, tmp_path: Path, finished: Path):
    resumed(file, tmp_path, finished, 20)


def test_a_second_sweep_is_refused_and_parts_are_not(
    file: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    with SweepFolder(out).alone(Part()):
        assert main(["sweep", str(file), "--out", str(out)]) == 2
        assert "another sweep is at it; wait until it ends, or stop it" in capsys.readouterr().err
        assert main(["sweep", str(file), "--out", str(out), "--part", "1/2"]) == 2
    with SweepFolder(out).alone(Part(1, 2)):
        assert main(["sweep", str(file), "--out", str(out), "--part", "1/2"]) == 2
        assert "part 1 of 2 of it" in capsys.readouterr().err
        assert main(["sweep", str(file), "--out", str(out), "--part", "2/2", "--quiet"]) == 0
        assert main(["sweep", str(file), "--out", str(out)]) == 2
    assert main(["sweep", str(file), "--out", str(out), "--quiet"]) == 0
    assert tables(out) == tables(finished)


@pytest.mark.slow
def test_parts_make_the_whole(file: Path, tmp_path: Path, finished: Path):
    out = tmp_path / "out"
    both = [
        subprocess.Popen(line(file, out, "--part", part, "--workers", "1"), stdout=subprocess.DEVNULL)
        for part in ("1/2", "2/2")
    ]
    assert [process.wait() for process in both] == [0, 0]
    assert tables(out) == tables(finished)


def test_another_file_or_folder_is_refused(
    file: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    file.write_text(file.read_text().replace("points = 4", "points = 5"))
    assert main(["sweep", str(file), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert 'holds a sweep of another file (sweep.levers "Duty rate".points: 4 there, 5 here), which stays;' in said
    assert tables(out) == tables(finished)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    assert main(["sweep", str(file), "--out", str(other)]) == 2
    assert "is not empty and holds no sweep" in capsys.readouterr().err
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_written_is_told_and_what_is_finished_stays(
    file: Path, tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    for kind in ("scenarios", "effects"):
        (out / kind / "chunk-000003.parquet").unlink()
    (out / "effects" / "chunk-000003.parquet").mkdir()
    (out / "effects" / "chunk-000003.parquet" / "x").write_text("")
    assert main(["sweep", str(file), "--out", str(out)]) == 2
    assert "cannot be written (" in capsys.readouterr().err
    (out / "effects" / "chunk-000003.parquet" / "x").unlink()
    (out / "effects" / "chunk-000003.parquet").rmdir()
    whole = tables(finished)
    assert tables(out) == {name: content for name, content in whole.items() if "000003" not in name}


def test_a_full_disk_is_told(file: Path, tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch):
    import errno

    from backfill.experiments.sweep import folder

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "out"
    shutil.copytree(finished, out)
    monkeypatch.setattr(folder.os, "fsync", full)
    place = out / "effects" / "chunk-000001.parquet"
    with pytest.raises(OSError, match="No space left"):
        folder.place_bytes(place, b"half")
    assert place.read_bytes() == (finished / "effects" / "chunk-000001.parquet").read_bytes()
    assert not list(out.rglob(".*.part"))


def test_a_trial_without_room_is_told(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    import errno

    from backfill.experiments.sweep import folder

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder, "place_bytes", full)
    assert main(["sweep", str(file), "--dry-run"]) == 2
    assert "--dry-run: cannot write its trial into" in capsys.readouterr().err


def test_status_says_how_far_it_is(tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / "scenarios" / "chunk-000005.parquet").unlink()
    assert main(["sweep", "--status", str(out)]) == 0
    assert "20 of 24 scenarios, 5 of 6 chunks done" in capsys.readouterr().out
    assert backfill.load_sweep(out).scenarios.collect().height == 20
    assert main(["sweep", "--status", str(tmp_path)]) == 2
    assert "holds no sweep" in capsys.readouterr().err


def begin_at_once(file: Path, other: Path, out: Path) -> list[tuple[int, str]]:
    """Two sweeps begun in one new folder at the same moment: exit code and message of each."""
    ready = threading.Barrier(2)

    def begun(of: Path) -> tuple[int, str]:
        experiment, reference = check(str(of))
        assert experiment.sweep is not None
        plan = Plan.of(experiment.sweep)
        ready.wait()
        try:
            SweepFolder(out).begin(experiment, reference, plan, "effects")
        except OutputError as error:
            return 2, str(error)
        return 0, ""

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(begun, (file, other)))


def test_of_two_sweeps_begun_at_once_one_has_the_folder(file: Path, tmp_path: Path):
    other = tmp_path / "other.toml"
    other.write_text(file.read_text().replace("high = 0.5", "high = 0.4"))
    for n in range(8):
        codes = begin_at_once(file, other, tmp_path / f"out{n}")
        assert sorted(code for code, _ in codes) == [0, 2]
        assert any("holds a sweep of another file" in said for _, said in codes)
        held = (tmp_path / f"out{n}" / "sweep.toml").read_text()
        assert ("0.4" in held) == (codes[1][0] == 0)


@pytest.mark.parametrize("harm", ["scenarios emptied", "effects gone"])
def test_a_chunk_whose_files_are_not_whole_is_done_again(file: Path, tmp_path: Path, finished: Path, harm: str):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    if harm == "effects gone":
        (out / "effects" / "chunk-000001.parquet").unlink()
    else:
        (out / "scenarios" / "chunk-000001.parquet").write_bytes(b"")
    assert backfill.load_sweep(out).scenarios.collect().height == 20
    assert main(["sweep", str(file), "--out", str(out), "--quiet"]) == 0
    assert tables(out) == tables(finished)


def test_failures_are_told_whenever_the_command_is_repeated(
    file: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    place = out / "scenarios" / "chunk-000002.parquet"
    pl.read_parquet(place).with_columns(
        status=pl.when(pl.col("number") == 9).then(pl.lit("failed")).otherwise("status")
    ).write_parquet(place)
    assert main(["sweep", str(file), "--out", str(out)]) == 3
    assert "1 are not solved; `--retry` tries each alone" in capsys.readouterr().out


def test_a_retry_does_not_finish_a_sweep(
    file: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / "scenarios" / "chunk-000005.parquet").unlink()
    assert main(["sweep", str(file), "--out", str(out), "--retry"]) == 0
    assert "20 of 24 scenarios are in" in capsys.readouterr().out


def test_what_failed_is_tried_again_alone(file: Path, tmp_path: Path, finished: Path):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    place = out / "scenarios" / "chunk-000002.parquet"
    lost = pl.col("number") == 9
    spoiled = pl.read_parquet(place).with_columns(
        status=pl.when(lost).then(pl.lit("failed")).otherwise("status"),
        reason=pl.when(lost).then(pl.lit("why")).otherwise("reason"),
    )
    spoiled.write_parquet(place)
    gone = spoiled.filter(lost)["scenario"][0]
    effects = out / "effects" / "chunk-000002.parquet"
    pl.read_parquet(effects).filter(pl.col("scenario") != gone).write_parquet(effects)
    assert main(["sweep", str(file), "--out", str(out), "--quiet", "--retry"]) == 0
    assert backfill.load_sweep(out).scenarios.collect().equals(backfill.load_sweep(finished).scenarios.collect())
    keys = ["scenario", "period", "quantity", "where", "product"]
    mended, whole = (backfill.load_sweep(place).effects.collect().sort(keys) for place in (out, finished))
    assert mended.drop("value").equals(whole.drop("value"))
    scale = whole["value"].abs().clip(1.0)
    assert ((mended["value"] - whole["value"]).abs() / scale).max() < 1e-6
    untouched = {name: content for name, content in tables(out).items() if "000002" not in name}
    assert untouched == {name: content for name, content in tables(finished).items() if "000002" not in name}


def test_a_log_says_now_and_then_how_far_it_is(
    file: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    next((out / "scenarios").glob("*.parquet")).unlink()
    monkeypatch.setattr("backfill.commands.sweep.EVERY", 0.0)
    assert main(["sweep", str(file), "--out", str(out)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said
    assert all(re.fullmatch(r"24 of 24, [\d.,]+ a second, .* left", one) for one in said)


def test_what_a_file_is_called_makes_no_difference(file: Path, tmp_path: Path, finished: Path):
    out, renamed = tmp_path / "out", tmp_path / "renamed.toml"
    shutil.copytree(finished, out)
    text = file.read_text()
    title = next(line for line in text.splitlines() if line.startswith("title"))
    renamed.write_text("# a comment\n" + text.replace(title, 'title = "Another"').replace("low = 0.0", "low = 0"))
    assert main(["sweep", str(renamed), "--out", str(out), "--quiet"]) == 0
    assert tables(out) == tables(finished)


def test_ids_depend_on_inputs_and_not_on_how_they_are_chosen(file: Path, finished: Path):
    def identity_of(text: str) -> dict[str, str]:
        file.write_text(text)
        return identity(*check(str(file)), "effects")

    text, before = file.read_text(), SweepFolder(finished).record["identity"]
    for old, new in (("chunk = 4", "chunk = 5"), ("points = 4", "points = 5"), ("high = 0.5", "high = 0.4")):
        found = identity_of(text.replace(old, new))
        assert found["inputs"] == before["inputs"]
        assert found["file"] != before["file"]
    assert identity_of(text.replace('origins = "China"', 'origins = "all"'))["inputs"] != before["inputs"]

"""``backfill data``: tables are rebuilt to the same bytes; what is wrong with sources or folder is told in lines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backfill.resources import data_dir
from tests.cli.command import backfill


@pytest.mark.slow
def test_the_shipped_baseline_is_rebuilt_to_the_same_bytes(tmp_path: Path):
    done = backfill("data", "build", "--out", tmp_path / "built", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote {tmp_path / 'built'}\n"
    built = {path.name: path.read_bytes() for path in (tmp_path / "built").iterdir()}
    shipped = {path.name: path.read_bytes() for path in (data_dir() / "baseline").iterdir()}
    assert [name for name in shipped | built if shipped.get(name) != built.get(name)] == []


def test_every_missing_source_is_a_line_and_nothing_is_written(tmp_path: Path):
    shutil.copytree(data_dir() / "sources", tmp_path / "mine")
    for name in ("customs.csv", "capacity.csv"):
        (tmp_path / "mine" / name).unlink()
    done = backfill("data", "build", "--sources", "mine", "--out", "built", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["mine/capacity.csv", "mine/customs.csv"]
    assert not (tmp_path / "built").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--sources", "nowhere"],
            'backfill data build: --sources: "nowhere": is no folder; name the folder of source figures',
        ),
        (["--out", "/proc/nowhere"], "/proc/nowhere: cannot be written (No such file or directory)"),
    ],
)
def test_a_wrong_folder_is_one_line(words: list[str], line: str, tmp_path: Path):
    done = backfill("data", "build", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line + "\n")


def test_the_baseline_is_described(tmp_path: Path):
    done = backfill("data", "describe", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in ("Coverage", "observed", "derived", "assumed", "lithography"))

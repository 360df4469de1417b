"""A folder is replaced whole or not at all, whatever fails on the way and whenever the process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backfill.experiments.replace import replace_folder


def write(text: str):
    return lambda folder: (folder / "text").write_text(text)


def state(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_new_and_replaced(tmp_path: Path):
    replace_folder(tmp_path / "out", write("one"))
    assert state(tmp_path) == {"out/text": "one"}
    (tmp_path / "out" / "more").write_text("of the first")
    replace_folder(tmp_path / "out", write("two"))
    assert state(tmp_path) == {"out/text": "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("failing", ["new", "old"])
def test_a_rename_that_fails_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str):
    replace_folder(tmp_path / "out", write("one"))
    rename, asked = Path.rename, []

    def refusing(path: Path, target: Path) -> Path:
        asked.append((path.name, target.name))
        if asked[-1] == {"new": ("new", "out"), "old": ("out", "old")}[failing]:
            raise OSError("no room")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refusing)
    with pytest.raises(OSError, match="no room"):
        replace_folder(tmp_path / "out", write("two"))
    assert state(tmp_path) == {"out/text": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def killed(folder: Path, when: str) -> None:
    """Replace ``folder / "out"`` in a process that kills itself while writing or between the two renames."""
    script = f"""
import os, signal
from pathlib import Path
from backfill.experiments.replace import replace_folder
rename, die = Path.rename, lambda: os.kill(os.getpid(), signal.SIGKILL)
def fill(new):
    (new / "text").write_text("two")
    {when == "writing"} and die()
def renaming(path, target):
    path.name == "new" and die()
    return rename(path, target)
Path.rename = renaming
replace_folder(Path("out"), fill)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_the_next_call_clears_up_after_a_killed_one(tmp_path: Path):
    replace_folder(tmp_path / "out", write("one"))
    killed(tmp_path, "writing")
    assert state(tmp_path)["out/text"] == "one"
    killed(tmp_path, "renaming")
    assert not (tmp_path / "out").exists()

    def broken(_: Path) -> None:
        assert (tmp_path / "out" / "text").read_text() == "one"
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink"):
        replace_folder(tmp_path / "out", broken)
    assert state(tmp_path) == {"out/text": "one"}
    killed(tmp_path, "renaming")
    replace_folder(tmp_path / "out", write("three"))
    assert state(tmp_path) == {"out/text": "three"}
    assert os.listdir(tmp_path) == ["out"]


def test_siblings_of_other_folders_stay(tmp_path: Path):
    for name in (".outer.part-1", ".output", "out.part-1"):
        (tmp_path / name).mkdir()
    replace_folder(tmp_path / "out", write("one"))
    assert set(os.listdir(tmp_path)) == {"out", ".outer.part-1", ".output", "out.part-1"}

"""``backfill hindcast`` and ``backfill identify`` refuse a folder that holds something else, before anything is solved."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfill.cli import main


@pytest.mark.parametrize("command", ["hindcast", "identify"])
def test_a_folder_with_something_else_is_refused(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.txt").write_text("kept")
    assert main([command, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}: is not empty and holds no {command}; name another folder or empty it\n"
    )
    assert (tmp_path / "mine.txt").read_text() == "kept"


@pytest.mark.parametrize("command", ["hindcast", "identify"])
def test_a_file_in_the_way_is_refused(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    place = tmp_path / "file"
    place.write_text("kept")
    assert main([command, "--out", str(place)]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err

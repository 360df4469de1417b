"""``backfill chart``: files of every format, a list of names, and mistakes told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfill.cli import main
from tests.effects.test_results import make


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("drawn") / "control"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backfill.charts.overview.page", lambda one: f"page of {one.name}")
        return make().write(target)


@pytest.mark.parametrize(
    ("kind", "starts"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("html", b"<!DOCTYPE")]
)
def test_a_chart_is_written_in_the_format_its_name_says(folder, tmp_path, kind, starts, capsys):
    out = tmp_path / f"w.{kind}"
    assert main(["chart", str(folder), "waterfall", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(starts)
    assert capsys.readouterr().out == f"wrote {out}\n"


def test_left_out_the_name_lists_what_can_be_drawn(folder, capsys):
    assert main(["chart", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"charts of {folder}"
    assert [line.split()[0] for line in lines[1:4]] == ["compute-by-route", "waterfall", "who-backfills"]
    assert not any("tornado" in line for line in lines)


def test_a_product_and_a_period_may_be_named(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["chart", str(folder), "flows", "--group", "lithography", "--period", "2023"]) == 0
    assert (tmp_path / "flows.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["watrfall"], 'backfill chart: "watrfall": is no chart of it; did you mean "waterfall"?'),
        (["tornado"], "no ranges to draw: run the experiment with --ranges"),
        (["waterfall", "--out", "x.bmp"], "x.bmp: ends in none of .svg, .png, .pdf, .html"),
        (["waterfall", "--out", "nowhere/x.png"], "nowhere/x.png: cannot be written (no folder nowhere)"),
        (["waterfall", "--group", "chips"], 'backfill chart: --group: "chips": is nothing that waterfall draws'),
        (["flows", "--group", "chps"], "no product or group 'chps' to draw; there are "),
    ],
)
def test_mistakes(folder, words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["chart", str(folder), *words]) == 2
    out, err = capsys.readouterr()
    assert told in err
    assert (out, err.count("\n")) == ("", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_anything(tmp_path, capsys):
    assert main(["chart", str(tmp_path), "waterfall"]) == 2
    assert "holds nothing that is drawn" in capsys.readouterr().err
    assert main(["chart", "no-such-result"]) == 2
    assert "no such folder" in capsys.readouterr().err

"""Examples on the pages of the site run as written, top to bottom."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backfill.cli import main


def blocks(page: Path, language: str) -> list[str]:
    """Fenced examples of a page in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


def test_the_measure_of_the_page_on_extending_acts(repository: Path):
    from backfill.dimensions import periods
    from backfill.economy.tables import load_vocabulary
    from backfill.policy.board import Board
    from backfill.policy.timeline import timeline

    names: dict = {"__name__": "example"}
    for block in blocks(repository / "docs" / "extending.md", "python"):
        exec(compile(block, "extending.md", "exec", dont_inherit=True), names)
    measure, vocabulary = names["InspectionFee"](), load_vocabulary()
    board = Board(vocabulary, timeline(periods(2026, 2027), []))
    measure.act(board)
    usa, chn = vocabulary.regions.index("USA"), vocabulary.regions.index("CHN")
    at = vocabulary.products.index("accelerators_frontier")
    assert board.real_cost[0, at, usa, chn] == pytest.approx(0.01)
    assert board.real_cost[0, at, chn, usa] == 0
    assert measure.idle(board) is None
    assert names["InspectionFee"](fee=0.0).idle(board)[0] == "fee"


def test_every_command_on_the_pages_exists(repository: Path):
    from backfill.cli import app

    pages = [repository / "README.md", *(repository / "docs").glob("*.md")]
    named = {
        (page.name, found)
        for page in pages
        for found in re.findall(r"`backfill ([a-z]+)|^backfill ([a-z]+)", page.read_text(encoding="utf-8"), re.M)
    }
    known = set(app)
    assert {word for _, words in named for word in words if word} <= known


@pytest.mark.slow
def test_the_quickstart_gives_what_it_says(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    page = repository / "docs" / "quickstart.md"
    monkeypatch.chdir(tmp_path)
    (policy,) = blocks(page, "toml")
    (tmp_path / "hbm-alone.toml").write_text(policy, encoding="utf-8")
    _, commands = blocks(page, "sh")
    for command in commands.splitlines():
        assert main(command.split()[1:]) == 0
    names: dict = {}
    for block in blocks(page, "python"):
        exec(block, names)
    sellers = names["sellers"].pivot("scenario", index="origin", values="value")
    sold = {row["origin"]: row for row in sellers.iter_rows(named=True)}
    assert sold["USA"]["hbm-alone"] < sold["USA"]["no-controls"]
    assert sold["KOR"]["hbm-alone"] > sold["KOR"]["no-controls"], "Korea fills the gap"
    assert names["denied"]["hbm-aligned"] > names["denied"]["hbm-alone"]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_needs_no_network(repository: Path, tmp_path: Path):
    pytest.importorskip("sphinx", reason="needs the extra docs")
    source = tmp_path / "docs"
    shutil.copytree(repository / "docs", source, ignore=shutil.ignore_patterns("generated"))
    site = tmp_path / "site"
    building = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(source), str(site)]
    built = subprocess.run(building, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=\"(?:https?:)?//", text), page.name
    assert (site / "generated" / "measures" / "export_control.html").is_file()
    assert "<math" in (site / "equations.html").read_text(encoding="utf-8")

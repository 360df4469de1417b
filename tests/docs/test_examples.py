"""Files and programs shown on pages are read and run as written, beside what they say they stand in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import backfill
from backfill.cli import main
from tests.docs.test_pages import blocks
from tests.hats.tables import random_tables

BEFORE = {
    "design.md": ("design-denial", "[design."),
    "games.md": ("align-tools", "[game]"),
    "sweeps.md": ("secondary-tariff-grid", "[sweep]"),
}
"""Pages that show a part of a file, and where such a part stands: a shipped experiment, from where on it is replaced."""


@pytest.fixture
def page(repository: Path) -> Callable[[str, str], list[str]]:
    """Examples of a page in one language."""
    return lambda name, language: blocks(repository / ("" if name == "README.md" else "docs") / name, language)


def written(folder: Path, text: str) -> backfill.Experiment:
    """The experiment of a file of one's own."""
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return backfill.load_experiment(file)


def test_the_policy_of_the_readme_is_sound(page, tmp_path: Path):
    (policy,) = page("README.md", "toml")
    assert [one.kind for one in written(tmp_path, policy).policy.measures][-2:] == ["export_control", "alignment"]


def test_the_rule_that_ends_others_is_sound(page, tmp_path: Path):
    (policy,) = page("measures.md", "toml")
    assert written(tmp_path, policy).policy.measures[-1].supersedes


@pytest.mark.parametrize("name", BEFORE)
def test_parts_of_files_are_sound_where_they_stand(name: str, page, repository: Path, tmp_path: Path):
    experiment, mark = BEFORE[name]
    before = (repository / "experiments" / f"{experiment}.toml").read_text(encoding="utf-8").partition(mark)[0]
    read = written(tmp_path, "\n".join([before, *page(name, "toml")]))
    table = {"design.md": read.design, "games.md": read.game, "sweeps.md": read.sweep}[name]
    assert table is not None


def test_an_economy_of_ones_own_in_three_lines(page):
    tables = random_tables(4, 3)
    names: dict = {"backfill": backfill, **tables, "new_tariffs": tables["tariffs"].with_columns(pl.col("rate") * 0.5)}
    exec(page("README.md", "python")[1], names)
    assert names["world"].welfare.height == 4


@pytest.mark.slow
def test_programs_on_pages_run(page, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "allied-alignment", "--quiet"]) == 0
    names: dict = {}
    exec(page("README.md", "python")[0], names)
    assert_frame_equal(names["again"].summary, names["result"].summary, rel_tol=1e-9)
    for name in ("charts.md", "report.md"):
        for block in page(name, "python"):
            exec(block, {})
    assert (tmp_path / "flows.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "compute" in capsys.readouterr().out
    assert (tmp_path / "report.html").stat().st_size > 100_000


@pytest.mark.slow
def test_a_sweep_is_read_back_and_panels_open_as_pages_say(page, repository: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    policy = (repository / "experiments" / "live-panel.toml").read_text(encoding="utf-8")
    (tmp_path / "my-policy.toml").write_text(policy, encoding="utf-8")
    (tmp_path / "small.toml").write_text(policy.replace("samples = 1024", "samples = 2"), encoding="utf-8")
    assert main(["sweep", "small.toml", "--out", "grid", "--workers", "1"]) == 0
    names: dict = {}
    for block in page("sweeps.md", "python"):
        exec(block, names)
    assert names["table"].height == 2
    for block in page("notebooks.md", "python"):
        exec(block, {})

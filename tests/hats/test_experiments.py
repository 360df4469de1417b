"""Experiments about a person's own economy: what is refused, all at once, and that references share the economy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import backfill
from backfill.cli import main
from backfill.errors import Faults


@pytest.fixture
def mine(repository: Path, tmp_path: Path) -> Path:
    """An experiment beside its tables."""
    for name in ("trade.csv", "elasticities.csv", "regions.csv"):
        shutil.copy(repository / "docs" / "your-own-data" / name, tmp_path)
    file = tmp_path / "mine.toml"
    shutil.copy(repository / "docs" / "your-own-data" / "control.toml", file)
    return file


def faults(file: Path) -> tuple[str, ...]:
    with pytest.raises(Faults) as caught:
        backfill.load_experiment(file)
    return caught.value.lines


def test_names_are_those_of_the_tables(mine: Path):
    mine.write_text(
        mine.read_text().replace('"China"', '"Chine"').replace('products = "electronics"', 'products = "hbm"')
    )
    said = faults(mine)
    assert any('"Chine"' in line and 'did you mean "China"?' in line for line in said)
    assert any('"hbm"' in line for line in said)


def test_every_fault_of_the_tables_is_told_with_the_experiment(mine: Path):
    regions = mine.parent / "regions.csv"
    regions.write_text(regions.read_text().replace("China,adversary", "Chine,enemy"))
    said = "\n".join(faults(mine))
    assert 'row 3: bloc: "enemy": use us, ally, partner, adversary' in said
    assert 'row 3: region: "Chine": unknown region: did you mean "China"?' in said
    assert 'region: "China": no bloc: add a row' in said
    assert "no region is adversary" in said


def test_what_belongs_to_the_benchmark_is_refused(mine: Path):
    text = mine.read_text()
    mine.write_text(text + "[parameters]\ndemand_elasticity = 1.4\n[run]\nranges = true\n")
    said = "\n".join(faults(mine))
    assert "parameters: are the benchmark's" in said
    assert "run.ranges: true: come from the benchmark's priors" in said
    mine.write_text(text.replace('tables = "."', 'tables = "nowhere"'))
    assert any("economy.tables" in line and "no such folder beside the experiment" in line for line in faults(mine))


def test_a_reference_over_another_economy_is_refused(mine: Path, capsys: pytest.CaptureFixture[str]):
    other = mine.parent / "other"
    other.mkdir()
    for name in ("trade.csv", "elasticities.csv", "regions.csv"):
        shutil.copy(mine.parent / name, other)
    base = mine.with_name("base.toml")
    base.write_text('[economy]\ntables = "other"\n')
    mine.write_text('reference = "base"\n' + mine.read_text())
    assert main(["validate", str(mine)]) == 2
    assert "is another economy than that of mine; use the same in both" in capsys.readouterr().err


def test_resolved_file_runs_from_anywhere(mine: Path, tmp_path: Path):
    experiment = backfill.load_experiment(mine)
    again = tmp_path / "elsewhere" / "again.toml"
    again.parent.mkdir()
    again.write_text(experiment.resolved_toml())
    read = backfill.load_experiment(again)
    assert read.own is not None
    assert experiment.own is not None
    assert (read.own.folder, read.own.closure) == (experiment.own.folder, experiment.own.closure)
    assert read.policy.measures == experiment.policy.measures


def test_a_group_without_members_is_told_at_its_place(mine: Path):
    text = mine.read_text()
    mine.write_text(text.replace('products = "electronics"', 'products = "accelerators"'))
    (said,) = faults(mine)
    assert said.endswith(': measures[1].products: "accelerators": has no members in this economy')
    more = '\n[[measures]]\nkind = "enforcement"\nbudget = 2.0\n'
    mine.write_text(text + more)
    (said,) = faults(mine)
    assert said.startswith(str(mine))
    assert "measures[2]: " in said
    assert "did you mean" not in said
    mine.write_text(text + more + 'hubs = "Singapore"\n')
    (said,) = (line for line in faults(mine) if "hubs" in line)
    assert said.endswith('measures[2].hubs: "Singapore": this economy has no hubs')


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('tables = "."\nclosure = "fixd"', 'economy.closure: "fixd": did you mean "fixed"?'),
        ('table = "."', 'economy.table: ".": did you mean "tables"?'),
        ("tables = 5", "economy.tables: 5: must be text in quotes"),
    ],
)
def test_an_economy_that_is_mistyped_makes_no_other_names_wrong(mine: Path, wrong: str, said: str):
    text = mine.read_text()
    assert 'tables = "."' in text
    mine.write_text(text.replace('tables = "."', wrong))
    (line,) = faults(mine)
    assert line.endswith(said)


def test_end_use_is_refused_in_words(mine: Path):
    mine.write_text(mine.read_text() + 'end_use = "advanced"\n')
    (said,) = faults(mine)
    assert said.endswith('end_use: "advanced": is for tools, which this economy has none of; leave it out')

"""Policies over a user's own regions: names, flows and mistakes follow the mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfill.errors import Faults
from backfill.experiments.config import load_experiment
from backfill.policy.compile import compile_policy

SPLIT = "region,new_region,share\nEUR,DEU,0.4\nEUR,REU,0.6\n"
CONTROL = '[[measures]]\nkind = "export_control"\nby = "DEU"\nproducts = "lithography"\ndestinations = "CHN"\n'


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "split.csv").write_text(SPLIT, encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text('[regions]\nmapping = "split.csv"\n' + CONTROL, encoding="utf-8")
    return file


def test_a_part_of_a_region_can_control_what_it_sells(mine: Path) -> None:
    experiment = load_experiment(mine)
    names = experiment.vocabulary()
    wedges = compile_policy(experiment.policy, names, experiment.periods)
    place = names.products.index("lithography"), names.regions.index("DEU"), names.regions.index("CHN")
    assert (wedges.coverage[:, *place] == 0.4).all()
    assert wedges.coverage.sum() == pytest.approx(0.4 * len(experiment.periods))
    assert experiment.inert() == ()


def test_the_region_that_was_split_is_no_longer_known(mine: Path) -> None:
    mine.write_text(mine.read_text().replace('"DEU"', '"EUR"'), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(mine)
    (line,) = caught.value.lines
    assert line.startswith('mine.toml: measures[1].by: "EUR": ')


def test_a_faulty_mapping_is_told_alone(mine: Path) -> None:
    (mine.parent / "split.csv").write_text(SPLIT.replace("0.6", "0.7"), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(mine)
    (line,) = caught.value.lines
    assert line.startswith("split.csv: ")
    assert "1.1" in line


def test_a_missing_mapping_is_told(mine: Path) -> None:
    (mine.parent / "split.csv").unlink()
    mine.write_text(mine.read_text().replace('"DEU"', '"EUR"'), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(mine)
    assert caught.value.lines == ('mine.toml: regions.mapping: "split.csv": no such file beside the experiment',)


@pytest.mark.parametrize("mapping", ["", SPLIT.replace("0.6", "0.7")])
def test_products_are_checked_whatever_the_regions_are(mine: Path, mapping: str) -> None:
    (mine.parent / "split.csv").write_text(mapping, encoding="utf-8")
    if not mapping:
        (mine.parent / "split.csv").unlink()
    mine.write_text(mine.read_text().replace('"lithography"', '"lithografy"'), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(mine)
    _, named = caught.value.lines
    assert named == 'mine.toml: measures[1].products: "lithografy": did you mean "lithography"?'


def test_the_resolved_file_finds_the_mapping_from_anywhere(mine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "resolved.toml").write_text(load_experiment(mine).resolved_toml(), encoding="utf-8")
    assert load_experiment(folder / "resolved.toml").vocabulary() == load_experiment(mine).vocabulary()


def test_a_wrong_name_is_told_where_the_names_over_own_regions_are_listed(mine: Path) -> None:
    mine.write_text(mine.read_text().replace('"DEU"', '"Atlantis"'), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(mine)
    assert caught.value.lines[0].endswith("; `backfill data names --mapping split.csv` lists all")


def test_a_reference_is_read_over_the_regions_of_the_policy(mine: Path) -> None:
    (mine.parent / "base.toml").write_text(CONTROL.replace("lithography", "eda_ip"), encoding="utf-8")
    experiment = load_experiment(mine)
    base = load_experiment("base", compared_with=experiment)
    assert base.mapping == experiment.mapping
    assert base.policy.measures[0].by == ("DEU",)  # type: ignore[attr-defined]
    with pytest.raises(Faults) as caught:
        load_experiment("base")
    assert "DEU" in caught.value.lines[0]


def test_a_reference_over_other_regions_is_refused(mine: Path) -> None:
    (mine.parent / "base.toml").write_text('[regions]\nmapping = "other.csv"\n', encoding="utf-8")
    policies = {"those of split.csv": load_experiment(mine), "the benchmark's own": load_experiment("current-policy")}
    for told, policy in policies.items():
        with pytest.raises(Faults) as caught:
            load_experiment("base", compared_with=policy)
        (line,) = caught.value.lines
        assert line.startswith(f'base.toml: regions.mapping: "other.csv": are other regions than {told}, over which ')

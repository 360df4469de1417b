"""Switches of structure: what they change, and what a file may say of them."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backfill.errors import CommandError, Faults, UnsolvedError
from backfill.experiments.config import load_experiment
from backfill.experiments.structure import FEW, SCHEMA, SPARE, VARIANTS, StructureTable, headlines, switched
from backfill.policy.compile import compile_policy
from backfill.policy.odds import moved, with_odds
from tests.docs.stored import STRUCTURES
from tests.effects.test_results import make
from tests.experiments.structures import found


@pytest.fixture(scope="module")
def current():
    return load_experiment("current-policy")


def accepted(policy) -> list[float]:
    return [one.accepted for one in policy.measures if one.kind == "import_restraint" and one.accepted is not None]


def test_acceptance_moves_restraints_alone(current):
    assert accepted(current.policy) == [0.1]
    none, full = (StructureTable(acceptance=how).policy(current.policy) for how in ("none", "full"))
    assert accepted(none) == [FEW]
    compile_policy(none, current.vocabulary(), current.periods, facts=current.facts(), inert_allowed=True)
    assert accepted(full) == []
    assert len(none.placed) == len(current.policy.placed) == len(full.placed) + 1
    assert StructureTable().policy(current.policy) is current.policy


def test_odds_keep_nobody_and_all_and_move_what_is_between(current):
    assert (moved(0.0, 3.0), moved(1.0, 3.0), moved(0.5, 3.0)) == (0.0, 1.0, 0.75)
    other = with_odds(current.policy, {"import_acceptance": 9.0}, current.vocabulary())
    assert accepted(other) == [pytest.approx(0.5)]
    assert with_odds(current.policy, {"sigma_family": 2.0}, current.vocabulary()) is current.policy


def test_a_coverage_left_to_its_default_moves_from_that_default(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[measures]]\nkind = "export_control"\nby = "USA"\nproducts = ["tools", "accelerators_frontier"]\n'
        'destinations = "CHN"\nfrom = 2023-01-01\n'
    )
    mine = load_experiment(file)
    found = with_odds(mine.policy, {"control_coverage": 2.0}, mine.vocabulary()).measures
    assert [one.coverage for one in found] == [pytest.approx(moved(0.4, 2)), pytest.approx(moved(0.8, 2))]


def test_supply_bound_by_demand_leaves_capacity_to_spare_without_a_rent(current):
    tables = dataclasses.replace(current, structure=StructureTable(supply="demand")).tables()
    advanced = tables.capacity.filter(~pl.col("product").is_in(["logic_mature", "memory"]))
    assert set(advanced["utilisation"]) == {SPARE}
    assert set(advanced["rent_share"]) == {0.0}


@pytest.mark.slow
def test_headlines_under_each_structure_are_those_that_are_stored():
    stored = pl.read_csv(STRUCTURES, schema=SCHEMA)
    table = found()
    assert_frame_equal(table.drop("note"), stored.drop("note"), rel_tol=1e-6)
    assert table.filter(quantity="all")["structure"].to_list() == ["builders keep to the reference's plan (fixed)"]


def test_each_structure_is_solved_once_and_one_that_fails_says_why(current):
    asked = []

    def solve(experiment):
        asked.append((experiment.structure, experiment.foresight))
        if experiment.foresight == "fixed":
            raise UnsolvedError("no luck")
        if experiment.foresight == "myopic":
            raise Faults([CommandError("mine.toml", "measures[1]", 0, "contradicts another")])
        return make()

    table = headlines(current, solve)
    assert len(asked) == len(set(asked)) == len(VARIANTS)
    assert table.filter(pl.col("quantity") == "compute acquired")["change"].n_unique() == 1
    assert table.filter(pl.col("note") != "")["note"].to_list() == [
        "not solved: mine.toml: measures[1]: 0: contradicts another",
        "not solved: no luck",
    ]
    myopic = switched(current, {"foresight": "myopic"})
    assert len(set(headlines(myopic, solve)["structure"])) == len(VARIANTS) - 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[structure]\nsuply = "demand"', 'mine.toml: structure.suply: "demand": did you mean "supply"?'),
        ('[structure]\nsupply = "demnd"', "mine.toml: structure.supply"),
        (
            '[structure]\nquality = "operations"\n[parameters]\nquality_theta = 0.7',
            'mine.toml: parameters.quality_theta: 0.7: structure.quality = "operations" sets it already; leave one out',
        ),
    ],
)
def test_a_switch_that_does_not_exist_is_a_fault(text: str, told: str, tmp_path):
    (tmp_path / "mine.toml").write_text(text + "\n")
    with pytest.raises(Faults) as raised:
        load_experiment(tmp_path / "mine.toml")
    assert any(line.endswith(told) or told in line for line in raised.value.lines), raised.value.lines

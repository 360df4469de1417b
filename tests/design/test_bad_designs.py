"""What a faulty design is told: every fault at once, one line each, before anything is solved and without JAX."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backfill.cli import main
from backfill.errors import Faults
from backfill.experiments.config import load_experiment

GOOD = """
[[measures]]
kind = "export_control"
name = "Tools"
by = "USA"
products = "tools_and_subsystems"
destinations = "CHN"
coverage = 0.5
from = 2024-01-01

[[measures]]
kind = "enforcement"
name = "Checks"
budget = 2.0
from = 2024-01-01

[design.objective]
maximise = "compute denied"
period = 2030

[[design.limits]]
effect = "welfare cost"
region = "us"
at_most = 30000.0

[[design.levers]]
measure = "Tools"
field = "coverage"
low = 0.1
high = 0.9

[[design.levers]]
measure = "Checks"
field = "budget"
low = 1.0
high = 5.0
cost = 191.0

[design.frontier]
limit = "welfare cost of us"
from = 10000.0
to = 50000.0
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def writer(*changes: tuple[str, str], more: str = "") -> str:
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "mine.toml").write_text(text + more, encoding="utf-8")
        return "mine.toml"

    return writer


def lines(name: str) -> tuple[str, ...]:
    with pytest.raises(Faults) as caught:
        load_experiment(name)
    return caught.value.lines


def test_a_sound_design_is_read(write):
    design = load_experiment(write()).design
    assert design is not None
    assert [lever.label for lever in design.levers] == ["Tools: coverage", "Checks: budget"]
    assert design.moving == 0
    assert design.objective.period == "2030"


FAULTY = {
    "no such measure": (
        ('measure = "Tools"', 'measure = "Tool"'),
        'mine.toml: design.levers[1].measure: "Tool": did you mean "Tools"?',
    ),
    "no such field": (
        ('field = "coverage"', 'field = "covrage"'),
        'mine.toml: design.levers[1].field: "covrage": did you mean "coverage"?',
    ),
    "not a number": (
        ('field = "budget"', 'field = "hubs"'),
        'mine.toml: design.levers[2].field: "hubs": is no number of a enforcement; there are budget, cost',
    ),
    "outside the field's bounds": (
        ("high = 0.9", "high = 1.2"),
        "mine.toml: design.levers[1].high: 1.2: must be at most 1; a share, write 0.25 for 25%",
    ),
    "ends that cross": (
        ("high = 0.9", "high = 0.05"),
        "mine.toml: design.levers[1].high: 0.05: is not above low (0.1)",
    ),
    "own value left out": (
        ("low = 0.1", "low = 0.6"),
        "mine.toml: design.levers[1].low: 0.6: leaves out the measure's own value 0.5; widen the range or give start",
    ),
    "unknown effect": (
        ('maximise = "compute denied"', 'maximise = "compute denyed"'),
        'mine.toml: design.objective.maximise: "compute denyed": did you mean "compute denied"',
    ),
    "both objectives": (
        ('maximise = "compute denied"', 'maximise = "compute denied"\nminimise = "rents lost"'),
        "mine.toml: design.objective.maximise: give maximise or minimise, not both",
    ),
    "a key the effect does not read": (
        ('region = "us"', 'region = "us"\ndestinations = "CHN"'),
        'mine.toml: design.limits[1].destinations: "CHN": is not read by welfare cost; leave it out',
    ),
    "no such region": (
        ('region = "us"', 'region = "NDL"'),
        'mine.toml: design.limits[1].region: "NDL": did you mean "NLD"',
    ),
    "no such period": (
        ("period = 2030", "period = 2035"),
        'mine.toml: design.objective.period: "2035": is none of 2022 to 2030, nor all',
    ),
    "no bound": (
        ("at_most = 30000.0", ""),
        "mine.toml: design.limits[1].at_most: give at_most or at_least",
    ),
    "frontier along nothing": (
        ('limit = "welfare cost of us"', 'limit = "cost to the US"'),
        'mine.toml: design.frontier.limit: "cost to the US": is no limit; known are welfare cost of us',
    ),
    "unknown key": (
        ("cost = 191.0", "costs = 191.0"),
        'mine.toml: design.levers[2].costs: 191.0: did you mean "cost"',
    ),
}


@pytest.mark.parametrize("case", FAULTY)
def test_faults_name_place_and_remedy(write, case: str):
    change, expected = FAULTY[case]
    assert any(line.startswith(expected) for line in lines(write(change))), lines(write(change))


def test_limits_that_contradict_one_another(write):
    more = '[[design.limits]]\neffect = "welfare cost"\nname = "floor"\nregion = "us"\nat_least = 40000.0\n'
    assert lines(write(more=more)) == (
        "mine.toml: design.limits[2].at_least: 40000.0: contradicts limits[1], which asks for at most 30000",
    )


def test_limits_contradict_one_another_where_one_names_the_region_of_the_effect(write):
    more = '[[design.limits]]\neffect = "compute denied"\nregion = "adversary"\nat_least = 5000.0\n'
    more += '[[design.limits]]\neffect = "compute denied"\nname = "ceiling"\nat_most = 1000.0\n'
    assert "contradicts limits[2], which asks for at least 5000" in lines(write(more=more))[0]


def test_a_budget_below_the_cheapest_package(write):
    more = '[[design.limits]]\neffect = "package cost"\nat_most = 100.0\n'
    assert lines(write(more=more)) == (
        "mine.toml: design.limits[2].at_most: 100.0: is less than the cheapest package costs, 191",
    )


def test_objectives_that_no_lever_moves(write):
    costless = ('maximise = "compute denied"\nperiod = 2030', 'minimise = "package cost"'), ("cost = 191.0", "")
    assert "is moved by no lever" in lines(write(*costless))[0]
    kept = ('maximise = "compute denied"', 'minimise = "capacity"\nproducts = "logic_advanced"\nregion = "CHN"')
    found = lines(write(kept, ("\n[[measures]]", 'foresight = "fixed"\n[[measures]]')))
    assert 'foresight = "fixed" keeps capacity as it is' in found[0]


def test_an_objective_before_anything_is_known(write):
    found = lines(write(("period = 2030", "period = 2022"), ("from = 2024-01-01", "from = 2025-01-01")))
    told = 'design.objective.period: "2022": is moved by no lever: their measures are known from 2024-01-01'
    assert any(told in line for line in found)


def test_a_lever_that_moves_nothing(write):
    wider = (
        '[[measures]]\nkind = "export_control"\nby = "USA"\nproducts = "tools_and_subsystems"\ndestinations = "CHN"\n'
    )
    found = lines(write(("[design.objective]", f"{wider}coverage = 0.95\nfrom = 2022-01-01\n[design.objective]")))
    assert any("design.levers[1]" in line and "moves nothing from low to high" in line for line in found)


def test_a_lever_at_whose_end_a_duty_starts(write):
    duty = """
[[measures]]
kind = "alignment"
name = "Align"
region = "NLD"
products = "tools_and_subsystems"
level = 0.5
from = 2024-01-01
[[measures]]
kind = "secondary_tariff"
by = "USA"
targets = "NLD"
products = "electronics"
rate = 0.25
trigger = { alignment_below = 1.0, products = "tools_and_subsystems" }
from = 2024-01-01
[[design.levers]]
measure = "Align"
field = "level"
low = 0.0
high = 1.0
"""
    found = lines(write(more=duty))
    assert any(
        line.startswith("mine.toml: design.levers[3].high: 1.0: is where a measure starts or stops") for line in found
    )


def test_every_fault_at_once(write):
    found = lines(write(FAULTY["no such period"][0], FAULTY["ends that cross"][0], FAULTY["no bound"][0]))
    assert len(found) == 3


def test_every_fault_at_once_of_limits_levers_and_frontier(write):
    frontier = ('limit = "welfare cost of us"', 'limit = "no such limit"')
    found = lines(write(FAULTY["no such period"][0], ('field = "coverage"', 'field = "coverag"'), frontier))
    assert [sum(part in line for line in found) for part in ('"2035"', '"coverag"', "no such limit")] == [1, 1, 1]


def test_an_experiment_without_a_design(write, tmp_path, capsys):
    (tmp_path / "plain.toml").write_text(GOOD[: GOOD.index("[design.objective]")], encoding="utf-8")
    assert main(["design", "plain.toml"]) == 2
    assert capsys.readouterr().err.startswith("plain.toml: design: is missing; add a [design] table")
    assert not (tmp_path / "results").exists()


def test_designs_are_checked_without_heavy_imports(write):
    code = (
        "import sys; from backfill.experiments.config import load_experiment; "
        f"load_experiment({write()!r}); print({{'jax', 'pyomo', 'altair', 'equinox', 'scipy'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr

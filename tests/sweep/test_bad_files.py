"""What a faulty sweep is told: every fault at once, one line each, before anything is solved and without JAX."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backfill.cli import main
from backfill.errors import Faults
from backfill.experiments.config import load_experiment
from backfill.experiments.sweep.plan import Plan

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

[sweep]
mode = "static"
year = 2027

[[sweep.levers]]
measure = "Tools"
field = "coverage"
low = 0.1
high = 0.9
points = 9

[[sweep.levers]]
measure = "Checks"
field = "budget"
values = [1.0, 2.0, 5.0]

[[sweep.parameters]]
parameter = "sigma_family"

[sweep.uncertainty]
samples = 10
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.toml"
    path.write_text(GOOD)
    return path


def told(file: Path, *changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text)
    with pytest.raises(Faults) as caught:
        load_experiment(file)
    return list(caught.value.lines)


def test_a_sound_file_is_read(file: Path):
    table = load_experiment(file).sweep
    assert table is not None
    assert table.labels == ("Tools: coverage", "Checks: budget", "sigma_family")


def test_what_is_written_is_what_is_read(file: Path, tmp_path: Path):
    experiment = load_experiment(file)
    again = tmp_path / "again.toml"
    again.write_text(experiment.resolved_toml())
    assert load_experiment(again).sweep == experiment.sweep
    assert load_experiment(again).resolved_toml() == experiment.resolved_toml()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('mode = "static"', 'mode = "statik"', 'sweep.mode: "statik": did you mean "static"?'),
        ("year = 2027", "year = 2041", "sweep.year: 2041: must be a reported year, 2022 to 2030"),
        ("year = 2027", "yaer = 2027", 'sweep.yaer: 2027: did you mean "year"?'),
        ('mode = "static"', 'mode = "coupled"', 'sweep.year: 2027: is for mode = "static"; leave it out'),
        ('measure = "Tools"', 'measure = "Tolls"', 'sweep.levers[1].measure: "Tolls": did you mean "Tools"?'),
        ('field = "budget"', 'field = "buget"', 'sweep.levers[2].field: "buget": did you mean "budget"?'),
        ("high = 0.9", "high = 1.9", "sweep.levers[1].high: 1.9: "),
        ("high = 0.9", "high = 0.05", "sweep.levers[1].high: 0.05: is not above low (0.1)"),
        ("points = 9", "", "sweep.levers[1].values: is missing; give values, or low, high and points, of a grid"),
        ("[1.0, 2.0, 5.0]", "[1.0, 1.0]", "has a value twice; remove one"),
        ("[1.0, 2.0, 5.0]", "[1, 1.0]", "has a value twice; remove one"),
        ("[1.0, 2.0, 5.0]", "[]", "sweep.levers[2].values: []: must have at least 1 value"),
        ("[1.0, 2.0, 5.0]", "[1.0, -2.0, 5.0]", "sweep.levers[2].values[2]: -2.0: must be"),
        ("samples = 10", "samples = 10\nseed = 1.5", "sweep.uncertainty.seed: 1.5: must be a name in quotes or a whole number"),
        ("[[sweep.parameters]]", "[sweep.parameters]", "is one table; write it as [[sweep.parameters]], one for each"),
        ("values = [1.0, 2.0, 5.0]", "values = [1.0, 2.0]\nlow = 1.0", "sweep.levers[2].low: 1.0: is not read beside values"),
        ('"sigma_family"', '"sigma_famly"', 'sweep.parameters[1].parameter: "sigma_famly": did you mean "sigma_family"'),
        ('"sigma_family"', '"sigma_family"\nlow = 0.1\nhigh = 2.0', "low: 0.1: is beyond its prior, "),
        ("samples = 10", "", "sweep.uncertainty.samples: is missing: how many points of latin_hypercube"),
        ("samples = 10", 'samples = 10\nby = "sobol"', "is no power of two, of which sobol is balanced; take 8 or 16"),
        ("year = 2027", 'year = 2027\ncombine = "paired"', "goes row by row, but there are 27 choices of levers and 10 draws"),
        ("samples = 10", "samples = 0", "sweep.uncertainty.samples: 0: "),
        ("points = 9", "points = 9\nname = \"status\"", 'sweep.levers[1].name: "status": is a column that every sweep has'),
        ("points = 9", "points = 9\nname = \"Checks: budget\"", "give each its own"),
        ("points = 9", "points = 99000\n[sweep.policy]\nsamples = 4", "is not read where values are grid; leave it out"),
        ("samples = 10", "samples = 10000000", "scenarios, of which 20,000,000 can be numbered"),
    ],
)  # fmt: skip
def test_a_fault_is_told(file: Path, old: str, new: str, said: str):
    lines = told(file, (old, new))
    assert any(said in line for line in lines), lines
    assert len(lines) == 1, lines


def test_levers_and_parameters_drawn_together_are_chosen_once(file: Path):
    joint = 'year = 2027\ncombine = "joint"\npolicy = { by = "saltelli", samples = 8 }'
    (line,) = told(file, ("year = 2027", joint), ("points = 9", ""))
    assert "sweep.uncertainty: is not read where levers and parameters are drawn together" in line


def test_all_faults_at_once(file: Path):
    lines = told(
        file,
        ('measure = "Tools"', 'measure = "Tolls"'),
        ('field = "budget"', 'field = "buget"'),
        ("coverage = 0.5", "coverage = 5.0"),
    )
    assert len(lines) == 1  # a policy that cannot be read hides what is said about its levers
    lines = told(file, ('measure = "Tools"', 'measure = "Tolls"'), ('field = "budget"', 'field = "buget"'))
    assert len(lines) == 2


def test_a_lever_that_moves_nothing_is_told(file: Path):
    more = """
[[measures]]
kind = "export_control"
name = "Wider"
by = "USA"
products = "tools_and_subsystems"
destinations = "CHN"
coverage = 0.95
from = 2023-01-01

[sweep]"""
    (line,) = told(file, ("\n[sweep]", more))
    assert "moves nothing in 2027 between its ends: other measures do as much at every value" in line


def test_a_lever_that_moves_nothing_in_the_year_of_the_sweep_is_told(file: Path):
    (line,) = told(file, ("coverage = 0.5\nfrom = 2024", "coverage = 0.5\nfrom = 2028"))
    assert "sweep.levers[1]" in line
    assert "moves nothing in 2027" in line


def test_measures_that_a_sweep_moves_may_change_nothing_as_written(file: Path):
    file.write_text(GOOD.replace("budget = 2.0", "budget = 1.0").replace("coverage = 0.5", "coverage = 0.0"))
    assert load_experiment(file).sweep is not None


def test_faults_end_the_command_with_two(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    file.write_text(GOOD.partition("[sweep]")[0])
    out = tmp_path / "out"
    assert main(["sweep", str(file), "--out", str(out), "--part", "3/2", "--workers", "0"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert any("sweep: is missing; add a [sweep] table" in line for line in said)
    assert any('--part: "3/2": is which of how many, such as 1/4' in line for line in said)
    assert not out.exists()
    assert main(["sweep"]) == 2


def test_checking_needs_no_jax(file: Path):
    code = f"import sys; from backfill.cli import main; main(['validate', {str(file)!r}]); print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")


LISTED = """
[sweep.policy]
by = "listed"

[[sweep.levers]]
measure = "Tools"
field = "coverage"
values = [0.1, 0.1, 0.9, 0.9]

[[sweep.levers]]
measure = "Checks"
field = "budget"
values = [1.0, 5.0, 1.0, 5.0]
"""


def test_listed_values_may_come_again(file: Path):
    file.write_text(GOOD.partition("[[sweep.levers]]")[0] + LISTED)
    table = load_experiment(file).sweep
    assert table is not None
    assert Plan.of(table).levers.tolist() == [[0.1, 1.0], [0.1, 5.0], [0.9, 1.0], [0.9, 5.0]]


def test_fields_of_tables_inside_are_named(file: Path):
    duty = """
[[measures]]
kind = "secondary_tariff"
name = "Duty"
by = "USA"
targets = "KOR"
products = "electronics"
rate = 0.25
trigger = { alignment_below = 1.0, products = "tools_and_subsystems" }
from = 2024-01-01
"""
    lever = 'measure = "Duty"\nfield = "trigger.alignment_abov"'
    file.write_text(duty + GOOD.replace('measure = "Checks"\nfield = "budget"', lever))
    with pytest.raises(Faults, match='did you mean "trigger.alignment_below"'):
        load_experiment(file)


def test_an_end_at_which_measures_contradict_is_noted(file: Path, capsys: pytest.CaptureFixture[str]):
    quota = """
[[measures]]
kind = "country_cap"
name = "Quota"
by = "USA"
destinations = "CHN"
products = "accelerators_frontier"
quantity = 1e9
unit = "TPP"
from = 2024-01-01
"""
    both = quota + GOOD.replace('products = "tools_and_subsystems"', 'products = "accelerators_frontier"')
    file.write_text(both)
    assert main(["validate", str(file)]) == 0
    assert "contradicts" not in capsys.readouterr().err
    file.write_text(both.replace("high = 0.9", "high = 1.0"))
    assert main(["validate", str(file)]) == 0
    said = capsys.readouterr()
    assert 'sweep.levers[1]: 1.0: there "Quota" contradicts "Tools"' in said.out + said.err
    assert "scenarios there are solved as they stand" in said.out + said.err

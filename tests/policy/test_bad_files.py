"""What a faulty experiment file is told: every fault at once, one line each, with place and remedy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backfill.dimensions import OTHER_PRODUCTS, OTHER_REGIONS
from backfill.economy.tables import load_vocabulary
from backfill.errors import Faults, UnsolvedError, UserError, did_you_mean
from backfill.experiments.config import Experiment, load_experiment
from backfill.policy.compile import compile_policy
from backfill.policy.kinds import kinds
from backfill.policy.measure import kind_meant
from backfill.policy.names import product_names, region_names, unknown_product, unknown_region

CONTROL = """
[[measures]]
kind = "export_control"
by = "USA"
products = "tools"
destinations = "CHN"
coverage = 0.4
from = 2022-10-07
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def writer(text: str, name: str = "mine") -> str:
        given = text if "reference" in text else f'reference = "base"\n{text}'
        (tmp_path / f"{name}.toml").write_text(given, encoding="utf-8")
        return name

    (tmp_path / "base.toml").write_text('title = "base"', encoding="utf-8")
    return writer


def lines(name: str) -> tuple[str, ...]:
    with pytest.raises(Faults) as caught:
        load_experiment(name)
    return caught.value.lines


def with_measure(old: str, new: str) -> str:
    assert old in CONTROL
    return CONTROL.replace(old, new)


FAULTY = {
    "unknown key": (
        'titel = "x"',
        'mine.toml: titel: "x": did you mean "title"?',
    ),
    "unknown kind": (
        with_measure("export_control", "enforcment"),
        'mine.toml: measures[1].kind: "enforcment": did you mean "enforcement"?',
    ),
    "no kind": (
        '[[measures]]\nby = "USA"',
        "mine.toml: measures[1].kind: is missing; `backfill measures` lists the kinds",
    ),
    "unknown region": (
        with_measure('"CHN"', '["RUS", "CHNN"]'),
        'mine.toml: measures[1].destinations: "CHNN": did you mean "CHN"?',
    ),
    "unknown product": (
        with_measure('"tools"', '"lithografy"'),
        'mine.toml: measures[1].products: "lithografy": did you mean "lithography"?',
    ),
    "unknown unit": (
        with_measure("coverage = 0.4", 'licence = { cap = 5.0, unit = "H100" }').replace('"tools"', '"accelerators"'),
        'mine.toml: measures[1].licence.unit: "H100": did you mean "H100e"?',
    ),
    "coverage above one": (
        with_measure("0.4", "1.5"),
        "mine.toml: measures[1].coverage: 1.5: must be at most 1; a share, write 0.25 for 25%",
    ),
    "alignment to be found": (
        '[[measures]]\nkind = "alignment"\nregion = "NLD"\nproducts = "tools"\nlevel = "endogenous"\nfrom = 2024-01-01\n',
        'mine.toml: measures[1].level: "endogenous": is found by backfill align: write a [game] with its players '
        "(see docs/games.md), or give a level",
    ),
    "infinite coverage": (
        with_measure("0.4", "inf"),
        "mine.toml: measures[1].coverage: inf: give a finite number",
    ),
    "date as text": (
        with_measure("2022-10-07", '"2022-10-07"'),
        'mine.toml: measures[1].from: "2022-10-07": must be a date without quotes, such as 2022-10-07',
    ),
    "ends before it begins": (
        with_measure("from = 2022-10-07", "from = 2022-10-07\nuntil = 2022-10-07"),
        "mine.toml: measures[1].until: 2022-10-07: must be the first day no longer in force, after from (2022-10-07)",
    ),
    "announced too late": (
        with_measure("from = 2022-10-07", "from = 2022-10-07\nannounced = 2022-10-08"),
        "mine.toml: measures[1].from: 2022-10-07: must be on or after announced (2022-10-08)",
    ),
    "rate below -1": (
        '[[measures]]\nkind = "tariff"\nby = "USA"\norigins = "CHN"\nproducts = "all"\nrate = -1.5',
        "mine.toml: measures[1].rate: -1.5: a rate is above -1; write -0.25 to take off 25%",
    ),
    "rate of the whole price": (
        '[[measures]]\nkind = "tariff"\nby = "USA"\norigins = "CHN"\nproducts = "all"\nrate = -1',
        "mine.toml: measures[1].rate: -1: a rate is above -1; write -0.25 to take off 25%",
    ),
    "horizon after the benchmark": (
        "[horizon]\nfirst = 2025",
        "mine.toml: horizon.first: 2025: must be 2022, the year of the benchmark, from which the model starts",
    ),
    "horizon before the benchmark": (
        "[horizon]\nlast = 2021",
        "mine.toml: horizon.last: 2021: must be at least 2022",
    ),
    "horizon beyond the data": (
        "[horizon]\nlast = 2040",
        "mine.toml: horizon.last: 2040: must be at most 2030",
    ),
    "a region nothing is like": (
        with_measure('"CHN"', '"Atlantis"'),
        'mine.toml: measures[1].destinations: "Atlantis": nearest are "partner", "TWN", "OAL"; `backfill data names` lists all',
    ),
    "aligned with itself": (
        '[[measures]]\nkind = "alignment"\nregion = "USA"\nlevel = 1.0',
        'mine.toml: measures[1].region: ["USA"]: would align with itself; name who aligns, and under with whose controls',
    ),
    "controls on itself": (
        with_measure('"CHN"', '"us"'),
        'mine.toml: measures[1].destinations: ["us"]: is the region itself; a measure acts between regions: name another',
    ),
    "a reference to itself": (
        'reference = "mine"\n' + CONTROL,
        'mine.toml: reference: "mine": is the policy itself, so that every change would be zero; name another, such as '
        "no-controls",
    ),
    "a number without its first digit": (
        'reference = "base"\nforesight = .5',
        'mine.toml: line 2: "foresight = .5": is not TOML: Invalid value; write 0.5, not .5',
    ),
    "text without quotes": (
        'reference = "base"\nforesight = myopic',
        'mine.toml: line 2: "foresight = myopic": is not TOML: Invalid value; text needs quotes',
    ),
    "an empty reference": (
        'reference = ""',
        'mine.toml: reference: "": no such file or experiment; `backfill list` names those that are shipped',
    ),
    "unknown parameter": (
        "[parameters]\ndiscount_facto = 0.9",
        'mine.toml: parameters.discount_facto: 0.9: did you mean "discount_factor"?',
    ),
    "a parameter of games": (
        "[parameters]\nthreat_credibility = 0.6",
        "mine.toml: parameters.threat_credibility: 0.6: is set in [game] of an experiment",
    ),
    "parameter beyond its prior": (
        "[parameters]\nsigma_family = 300.0",
        "mine.toml: parameters.sigma_family: 300.0: is beyond its prior, 0.852 to 10.6 (1% and 99% points)",
    ),
    "parameter not a number": (
        "[parameters]\ndiscount_factor = nan",
        "mine.toml: parameters.discount_factor: nan: give a finite number",
    ),
    "same measure twice": (
        CONTROL + CONTROL,
        'mine.toml: measures[2]: "export_control": repeats measures[1] of mine.toml; remove one',
    ),
    "dates outside the horizon": (
        with_measure("2022-10-07", "2031-01-01"),
        "mine.toml: measures[1].from: 2031-01-01: outside the horizon 2022-01-01 to 2031-01-01; "
        "change the dates or the horizon",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_each_fault_is_one_line_with_place_value_and_remedy(name: str, write) -> None:
    text, line = FAULTY[name]
    assert lines(write(text)) == (line,)


def test_all_faults_of_a_file_are_told_at_once(write) -> None:
    text = (
        'titel = "x"\ninclude = ["nowhere"]\n[horizon]\nlast = 2040\n[parameters]\ndiscount_facto = 0.9\n'
        + with_measure("0.4", "1.5").replace('"CHN"', '"CHM"')
        + with_measure("export_control", "tarif")
    )
    told = lines(write(text))
    keys = {line.split(": ")[1] for line in told}
    assert keys == {
        "titel",
        "include[1]",
        "horizon.last",
        "parameters.discount_facto",
        "measures[1].coverage",
        "measures[1].destinations",
        "measures[2].kind",
    }
    assert all("\n" not in line for line in told)


def test_what_cannot_act_is_told_beside_other_faults(write) -> None:
    told = lines(write("[parameters]\ndiscount_facto = 0.9\n" + with_measure("0.4", "0.0")))
    assert [line.split(": ")[1] for line in told] == ["parameters.discount_facto", "measures[1].coverage"]


def test_measures_that_can_never_act_are_told_beside_measures_at_fault(write) -> None:
    later = (
        '[[measures]]\nkind = "tariff"\nby = "USA"\norigins = "CHN"\nproducts = "tools"\nrate = 0.5\nfrom = 2040-01-01'
    )
    told = lines(
        write('reference = "nowhere"\n' + with_measure('"tools"', '"lithografy"') + with_measure("0.4", "0.0") + later)
    )
    assert [line.split(": ")[1] for line in told] == [
        "measures[1].products",
        "reference",
        "measures[2].coverage",
        "measures[3].from",
    ]


def test_what_might_act_beside_a_measure_at_fault_is_not_told(write) -> None:
    align = '[[measures]]\nkind = "alignment"\nregion = "NLD"\nproducts = "tools"\nlevel = 1.0'
    assert len(lines(write(with_measure('"tools"', '"lithografy"') + align))) == 1
    (line,) = lines(write(align))
    assert line.startswith('mine.toml: measures[1].with: ["USA"]: has no denial in force')


def test_a_missing_include_does_not_hide_the_faults_of_another(write) -> None:
    write(with_measure("0.4", "1.5"), "below")
    told = lines(write('include = ["below", "nowhere"]'))
    assert [line.split(": ")[:2] for line in told] == [
        ["below.toml", "measures[1].coverage"],
        ["mine.toml", "include[2]"],
    ]


def test_faults_of_included_files_name_those_files(write) -> None:
    write(with_measure("0.4", "1.5"), "below")
    told = lines(write('include = "below"\n' + with_measure("0.4", "-0.5")))
    assert [line.split(": ")[0] for line in told] == ["below.toml", "mine.toml"]


def test_text_that_is_not_toml_names_the_line(write) -> None:
    (line,) = lines(write('reference = "base"\nname = \n'))
    assert line.startswith("mine.toml: line 2: ")


def test_a_missing_file_suggests_near_ones(write) -> None:
    write("", "minerals")
    (line,) = lines("mineral")
    assert line == 'mineral: no such file or experiment; did you mean "minerals"?'


def test_a_circle_of_includes_is_told(write) -> None:
    write('include = "mine"', "other")
    (line,) = lines(write('include = "other"'))
    assert line == 'other.toml: include[1]: "mine": includes itself (mine > other > mine); remove it from the list'


def test_included_measures_come_first_and_each_file_once(write) -> None:
    write(CONTROL, "root")
    for side, product in (("left", "hbm"), ("right", "subsystems")):
        write('include = "root"' + with_measure('"tools"', f'"{product}"'), side)
    experiment = load_experiment(write('include = ["left", "right"]' + with_measure('"tools"', '"eda_ip"')))
    assert [measure.products for measure in experiment.policy.measures] == [
        ("tools",),
        ("hbm",),
        ("subsystems",),
        ("eda_ip",),
    ]
    assert set(experiment.includes) == {"root", "left", "right"}


def test_the_resolved_file_is_the_same_experiment(write) -> None:
    write(CONTROL, "root")
    text = (
        'include = "root"\nforesight = "myopic"\n[horizon]\nlast = 2029\nperiods_per_year = 2\n'
        "[parameters]\ndiscount_factor = 0.95\n"
        '[[measures]]\nkind = "export_control"\nby = "USA"\nproducts = "us_accelerators"\ndestinations = "CHN"\n'
        'licence = { cap = 1000.0, unit = "TPP" }\nfrom = 2023-07-01\n'
        '[[measures]]\nkind = "alignment"\nregion = "NLD"\nproducts = "tools"\nlevel = 0.5\nfrom = 2024-01-01\n'
        '[[measures]]\nkind = "secondary_tariff"\nby = "USA"\ntargets = "NLD"\nrate = 0.1\nauthority_cap = 0.15\n'
        'trigger = { alignment_below = 0.75, products = "tools" }\n'
    )
    first = load_experiment(write(text))
    second = load_experiment(write(first.resolved_toml(), "again"))
    assert second.resolved_toml() == first.resolved_toml()
    assert second.policy.measures == first.policy.measures
    assert (second.periods, second.foresight, second.parameters) == (first.periods, "myopic", first.parameters)


@pytest.mark.parametrize("name", ["no-controls", "current-policy", "allied-alignment", "secondary-tariff"])
def test_shipped_experiments_are_sound(name: str, vocabulary) -> None:
    experiment = load_experiment(name)
    wedges = compile_policy(experiment.policy, vocabulary, experiment.periods)
    assert bool(wedges.coverage.any()) == (name != "no-controls")
    assert [inert.placed.label for inert in experiment.inert() if not inert.placed.measure.included_from] == []


def test_reading_a_file_imports_nothing_heavy(write) -> None:
    name = write(CONTROL)
    code = (
        "import sys; from backfill.experiments.config import load_experiment; "
        f"load_experiment({name!r}); print({{'jax', 'pyomo', 'altair', 'equinox', 'scipy'}} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_mistakes_and_failures_are_different_things() -> None:
    assert not issubclass(UnsolvedError, UserError)
    assert UnsolvedError("why", {"walras": 1.0}).checks == {"walras": 1.0}
    assert str(UserError("a.toml", "b.c", "two\nlines", "mend it")) == 'a.toml: b.c: "two\\nlines": mend it'


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("PRC", "CHN"), ("hong kong", "CHN"), ("Netherlands", "NLD"), ("Saudi Arabia", "GLF"), ("Vietnam", "ASE"), ("UK", "GBR"),
        ("Taiwan", "TWN"),
    ],
)  # fmt: skip
def test_regions_are_found_by_what_people_call_them(word: str, meant: str) -> None:
    assert unknown_region(word, load_vocabulary()) == f'did you mean "{meant}"?'


@pytest.mark.parametrize(
    ("word", "meant"),
    [("gpus", "accelerators"), ("AI-chips", "accelerators"), ("gallium", "minerals"), ("lithografy", "lithography")],
)
def test_products_are_found_by_what_people_call_them(word: str, meant: str) -> None:
    assert unknown_product(word, load_vocabulary()) == f'did you mean "{meant}"?'


def test_other_words_stand_for_names_there_are_and_only_where_they_are() -> None:
    names = load_vocabulary()
    assert set(OTHER_REGIONS.values()) <= set(region_names(names))
    assert set(OTHER_PRODUCTS.values()) <= set(product_names(names))
    assert not set(OTHER_REGIONS) & {name.lower() for name in region_names(names)}
    assert not set(OTHER_PRODUCTS) & set(product_names(names))
    few = replace(names, regions=("USA", "NLD"), bloc={"USA": "us", "NLD": "ally"}, hubs=())
    assert "CHN" not in unknown_region("PRC", few)


def test_a_kind_is_found_by_other_words_else_all_are_told() -> None:
    assert kind_meant("blacklist", kinds()) == 'did you mean "export_control"?'
    assert kind_meant("minerals", kinds()) == 'did you mean "retaliation"?'
    for word in ("stockpile", "outbound_investment"):
        assert kind_meant(word, kinds()) == f"is no kind of measure; there are {', '.join(kinds())}"


def test_a_remedy_names_what_is_near_else_what_there_is() -> None:
    assert did_you_mean("chm", ["CHN", "USA"]) == 'did you mean "CHN"?'
    assert did_you_mean("zzz", ["CHN", "USA"]) == "known are CHN, USA"


def test_an_experiment_made_in_python_has_the_usual_horizon() -> None:
    assert [period.label for period in Experiment("mine").periods] == [str(year) for year in range(2022, 2031)]


def test_keys_of_tables_inside_a_measure_are_named(write) -> None:
    text = CONTROL.replace('"tools"', '"accelerators_frontier"') + "threshold = { tpp = 4800, bandwidth = 4.0 }\n"
    assert lines(write(text)) == (
        'mine.toml: measures[1].threshold[1].bandwidth: 4.0: did you mean "memory_bandwidth"?',
    )
    (told,) = lines(write(text.replace("bandwidth", "speed")))
    assert told.endswith(
        "no such key; there are tpp, performance_density, interconnect, memory_bandwidth, hbm_density"
    )

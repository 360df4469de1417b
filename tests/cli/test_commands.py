"""What the command line answers: help, version, starter files, mistakes; quickly, and without the solver."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from backfill.cli import main
from backfill.commands.measures import explained
from backfill.commands.new import SHOWN
from backfill.experiments.config import load_experiment
from backfill.policy.kinds import fields, kinds, sentence
from backfill.policy.library import rule_names
from backfill.resources import experiments_dir, version
from tests.cli.command import HEAVY, backfill

SHIPPED = sorted(path.stem for path in experiments_dir().glob("*.toml"))

BAD = """\
titel = "x"
[[measures]]
kind = "export_control"
by = "USB"
products = "tols"
destinations = "CHN"
coverage = inf
from = 2026-01-01
until = 2025-01-01
[[measures]]
kind = "tariff"
by = "USA"
origins = "CHN"
products = "logic_mature"
rate = -2
"""
MISTAKES = [
    'bad.toml: measures[1].by: "USB": did you mean "us" or "USA"?',
    "bad.toml: measures[1].coverage: inf: give a finite number",
    'bad.toml: measures[1].products: "tols": did you mean "tools"?',
    "bad.toml: measures[1].until: 2025-01-01: must be the first day no longer in force, after from (2026-01-01)",
    "bad.toml: measures[2].rate: -2: a rate is above -1; write -0.25 to take off 25%",
    'bad.toml: titel: "x": did you mean "title"?',
]


def test_help_names_every_command(tmp_path: Path):
    done = backfill("--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f" {command} " in done.stdout for command in ("run", "validate", "new", "list", "measures", "data"))


def test_shipped_experiments_and_rules_are_listed_with_their_titles(tmp_path: Path):
    done = backfill("list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    named = dict(line.split("\t") for line in done.stdout.splitlines())
    assert list(named) == [*SHIPPED, *rule_names()]
    assert all(named.values())


def test_version_is_printed_alone(tmp_path: Path):
    assert backfill("--version", cwd=tmp_path).stdout == f"{version()}\n"


@pytest.mark.parametrize("words", [["--help"], ["validate", "allied-alignment"], ["new", "mine"]])
def test_nothing_heavy_is_imported(words: list[str], tmp_path: Path):
    script = (
        "import sys; from backfill.cli import main; code = main(sys.argv[1:]); "
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_experiments_are_valid(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    code = main(["validate", name])
    verdict = "ok: no measures, so it can stand as a reference" if name == "no-controls" else "ok"
    assert (code, *capsys.readouterr()) == (0, f"{name}: {verdict}\n", "")


def test_every_mistake_is_one_line_and_nothing_is_written(tmp_path: Path):
    (tmp_path / "bad.toml").write_text(BAD)
    for words in (["validate", "bad.toml"], ["run", "bad.toml"]):
        done = backfill(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert sorted(done.stderr.splitlines()) == MISTAKES
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


def test_mistakes_in_file_reference_and_folder_come_at_once(tmp_path: Path):
    (tmp_path / "bad.toml").write_text("titel = 'x'\n")
    done = backfill("run", "bad.toml", "--reference", "no-controlls", "--out", "bad.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        'bad.toml: titel: "x": did you mean "title"?',
        'no-controlls: no such file or experiment; did you mean "no-controls"?',
        "bad.toml: is a file; name a folder",
    ]


def test_a_measure_that_cannot_act_is_refused(tmp_path: Path):
    (tmp_path / "late.toml").write_text(
        '[[measures]]\nkind = "tariff"\nby = "USA"\norigins = "CHN"\nproducts = "logic_mature"\nrate = 0.5\nfrom = 2040-01-01\n'
    )
    done = backfill("run", "late.toml", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("late.toml: measures[1].from: 2040-01-01: outside the horizon 2022-01-01 to ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], 'Unknown command "bogus"'),
        (["run"], "FILE_OR_NAME requires an argument"),
        (["run", "no-controls", "--bogus"], "Unknown option: --bogus"),
        (["run", "no-controls", "--tables", "xlsx"], 'Invalid value "xlsx" for --tables'),
    ],
)
def test_a_wrong_command_line_is_one_line(words: list[str], said: str, tmp_path: Path):
    done = backfill(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("backfill: ")
    assert said in line
    assert not list(tmp_path.iterdir())


def test_a_new_file_is_valid_names_every_kind_and_is_never_overwritten(tmp_path: Path):
    assert backfill("new", "mine", cwd=tmp_path).stdout == "wrote mine.toml\n"
    text = (tmp_path / "mine.toml").read_text()
    assert all(kind in text for kind in kinds())
    assert backfill("validate", "mine.toml", cwd=tmp_path).stdout == "mine.toml: ok\n"
    again = backfill("new", "mine", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (2, "mine.toml: exists; choose another name\n")
    assert (tmp_path / "mine.toml").read_text() == text


def test_every_kind_shown_in_a_new_file_is_valid_once_uncommented(tmp_path: Path):
    backfill("new", "mine", cwd=tmp_path)
    lines = (tmp_path / "mine.toml").read_text().splitlines()
    begin = next(n for n, line in enumerate(lines) if line == "[[measures]]")
    bare = [line.removeprefix("# ") for line in lines[begin:] if " = " in line or line.endswith("[[measures]]")]
    policy = tomllib.loads("\n".join(bare))
    assert {measure["kind"] for measure in policy["measures"]} == set(SHOWN)
    (tmp_path / "all.toml").write_text("\n".join(bare) + "\n")
    assert len(load_experiment(tmp_path / "all.toml", inert_allowed=True).policy.measures) == len(SHOWN)


def test_kinds_are_listed_one_a_line_where_nobody_looks(tmp_path: Path):
    done = backfill("measures", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert dict(rows) == {name: sentence(measure) for name, measure in kinds().items()}


def test_what_is_printed_as_an_example_is_a_file_that_runs(tmp_path: Path):
    printed = backfill("measures", "retaliation", cwd=tmp_path).stdout
    example = printed.split("An experiment file that runs:\n")[1]
    (tmp_path / "mine.toml").write_text(example)
    assert backfill("validate", "mine.toml", cwd=tmp_path).stdout == "mine.toml: ok\n"


@pytest.mark.parametrize("name", kinds())
def test_names_of_fields_stand_apart_from_what_they_are(name: str):
    listed = explained(name).partition("Fields\n")[2].partition("\nSources")[0]
    for field in fields(kinds()[name]):
        assert re.search(rf"^  {field.key} {{2,}}\S", listed, re.MULTILINE)


def test_a_wrong_kind_is_one_line(tmp_path: Path):
    done = backfill("measures", "sharecap", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'backfill measures: "sharecap": did you mean "share_cap"?\n'


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("no-controls", 'backfill new: "no-controls": is the name of a shipped experiment; choose another'),
        ("a/b", "a/b.toml: there is no folder a; make it first, or give a plain name"),
    ],
)
def test_a_new_file_neither_hides_a_shipped_one_nor_makes_folders(name: str, line: str, tmp_path: Path):
    done = backfill("new", name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, line + "\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["validate", "folder"], "folder: is a folder; name an experiment file"),
        (["validate", "/dev/null"], "/dev/null: is no regular file; name an experiment file"),
        (["validate", "empty.toml"], "empty.toml: is empty; `backfill new NAME` writes a file to start from"),
        (
            ["run", "current-policy", "--reference", "current-policy"],
            'backfill run: --reference: "current-policy": is the policy itself, so that every change would be zero; '
            "name another, such as no-controls",
        ),
    ],
)
def test_what_is_no_experiment_is_told_in_a_line(words: list[str], line: str, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.toml").write_text("# nothing yet\n")
    done = backfill(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line + "\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.toml", "folder"]


def test_mistakes_in_the_file_and_in_its_reference_come_at_once(tmp_path: Path):
    (tmp_path / "mine.toml").write_text('titel = "x"\nreference = "base"\n')
    (tmp_path / "base.toml").write_text('titel = "y"\n')
    done = backfill("validate", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        'mine.toml: titel: "x": did you mean "title"?',
        'base.toml: titel: "y": did you mean "title"?',
    ]


def test_names_are_listed_also_over_own_regions(tmp_path: Path):
    (tmp_path / "split.csv").write_text("region,new_region,share\nEUR,DEU,0.4\nEUR,REU,0.6\n")
    shipped, own = (backfill("data", "names", *more, cwd=tmp_path).stdout for more in ([], ["--mapping", "split.csv"]))
    assert "  ally: TWN, KOR, JPN, NLD, EUR, GBR, OAL\n" in shipped
    assert "  tools: lithography, deposition_etch, process_control_test\n" in shipped
    assert "  discount_factor: 0.94 (0.9 to 0.97)\n" in shipped
    assert "DEU, REU" in own
    assert "EUR" not in own


@pytest.mark.parametrize("name", ["", ".hidden", "a:b", "nowhere/mine"])
def test_a_name_no_file_can_have_is_refused(name: str, tmp_path: Path):
    done = backfill("new", name, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


PARTLY = """\
[[measures]]
kind = "export_control"
by = ["NLD", "KOR"]
products = ["lithography", "accelerators_frontier"]
destinations = "CHN"
coverage = 0.8
[[measures]]
kind = "alignment"
region = ["JPN", "TKC"]
with = ["NLD", "USA"]
products = "lithography"
level = 1.0
[[measures]]
kind = "tariff"
by = "USA"
origins = ["USA", "JPN"]
products = "logic_mature"
rate = 0.25
"""


def test_names_for_which_a_measure_can_do_nothing_are_noted(tmp_path: Path):
    (tmp_path / "partly.toml").write_text(PARTLY)
    done = backfill("validate", "partly.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "partly.toml: ok\n")
    noted = [line.split(": changes nothing: ")[0] for line in done.stderr.splitlines()]
    assert noted == [
        'note: partly.toml: measures[1].products: "accelerators_frontier"',
        'note: partly.toml: measures[2].region: "TKC"',
        'note: partly.toml: measures[3].origins: "USA"',
    ]


def test_who_aligns_without_anything_to_sell_is_refused(tmp_path: Path):
    (tmp_path / "alone.toml").write_text(PARTLY.replace('["JPN", "TKC"]', '"TKC"'))
    done = backfill("validate", "alone.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert 'alone.toml: measures[2].region: ["TKC"]: the benchmark has no such flow' in done.stderr


ODD = """\
[[measures]]
kind = "export_control"
by = "USA"
products = "tools"
destinations = "CHN"
licence = { cap = 1000, unit = "USD" }
[[measures]]
kind = "tariff"
by = "USA"
origins = "CHN"
products = "logic_mature"
rate = 5
[[measures]]
kind = "share_cap"
by = "USA"
products = "accelerators_frontier"
destinations = "CHN"
reference = "USA"
share = 50
"""


CAPPED = """\
[[measures]]
kind = "export_control"
by = "USA"
products = "tools"
destinations = "CHN"
coverage = 0.5
[[measures]]
kind = "secondary_tariff"
by = "USA"
targets = "KOR"
products = "electronics"
rate = 0.25
authority_cap = 0.15
trigger = { alignment_below = 1.0, products = "tools" }
"""


def test_a_rate_beyond_what_the_law_allows_is_noted(tmp_path: Path):
    (tmp_path / "capped.toml").write_text(CAPPED)
    done = backfill("validate", "capped.toml", cwd=tmp_path)
    told = "note: capped.toml: measures[2].authority_cap: 0.15: is below the rate, 0.25: 0.15 is collected"
    assert (done.returncode, done.stderr.splitlines()) == (0, [told])
    (tmp_path / "capped.toml").write_text(CAPPED.replace("authority_cap = 0.15", "authority_cap = 0.3"))
    assert backfill("validate", "capped.toml", cwd=tmp_path).stderr == ""


def test_sizes_that_may_be_meant_in_another_unit_are_noted(tmp_path: Path):
    (tmp_path / "odd.toml").write_text(ODD)
    done = backfill("validate", "odd.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "odd.toml: ok\n")
    assert done.stderr.splitlines() == [
        "note: odd.toml: measures[1].licence.cap: 1000.0: is 0.001 million USD; "
        'write unit = "million USD" if millions are meant',
        "note: odd.toml: measures[2].rate: 5.0: is 500% of the price; write 0.05 for 5%",
        "note: odd.toml: measures[3].share: 50.0: is 5000%; write 0.05 for 5%",
    ]
    sound = ODD.replace('"USD"', '"million USD"').replace("rate = 5", "rate = 1.45").replace("share = 50", "share = 0.5")
    (tmp_path / "odd.toml").write_text(sound)
    assert backfill("validate", "odd.toml", cwd=tmp_path).stderr == ""

"""What a faulty ``[game]`` is told: every fault at once, one line each, before anything is solved."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from backfill.cli import main
from backfill.errors import Faults
from backfill.experiments.align.run import align
from backfill.experiments.config import load_experiment

CONTROL = """
[[measures]]
kind = "export_control"
by = "USA"
products = "tools_and_subsystems"
destinations = "CHN"
coverage = 0.8
from = 2026-01-01
"""
GAME = """
[game]
products = "tools_and_subsystems"
levels = [0.0, 1.0]
from = 2026-07-01
[[game.players]]
region = "NLD"
[[game.players]]
region = "JPN"
[game.threat]
rate = 0.25
cap = 1.0
products = "other_goods"
[game.incentives]
wanted = { NLD = 1.0 }
largest_offer = 1000.0
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def writer(game: str = GAME, measures: str = CONTROL) -> str:
        Path("mine.toml").write_text(f"{measures}\n{game}", encoding="utf-8")
        return "mine.toml"

    return writer


def lines(name: str) -> list[str]:
    with pytest.raises(Faults) as caught:
        load_experiment(name)
    return list(caught.value.lines)


def test_a_sound_game_is_read_and_written_back(write, tmp_path: Path):
    found = load_experiment(write())
    assert found.game is not None
    assert found.game.game.players == ("NLD", "JPN")
    assert (found.game.mode, found.game.threat.credibility) == ("coupled", 0.5)
    (tmp_path / "again.toml").write_text(found.resolved_toml(), encoding="utf-8")
    assert load_experiment("again.toml").game == found.game
    assert "game" not in tomllib.loads(load_experiment("no-controls").resolved_toml())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"NLD"', '"NDL"', 'mine.toml: game.players[1].region: "NDL": did you mean "NLD"'),
        ('"NLD"', '"ally"', "mine.toml: game.players[1].region: \"ally\": stands for several regions"),
        ('"NLD"', '"CHN"', "is one that the controls fall on"),
        ('"NLD"', '"USA"', "is the one whose controls are adopted"),
        ('"NLD"', '"JPN"', "mine.toml: game.players[2].region: \"JPN\": is a player already"),
        ("[0.0, 1.0]", "[0.0, 1.5]", "mine.toml: game.levels[2]: 1.5: must be at most 1"),
        ("[0.0, 1.0]", "[0.0, 0.5]", "mine.toml: game.players[1].asked: 1.0: is not among the levels 0, 0.5"),
        ("[0.0, 1.0]", "[1.0]", "mine.toml: game.levels: [1.0]: must be at least two different levels"),
        ("cap = 1.0", "", "mine.toml: game.threat.cap: is missing"),
        ("rate = 0.25", "rate = -0.5", "mine.toml: game.threat.rate: -0.5: must be above 0"),
        ("cap = 1.0", "cap = 0.1", "mine.toml: game.threat.rate: 0.25: is above the largest duty considered, cap = 0.1"),
        ("{ NLD = 1.0 }", "{ KOR = 1.0 }", "mine.toml: game.incentives.wanted.KOR: 1.0: does not play"),
        ("{ NLD = 1.0 }", "{ NLD = 0.3 }", "mine.toml: game.incentives.wanted.NLD: 0.3: is not among the levels"),
        ("largest_offer = 1000.0", "", "mine.toml: game.incentives.largest_offer: is missing"),
        ("cap = 1.0", "cap = 1.0\ncredbility = 0.5", 'mine.toml: game.threat.credbility: 0.5: did you mean "credibility"?'),
        ("2026-07-01", "2036-07-01", "mine.toml: game.from: 2036-07-01: is outside the horizon"),
        ('region = "JPN"', 'region = "JPN"\ntoday = 1.0', "mine.toml: game.players[2].asked: 1.0: is not above the level today"),
        ('region = "JPN"', 'region = "JPN"\nsecurity_range = [0.1, 0.2]', "does not hold 0, the central one"),
        ('region = "JPN"', 'region = "JPN"\nsecurity_range = [-3.0, 5.0]', "security_range[1]: -3.0: must be at least 0"),
        ('region = "JPN"', 'region = "JPN"\nsecurity_range = [-3.0, 5.0]', "security_range[2]: 5.0: must be at most 1"),
        ('region = "JPN"', 'region = "JPN"\nsecurity_range = [0.0, 0.1, 0.2]', "must be two numbers, low and high"),
        ('[game.threat]', 'year = 2024\n[game.threat]', "mine.toml: game.players[2].year: 2024"),
        ('[[game.players]]', 'year = 2024\n[[game.players]]', "game.year: 2024: must be a year of the game, 2026 to 2030"),
        ('"tools_and_subsystems"', '"tolls"', "mine.toml: game.products"),
        ("[game.threat]", "year = 2040\n[game.threat]", "year"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place_and_remedy(write, old, new, told):
    found = lines(write(GAME.replace(old, new, 1)))
    assert any(told in line for line in found), found


def test_all_faults_at_once(write):
    faulty = GAME.replace("cap = 1.0", "").replace("[0.0, 1.0]", "[0.0, 2.0]").replace("NLD = 1.0", "FRA = 1.0")
    faulty = faulty.replace('region = "JPN"', 'region = "JPAN"')
    found = lines(write(faulty, CONTROL.replace("0.8", "8")))
    for key in (
        "measures[1].coverage",
        "game.levels[2]",
        "game.threat.cap",
        "game.incentives.wanted.FRA",
        "game.players[2]",
    ):
        assert any(key in line for line in found), (key, found)


def test_a_misspelt_player_is_not_proposed_for_its_right_name(write):
    found = lines(write(GAME.replace('region = "NLD"', 'region = "NDL"')))
    assert not any("wanted" in line for line in found), found


def test_players_are_listed_once(write):
    found = lines(write(GAME.replace('"JPN"', '"NLD"').replace("{ NLD = 1.0 }", "{ FRA = 1.0 }")))
    assert any(line.endswith("does not play; players are NLD") for line in found), found


def test_the_mode_of_the_command_line_counts_for_the_number_of_profiles(write):
    levels = ", ".join(f"{n / 20:g}" for n in range(18))
    many = write(GAME.replace("[0.0, 1.0]", f'[{levels}, 1.0]\nmode = "static"'))
    with pytest.raises(Faults, match=r"mine\.toml: game\.levels: .*: 2 players make 361 profiles, of which 243 can be held"):
        align(load_experiment(many), mode="coupled")


def test_too_many_profiles(write):
    names = ["TWN", "KOR", "JPN", "NLD", "EUR", "GBR", "OAL"]
    players = "".join(f'[[game.players]]\nregion = "{name}"\n' for name in names)
    many = GAME.replace('[[game.players]]\nregion = "NLD"\n[[game.players]]\nregion = "JPN"\n', players)
    found = lines(write(many.replace("[0.0, 1.0]", "[0.0, 0.5, 1.0]")))
    told = "7 players make 2,187 profiles, of which 243 can be held; name fewer levels or players, or set mode"
    assert any(told in line for line in found), found


def test_a_move_that_changes_nothing(write):
    found = lines(write(GAME, CONTROL.replace("tools_and_subsystems", "us_accelerators")))
    assert found == [
        'mine.toml: game.with: ["USA"]: has no denial in force on these products on these dates; add an export_control'
    ]


def test_a_game_in_an_included_file_is_not_lost_in_silence(write):
    write()
    Path("other.toml").write_text('include = ["mine"]', encoding="utf-8")
    with pytest.raises(Faults, match=r"game: is not taken over by other\.toml"):
        load_experiment("other.toml")


def test_the_command_line_says_so_with_code_2_and_without_heavy_imports(write):
    name = write(GAME.replace("cap = 1.0", ""))
    script = (
        "import sys\nfrom backfill.cli import main\n"
        f"code = main(['align', {name!r}])\n"
        "heavy = sorted({'jax', 'pyomo', 'highspy', 'altair', 'scipy'} & set(sys.modules))\n"
        "assert not heavy, heavy\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "game.threat.cap: is missing" in done.stderr
    assert not Path("results").exists()


def test_an_experiment_without_a_game(write, capsys):
    assert main(["align", write("")]) == 2
    assert "game: is missing; add a [game] table" in capsys.readouterr().err


def test_a_folder_with_something_else_is_left_alone(write, capsys):
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("mine", encoding="utf-8")
    assert main(["align", write(), "--out", "mine"]) == 2
    assert "is not empty and holds no game" in capsys.readouterr().err

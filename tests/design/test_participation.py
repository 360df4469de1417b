"""What an ally gains by going along, on the shipped benchmark: the design's number and the game's are one."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfill.experiments.align.run import align
from backfill.experiments.config import load_experiment
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.worlds import Worlds
from backfill.experiments.setting import Setting

pytestmark = pytest.mark.slow

CONTROL = """
[[measures]]
kind = "export_control"
name = "Tools"
by = "USA"
products = "tools_and_subsystems"
destinations = ["CHN", "RUS"]
coverage = 0.8
from = 2026-01-01
"""
ALIGN = """
[[measures]]
kind = "alignment"
name = "Align"
region = "JPN"
products = "tools_and_subsystems"
level = 0.5
from = 2026-07-01

[[measures]]
kind = "secondary_tariff"
name = "Duty"
by = "USA"
targets = "JPN"
products = ["other_goods", "electronics"]
rate = 0.2
trigger = { alignment_below = 0.25, products = "tools_and_subsystems" }
from = 2026-07-01

[design.objective]
maximise = "compute denied"

[[design.limits]]
effect = "participation"
region = "JPN"
security = 0.02
credibility = 0.4
at_least = 0.0

[[design.levers]]
measure = "Align"
field = "level"
low = 0.3
high = 0.7
"""
GAME = """
[game]
with = "USA"
products = "tools_and_subsystems"
levels = [0.0, 0.5]
from = 2026-07-01

[[game.players]]
region = "JPN"
asked = 0.5
security = 0.02

[game.threat]
rate = 0.2
cap = 0.4
products = ["other_goods", "electronics"]
credibility = 0.4
steps = 2
"""


def test_the_gain_is_the_difference_of_the_games_pay_offs(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(CONTROL + ALIGN, encoding="utf-8")
    (tmp_path / "game.toml").write_text(CONTROL + GAME, encoding="utf-8")
    experiment = load_experiment(tmp_path / "mine.toml")
    assert experiment.design is not None
    levers = Levers(experiment.design, experiment.policy)
    worlds = Worlds(Setting.of(experiment), levers, load_experiment("no-controls").policy)
    found = worlds.found([levers.start()])[0]
    assert found is not None
    table = align(tmp_path / "game.toml", ranges=False).tables["payoffs"]
    total = dict(table.filter(table["part"] == "total").select("profile", "value").iter_rows())
    place = worlds.asked[1].place
    product = place.discount @ worlds.reference.observed.income[place.periods, :8, place.regions[0]].sum(1)
    expected = (total["JPN 0.5"] - total["JPN 0"]) * product
    assert found.values[1] == pytest.approx(expected, rel=1e-3)

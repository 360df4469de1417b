"""A game on the small economy: two players who sell tools, one who does not matter."""

from __future__ import annotations

import datetime as dt

import pytest

from backfill.experiments.align.file import GameTable
from backfill.experiments.align.policies import Moves
from backfill.experiments.config import Experiment
from backfill.experiments.setting import Setting
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.policy import Policy
from backfill.reference import economy as calibrate
from tests.support import small

CONTROL = ExportControl(
    name="tools", by=("USA",), products=("tools_and_subsystems",), destinations=("CHN",), coverage=0.6,
    begin=dt.date(2023, 1, 1),
)  # fmt: skip


def game_table(mode: str = "coupled", **changes) -> GameTable:
    """Taiwan and Singapore, two levels, retaliation on chips, a duty of 20% on everything they sell."""
    raw = {
        "players": [{"region": ("TWN",), "security": 0.01, "security_range": (0.0, 0.05)}, {"region": ("SGP",)}],
        "products": ("tools_and_subsystems",),
        "levels": (0.0, 1.0),
        "from": dt.date(2023, 1, 1),
        "mode": mode,
        "threat": {"rate": 0.2, "cap": 0.8, "steps": 4, "answered": 0.5},
        "retaliation": {"by": ("CHN",), "products": ("electronics",), "coverage": 0.2},
        "incentives": {"largest_offer": 1e6, "only": True},
    }
    return GameTable.model_validate({**raw, **changes})


@pytest.fixture(scope="session")
def setting() -> Setting:
    """The small economy from 2022 to 2024."""
    names = small.vocabulary()
    economy = calibrate(small.tables(), names, last_year=2024)
    return Setting(economy, names, "perfect", lambda *_: True, None)


@pytest.fixture
def moves() -> Moves:
    return Moves(game_table(), Policy.of([CONTROL]))


@pytest.fixture
def experiment() -> Experiment:
    return Experiment(name="small", title="A small game", policy=Policy.of([CONTROL]), game=game_table())

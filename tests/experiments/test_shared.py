"""Worlds that experiments have in common are solved once, and those beside them are what they are without."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from backfill import kept
from backfill.coupling import Coupling
from backfill.experiments.setting import Setting
from backfill.experiments.started import Started
from backfill.experiments.worlds import Batch, batch, keys_of
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.policy import Policy
from backfill.reference import economy as calibrate
from backfill.world import Status, World
from tests.support import small

TOOLS = ExportControl(
    name="tools", by=("USA",), products=("tools",), destinations=("CHN",), coverage=0.5, begin=dt.date(2023, 1, 1)
)
ALIGN = Alignment(name="align", region=("ally",), products=("tools",), level=0.4, begin=dt.date(2025, 1, 1))


@pytest.fixture(scope="module", params=["perfect", "myopic", "fixed"])
def setting(request: pytest.FixtureRequest) -> Setting:
    vocabulary = small.vocabulary()
    economy = calibrate(small.tables(), vocabulary, last_year=2027, overrides={"learning": 0.15, "experience": 5.0})
    return Setting(economy, vocabulary, request.param, lambda *_: True, None, identity=("small",))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "_folder", tmp_path)
    return tmp_path


def needed(setting: Setting) -> tuple[Batch, Batch]:
    """A policy beside its reference and an older policy; and the last two alone."""
    references = {"none": setting.vintages(Policy(())), "before": setting.vintages(Policy.of((TOOLS,)))}
    return batch({**references, "policy": setting.vintages(Policy.of((TOOLS, ALIGN)))}), batch(references)


def apart(found: dict[str, World], other: dict[str, World]) -> float:
    """Largest relative difference of a price between worlds."""
    pairs = [(found[name].tables.prices["value"], other[name].tables.prices["value"]) for name in found]
    return max(float((a / b - 1).abs().max()) for a, b in pairs)


def test_they_are_what_they_are_alone(setting: Setting):
    every, common = needed(setting)
    together, first = setting.solved(every), setting.solved(every, shared=common)
    assert {world.status for world in first.values()} == {Status.SOLVED}
    assert all(world.rounds > 0 for world in first.values())
    assert apart(first, together) < 1e-5


def test_kept_or_not_numbers_are_the_same(setting: Setting, folder: Path, monkeypatch: pytest.MonkeyPatch):
    every, common = needed(setting)
    solved: list[int] = []
    rounds = Coupling._rounds
    monkeypatch.setattr(Coupling, "_rounds", lambda self, stage: (solved.extend(stage.worlds), rounds(self, stage))[1])
    without = setting.solved(every, shared=common)
    before = len(solved)
    again = setting.solved(every, shared=common)
    own = [place for place, key in enumerate(keys_of(every)) if key not in keys_of(common)]
    assert set(solved[before:]) == set(own)
    assert own
    assert set(solved[:before]) == {*range(len(common.wedges)), *own}
    for name, world in without.items():
        for table in fields(world.tables):
            mine, its = (getattr(one.tables, table.name) for one in (world, again[name]))
            assert_frame_equal(mine, its, check_exact=True)
        assert world.checks == again[name].checks


def test_another_economy_has_its_own(setting: Setting, folder: Path):
    every, common = needed(setting)
    setting.solved(every, shared=common)
    count = len(list(folder.iterdir()))
    replace(setting, identity=("another",)).solved(every, shared=common)
    assert len(list(folder.iterdir())) > count


def test_where_one_of_them_fails_all_are_solved_together(setting: Setting, folder: Path, monkeypatch: pytest.MonkeyPatch):
    every, common = needed(setting)
    alone = setting.solved(every)
    solve, calls = Started.solving, []

    def failing(*arguments):
        coupling = solve(*arguments)
        calls.append(arguments[3])
        if len(calls) == 1:
            coupling.failures[0] = slice(0, 1)
        return coupling

    monkeypatch.setattr(Started, "solving", failing)
    found = setting.solved(every, shared=common)
    assert calls == [{}, {}]
    assert apart(found, alone) == 0


def test_room_is_made_by_bytes_too(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "MOST_BYTES", 2500)
    for number in range(3):
        kept.keep(np.zeros(100), "array", number)
    assert kept.recalled("array", 0) is None
    assert kept.recalled("array", 2) is not None

"""Where stocking up for a duty just begins to pay, orders have a kink; worlds there have an answer all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import backfill
from tests.bench_sweep import COUPLED

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("coverage", "level", "rate"),
    [(0.922161, 0.434278, 0.195274), (0.349033, 0.295901, 0.193898), (0.398154, 0.471151, 0.196536)],
)
def test_where_stocking_up_just_begins_there_is_a_world(tmp_path: Path, coverage: float, level: float, rate: float):
    """A duty of half a year and then of a whole one costs about what a unit loses in store at rates near .19."""
    text = COUPLED.partition("[sweep]")[0]
    for field, written, moved in (("coverage", 0.8, coverage), ("level", 0.5, level), ("rate", 0.25, rate)):
        assert f"{field} = {written}" in text
        text = text.replace(f"{field} = {written}", f"{field} = {moved}")
    (tmp_path / "duty.toml").write_text(text)
    result = backfill.run(tmp_path / "duty.toml", ranges=False)
    assert result.status.name == "SOLVED", result.message

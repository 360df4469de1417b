"""Closures of deficits on the shipped benchmark."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from backfill.economy.tables import load_tables
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.world import Status, solve_world
from tests.benchmark.policies import closed

pytestmark = pytest.mark.slow
YEAR = "2024"


def acquired(world) -> float:
    flows = world.tables.flows.filter((pl.col("user") == "CHN") & (pl.col("period") == YEAR))
    return flows.filter(pl.col("product").str.starts_with("accelerators"))["quantity"].sum()


@pytest.fixture(scope="module")
def denied(names):
    """Compute that a ban on frontier accelerators denies, thousand H100e, by closure; every world is solved."""
    out = {}
    for closure in ("fixed", "proportional", "balanced"):
        economy = calibrate(load_tables(), names, last_year=2024, closure=closure)
        ban = closed(names, economy.periods, {("accelerators_frontier", "USA"): 0.9})
        free, banned = solve_world(economy, [Wedges.none(names, economy.periods), ban])
        assert (free.status, banned.status) == (Status.SOLVED, Status.SOLVED), (closure, free.message, banned.message)
        use = (
            load_tables().compute_use.filter((pl.col("user") == "CHN") & (pl.col("year") == int(YEAR)))["kh100e"].sum()
        )
        assert acquired(free) == pytest.approx(use, rel=1e-8), closure
        income = banned.tables.income.filter((pl.col("item") == "deficit") & (pl.col("period") == YEAR))[
            "value"
        ].to_numpy()
        assert abs(income.sum()) <= 1e-6 * np.abs(income).sum() + 1e-9, closure
        assert (np.abs(income).max() == 0) == (closure == "balanced")
        out[closure] = acquired(free) - acquired(banned)
    return out


def test_what_a_ban_denies_hardly_depends_on_what_happens_to_deficits(denied):
    assert denied["fixed"] > 0
    assert denied["proportional"] == pytest.approx(denied["fixed"], rel=0.02)
    assert denied["balanced"] == pytest.approx(denied["fixed"], rel=0.1)

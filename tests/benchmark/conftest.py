"""The shipped benchmark, calibrated once, and the worlds that several tests read."""

from __future__ import annotations

import pytest

from backfill.economy.tables import load_tables, load_vocabulary
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.world import solve_world
from tests.benchmark.policies import ALLIES, TOOLS, closed, tools


@pytest.fixture(scope="session")
def names():
    return load_vocabulary()


@pytest.fixture(scope="session")
def economy(names):
    return calibrate(load_tables(), names)


@pytest.fixture(scope="session")
def worlds(economy, names):
    abroad = tuple(region for region in names.regions if region != "CHN")
    periods = economy.periods
    policies = {
        "none": Wedges.none(names, periods),
        "alone": closed(names, periods, tools(("USA",))),
        "aligned": closed(names, periods, tools(("USA", *ALLIES))),
        "advanced": closed(names, periods, {(tool, "USA"): 0.6 for tool in TOOLS}, advanced=True),
        "gated": closed(names, periods, {(tool, origin): 1.0 for tool in TOOLS for origin in abroad}, advanced=True),
        "chips": closed(names, periods, {("accelerators_frontier", "USA"): 0.9}),
    }
    return dict(zip(policies, solve_world(economy, list(policies.values())), strict=True))

"""The same tables through the solver of coupled worlds, with its measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import backfill
from backfill.policy.wedges import Wedges
from tests.hats.tables import random_tables, routes


@pytest.fixture(scope="module")
def economy():
    return backfill.Economy.from_tables(**random_tables(5, 3, 12))


@pytest.fixture(scope="module")
def added(economy) -> np.ndarray:
    """Tariffs that a policy adds to those of the base."""
    return np.random.default_rng(2).choice([0.0, 0.2], size=economy.accounts.flow.shape)


@pytest.fixture(scope="module")
def coverage(economy) -> np.ndarray:
    """What a policy closes."""
    shape = economy.accounts.flow.shape
    chosen = np.random.default_rng(3).random(shape) < 0.2
    return np.where(chosen & ~np.eye(shape[1], dtype=bool), 0.6, 0.0)


@pytest.fixture(scope="module")
def worlds(economy, added, coverage):
    """Without a policy, and with it."""
    none = Wedges.none(economy.structure.vocabulary, economy.periods)
    found = backfill.solve_world(economy, [none, replace(none, coverage=coverage[None], tariff=added[None])])
    for world in found:
        assert world.status.name == "SOLVED", world.message
    return found


def flows(world, economy) -> np.ndarray:
    """Value before tariff, ``[product, origin, destination]``, as shares of world value added."""
    names = list(economy.structure.products), list(economy.structure.regions)
    table = world.tables.flows.select("product", "origin", "destination", pl.col("fob_value"))
    array = np.zeros_like(economy.accounts.flow)
    for row in table.iter_rows(named=True):
        place = names[0].index(row["product"]), names[1].index(row["origin"]), names[1].index(row["destination"])
        array[place] = row["fob_value"]
    return array / economy.accounts.unit


def test_base_is_reproduced(economy, worlds):
    np.testing.assert_allclose(flows(worlds[0], economy), economy.accounts.flow, rtol=1e-7, atol=1e-12)


def test_tariffs_and_controls_agree_with_the_solution_in_hats(economy, worlds, added, coverage):
    """Policies add tariffs to those of the base; a control's coverage is one minus availability."""
    world = worlds[1]
    names = list(economy.structure.regions), list(economy.structure.products)
    rates = (1 + economy.accounts.tariff) * (1 + added) - 1
    hats = economy.solve(
        tariffs=routes(rates, "rate", *names),
        export_controls=routes(1 - coverage, "availability", *names, absent=1.0),
    )
    scale = flows(world, economy).sum() / hats.flow.sum()
    np.testing.assert_allclose(flows(world, economy) / scale, hats.flow, rtol=1e-6, atol=1e-10)
    assert scale == pytest.approx(1.0, rel=1e-6)

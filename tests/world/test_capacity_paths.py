"""Capacities whose reference path is given: mature chips of one region on the small economy."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.world import Status, solve_world
from tests.support import small

INDEX = {2022: 1.0, 2023: 1.1, 2024: 1.25, 2025: 1.3}
NODE = ("logic_mature", "CHN")


@pytest.fixture(scope="module")
def tables():
    given = small.tables()

    def more(frame: pl.DataFrame, rows: list[tuple]) -> pl.DataFrame:
        return pl.concat([frame, pl.DataFrame(rows, frame.schema, orient="row")])

    given.nodes = more(given.nodes, [(*NODE, "CHN", 0.1, 0, 1.0)])
    given.capacity = more(given.capacity, [(year, *NODE, 1.0, 0.3) for year in (2022, 2023, 2024)])
    given.tool_needs = more(given.tool_needs, [(*NODE, tool, 1.0) for tool in small.TOOLS])
    given.capacity_paths = more(given.capacity_paths, [(year, *NODE, index) for year, index in INDEX.items()])
    return given


@pytest.fixture(scope="module")
def economy(tables):
    return calibrate(tables, small.vocabulary(), last_year=2025)


def test_capacity_follows_its_path_and_is_held_after_its_last_year(economy):
    node = economy.structure.nodes.index(NODE)
    capacity = np.asarray(economy.capacity.reference)[:, node]
    expected = [*INDEX.values(), *[INDEX[2025]] * (len(capacity) - len(INDEX))]
    np.testing.assert_allclose(capacity / capacity[0], expected, rtol=1e-10)


def test_a_shift_of_tastes_makes_no_composite_cheaper_at_base_prices(economy):
    preferences = economy.parameters.preferences
    sigma = preferences.sigma[:, :, None, None]
    index = (preferences.weight * (1 + preferences.tariff) ** (1 - sigma)).sum(2)
    np.testing.assert_allclose(index, 1.0, rtol=1e-12)
    product, region = economy.structure.position(NODE[0]), economy.structure.region(NODE[1])
    share = preferences.weight[:, product, region]
    assert (share[2] > share[0]).all(), "every buyer turns towards the maker that must sell more than demand asks for"
    others = np.delete(np.arange(len(economy.structure.products)), product)
    np.testing.assert_array_equal(preferences.weight[2][others], preferences.weight[0][others])


def test_what_mature_builders_add_takes_every_tool_that_advanced_builders_leave(tables, economy):
    """``sum_g need_g I_g = purchases`` of the base year by type, nothing left as an input of chips or for final use."""
    capacity, shape = economy.capacity, economy.structure
    builders = [n for n, (_, region) in enumerate(shape.nodes) if region == "CHN"]
    planned = (np.asarray(capacity.additions)[0, builders, None] * np.asarray(capacity.tool_need)[builders]).sum(0)
    for tool in small.TOOLS:
        bought = tables.flows.filter((pl.col("product") == tool) & (pl.col("destination") == "CHN"))["value_musd"].sum()
        place = shape.position(tool)
        assert planned[place] == pytest.approx(bought, rel=1e-9)
        production = economy.parameters.production
        assert production.inputs[0, place, shape.position(NODE[0]), shape.region("CHN")] == pytest.approx(0, abs=1e-9)
        assert production.inputs[0, place, shape.position(NODE[0]), shape.region("TWN")] > 0


@pytest.mark.slow
def test_without_policy_the_given_path_is_a_solution(economy):
    world = solve_world(economy, [Wedges.none(economy.structure.vocabulary, economy.periods)])[0]
    assert world.status is Status.SOLVED, world.message
    assert world.rounds == 1

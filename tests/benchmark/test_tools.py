"""What controls on tools must do on the shipped benchmark: who is reached, who fills in, what is built."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from backfill.economy.tables import load_tables
from backfill.world import Status
from tests.benchmark.policies import ALLIES, TOOLS, capacity, sales

ADVANCED = ("logic_advanced", "hbm", "packaging")
MATURE = ("logic_mature", "memory")
COVERED = 0.8


def node(economy, product: str) -> int:
    return economy.structure.nodes.index((product, "CHN"))


def test_planned_builders_buy_every_tool_sold_to_china(economy, worlds):
    capacities, shape = economy.capacity, economy.structure
    builders = [n for n, (_, region) in enumerate(shape.nodes) if region == "CHN"]
    planned = (np.asarray(capacities.additions)[0, builders, None] * np.asarray(capacities.tool_need)[builders]).sum(0)
    for tool in TOOLS:
        bought = load_tables().flows.filter((pl.col("product") == tool) & (pl.col("destination") == "CHN"))["value_musd"].sum()
        assert planned[shape.position(tool)] == pytest.approx(bought, rel=1e-3)


def test_without_controls_sales_of_tools_to_china_rise_and_then_settle(worlds):
    """Billings there were 28.3, 36.6 and 49.6 bn USD in 2022 to 2024 (SEMI), China's own tools and stockpiling included."""
    flows = worlds["none"].tables.flows.filter(
        pl.col("product").is_in(TOOLS) & (pl.col("destination") == "CHN") & (pl.col("origin") != "CHN")
    )
    sold = flows.group_by("period").agg(pl.col("fob_value").sum()).sort("period")["fob_value"].to_numpy()
    assert 1.2 < sold[1] / sold[0] < 36.6 / 28.3
    assert 1.3 < sold[2] / sold[0] < 49.6 / 28.3
    assert (np.abs(sold[4:] / sold[3:-1] - 1) < 0.07).all(), "no cliff at the end of the published path"


def largest_answer(economy) -> float:
    """How much more an uncovered builder of mature capacity can add when the US close ``COVERED`` of the others.

    Expected rents rise at most by what dearer tools cost the covered, ``sum_k need_k [(1-s_k)^(1/(1-sigma_k)) - 1]`` with
    ``s`` the US share; beyond that the covered would add more than without the control. Additions answer by a unit of
    value over the slope of cost.
    """
    shape, capacities = economy.structure, economy.capacity
    n = node(economy, "logic_mature")
    tables, rise = load_tables(), 0.0
    for tool in TOOLS:
        flows = tables.flows.filter((pl.col("product") == tool) & (pl.col("destination") == "CHN"))
        share = flows.filter(pl.col("origin") == "USA")["value_musd"].sum() / flows["value_musd"].sum()
        sigma = float(np.asarray(economy.parameters.preferences.sigma)[0, shape.position(tool)])
        rise += float(np.asarray(capacities.tool_need)[n, shape.position(tool)]) * ((1 - share) ** (1 / (1 - sigma)) - 1)
    return 1 + rise / float((np.asarray(capacities.slope) * np.asarray(capacities.additions))[2, n])


def test_a_country_wide_control_by_the_us_cuts_its_sales_by_about_the_covered_share(economy, worlds):
    """The covered buy nothing; the uncovered buy no less, and more by at most `largest_answer` (US prices within 10%)."""
    kept = sales(worlds["alone"], TOOLS, ("USA",)) / sales(worlds["none"], TOOLS, ("USA",))
    assert 0.9 * (1 - COVERED) < kept < 1.1 * (1 - COVERED) * largest_answer(economy)
    assert kept < 0.4


def test_allies_fill_much_of_it_until_they_align(worlds):
    lost, filled = (
        {name: sign * (sales(worlds["none"], TOOLS, of) - sales(worlds[name], TOOLS, of)) for name in ("alone", "aligned")}
        for sign, of in ((1, ("USA",)), (-1, ALLIES))
    )
    assert 0.3 < filled["alone"] / lost["alone"] < 1
    assert filled["aligned"] < 0, "their own sales to the covered are gone"
    for product in MATURE:
        none, alone, aligned = (capacity(worlds[name], product)[-1] for name in ("none", "alone", "aligned"))
        assert aligned < 0.95 * alone < 0.9 * none


def test_a_control_of_advanced_builders_leaves_mature_capacity_and_sales_as_they_are(worlds):
    for product in MATURE:
        np.testing.assert_allclose(capacity(worlds["advanced"], product), capacity(worlds["none"], product), rtol=5e-3)
    assert sales(worlds["advanced"], TOOLS, ("USA",)) == pytest.approx(sales(worlds["none"], TOOLS, ("USA",)), rel=0.02)
    for product in ADVANCED:
        assert capacity(worlds["advanced"], product)[-1] < 0.97 * capacity(worlds["none"], product)[-1]


def test_a_full_control_gates_the_capacities_of_covered_builders(economy, worlds):
    """Nothing is added from 2023 on, what was decided before arrives, and the rest wears out; mature builders go on."""
    world = worlds["gated"]
    assert world.status is Status.SOLVED, world.message
    for product in ADVANCED:
        n = node(economy, product)
        built = world.tables.capacity.filter((pl.col("product") == product) & (pl.col("region") == "CHN")).sort("period")
        assert built["addition"][1:].max() <= 1e-9 * economy.capacity.reference[0, n]
        first = economy.lags[n] + 1
        path = capacity(world, product)
        np.testing.assert_allclose(path[first + 1 :], path[first:-1] * (1 - economy.capacity.depreciation[n]), rtol=1e-9)
    for product in MATURE:
        np.testing.assert_allclose(capacity(world, product), capacity(worlds["none"], product), rtol=2e-2)

"""What the literature on export controls finds, as signs on the shipped benchmark (docs/validity.md explains the exceptions).

Bans hurt the target more than the sender, third parties gain, a coalition's cost per member falls with its breadth, secondary
tariffs deter, and small controls may pay the sender by its terms of trade.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from backfill.policy.wedges import Wedges
from backfill.world import Status, solve_world
from tests.benchmark.policies import ALLIES, closed, tools

pytestmark = pytest.mark.slow


def absorption(world, region: str) -> np.ndarray:
    """Real absorption by period, million USD."""
    rows = world.tables.income.filter((pl.col("region") == region) & (pl.col("item") == "real_absorption"))
    return rows.sort("period")["value"].to_numpy()


def loss(world, reference, region: str) -> float:
    """Present value of real absorption lost, million USD."""
    gone = absorption(reference, region) - absorption(world, region)
    return float((0.94 ** np.arange(len(gone)) * gone).sum())


def share_lost(world, reference, region: str) -> float:
    return loss(world, reference, region) / float(absorption(reference, region).sum())


def test_a_ban_on_accelerators_hurts_the_target_more_than_the_sender(worlds):
    banned, free = worlds["chips"], worlds["none"]
    assert loss(banned, free, "CHN") > 0
    assert share_lost(banned, free, "CHN") > share_lost(banned, free, "USA")


def test_a_ban_by_the_us_alone_lets_allied_toolmakers_sell_more(worlds):
    def sold(name: str) -> float:
        flows = worlds[name].tables.flows
        chosen = pl.col("origin").is_in(ALLIES) & pl.col("product").is_in(["deposition_etch", "process_control_test"])
        return flows.filter(chosen & (pl.col("user") == "CHN"))["fob_value"].sum()

    assert sold("alone") > sold("none")


@pytest.fixture(scope="module")
def coalitions(economy, names):
    """Tools closed to advanced builders by one, three and five of those who sell them."""
    members = (("USA",), ("USA", "NLD"), ("USA", "NLD", "JPN", "KOR"))
    policies = [closed(names, economy.periods, tools(who, 0.8)) for who in members]
    return dict(zip(members, solve_world(economy, policies), strict=True))


def test_the_broader_the_coalition_the_less_each_us_sale_forgone_is_filled_by_others(coalitions, worlds):
    filled = []
    for who, world in coalitions.items():
        assert world.status is Status.SOLVED, world.message
        flows, free = world.tables.flows, worlds["none"].tables.flows
        tool = pl.col("product").is_in(["lithography", "deposition_etch", "process_control_test"]) & (pl.col("user") == "CHN")
        inside = pl.col("origin").is_in(who)
        lost = free.filter(tool & inside)["fob_value"].sum() - flows.filter(tool & inside)["fob_value"].sum()
        others = ~inside & (pl.col("origin") != "CHN")
        gained = flows.filter(tool & others)["fob_value"].sum() - free.filter(tool & others)["fob_value"].sum()
        filled.append(gained / lost)
    assert filled == sorted(filled, reverse=True)
    assert filled[0] > filled[-1]


def test_a_secondary_tariff_costs_its_target_more_than_alignment_on_tools(economy, names, worlds):
    """What makes a threat deter: for an ally that sells much to the sender the duty is dearer than the sales given up."""
    wedges = Wedges.none(names, economy.periods)
    rate = wedges.tariff.copy()
    rate[1:, :, names.regions.index("JPN"), names.regions.index("USA")] = 0.25
    hit, aligned = solve_world(
        economy, [dataclasses.replace(wedges, tariff=rate), closed(names, economy.periods, tools(("JPN",)))]
    )
    assert loss(hit, worlds["none"], "JPN") > loss(aligned, worlds["none"], "JPN") > 0


def test_a_small_levy_on_accelerators_pays_the_sender_by_its_terms_of_trade(economy, names, worlds):
    wedges = Wedges.none(names, economy.periods)
    levy = wedges.levy.copy()
    row, us = names.products.index("accelerators_frontier"), names.regions.index("USA")
    levy[1:, row, us, names.regions.index("CHN")] = 0.05
    (world,) = solve_world(economy, [dataclasses.replace(wedges, levy=levy)])
    assert world.status is Status.SOLVED, world.message
    assert loss(world, worlds["none"], "USA") < 0
    assert loss(world, worlds["none"], "CHN") > 0

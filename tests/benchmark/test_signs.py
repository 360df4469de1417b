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
from tests.benchmark.policies import ALLIES, capacity, closed, tools

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
    """Tools closed by one, two and four of those who sell them."""
    members = (("USA",), ("USA", "NLD"), ("USA", "NLD", "JPN", "KOR"))
    policies = [closed(names, economy.periods, tools(who, 0.8)) for who in members]
    return dict(zip(members, solve_world(economy, policies), strict=True))


def test_the_broader_the_coalition_the_less_is_filled_by_others(coalitions, worlds):
    """Others fill most of what the US alone stops selling. Once a second maker of what cannot be replaced has joined, plants
    that lack one type of tool do not buy the others: nothing is filled and others lose too, so that what is sold in all, and
    not what members lose each, falls with every one who joins.
    """
    tool = pl.col("product").is_in(["lithography", "deposition_etch", "process_control_test"]) & (pl.col("user") == "CHN")

    def sold(world, *, by: pl.Expr) -> float:
        return world.tables.flows.filter(tool & by & (pl.col("origin") != "CHN"))["fob_value"].sum()

    filled, gone, built = [], [], []
    for who, world in coalitions.items():
        assert world.status is Status.SOLVED, world.message
        inside = pl.col("origin").is_in(who)
        lost = sold(worlds["none"], by=inside) - sold(world, by=inside)
        gained = sold(world, by=~inside) - sold(worlds["none"], by=~inside)
        filled.append(max(gained, 0.0) / lost)
        gone.append(lost - gained)
        built.append(capacity(world)[-1])
    assert filled[0] > 0.5
    assert filled[1:] == [0.0] * (len(filled) - 1)
    assert gone == sorted(gone)
    assert built == sorted(built, reverse=True)


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

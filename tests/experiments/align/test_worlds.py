"""Worlds of a game against worlds solved one by one, and against the effects' own arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from backfill.effects.comparison import Comparison, routes
from backfill.effects.leakage import denial
from backfill.effects.welfare import present_values
from backfill.experiments.align.coupled import Queue
from backfill.experiments.align.policies import Moves
from backfill.experiments.align.solve import Coupled, Static
from backfill.experiments.align.static import static_accounts
from backfill.experiments.worlds import batch
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges
from backfill.world import solve_world
from tests.experiments.align.conftest import CONTROL, game_table

SAME = 2e-7
"""As a share of GDP: what worlds solved along other ways may differ by."""


def alone(setting, policy: Policy):
    """A world by itself, from the reference, with what was known before."""
    needed = batch({"it": setting.vintages(policy)})
    (world,) = solve_world(
        setting.economy,
        needed.wedges,
        foresight=setting.foresight,
        departs=needed.departs,
        wanted=[needed.position["it"]],
    )
    assert world.status.name == "SOLVED", world.message
    return world


def compared(setting, reference, world) -> Comparison:
    return Comparison(
        scenario="p", reference_name="r", reference=reference.tables, policy=world.tables, downstream=world.tables,
        controlled=routes([]), vocabulary=setting.vocabulary, periods=world.periods, discount=world.discount,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("foresight", ["perfect", "myopic"])
def test_every_profile_is_the_world_solved_alone(setting, foresight):
    """The game counts from its first period on; here that is the first of all."""
    early = game_table(**{"from": setting.economy.periods[0].start})
    moves = Moves(early, Policy.of([CONTROL]))
    setting = replace(setting, foresight=foresight)
    found = Coupled(setting, moves, None).worlds(Policy(), 0.2)
    reference = alone(setting, Policy())
    regions = list(setting.vocabulary.regions)
    for kind, profile, account in found.all:
        assert account.failure == ""
        tariffs = moves.joint(profile, 0.2) if kind == "tariff carried out" else None
        world = alone(setting, moves.policy(profile, tariffs, retaliation=kind != "without retaliation"))
        both = compared(setting, reference, world)
        worth = dict(present_values(both).select("region", "value").iter_rows())
        mine = found.window.welfare(account, found.reference) * found.window.gdp(found.reference)
        np.testing.assert_allclose(
            mine / found.window.gdp(found.reference),
            [worth[r] for r in regions] / found.window.gdp(found.reference),
            atol=SAME,
        )
        weighted = denial(both).filter(pl.col("period") != "all").join(both.weights(), on="period")
        denied, before = weighted.select((pl.col("denied", "reference") * pl.col("weight")).sum()).row(0)
        assert found.window.denied(account, found.reference) == pytest.approx(denied / before, abs=1e-5)


def test_a_world_next_door_is_the_world_from_far_away(setting, moves):
    game = moves.game
    policies = {p: setting.vintages(moves.policy(p)) for p in game.profiles()}
    far = Queue(setting, 0).accounts({str(p): v for p, v in policies.items()})
    queue = Queue(setting, 0)
    queue.accounts({"today": policies[0, 0]})
    near = queue.accounts({str(p): v for p, v in policies.items()}, {str(p): [(1.0, policies[0, 0])] for p in policies})
    for name, account in far.items():
        np.testing.assert_allclose(near[name].real, account.real, rtol=1e-6)
        np.testing.assert_allclose(near[name].acquired, account.acquired, rtol=1e-5)


def test_without_a_policy_the_static_world_is_the_reference(setting):
    world = alone(setting, Policy())
    for at in range(3):
        neutral = Wedges.none(setting.vocabulary, setting.economy.periods[at : at + 1])
        (found,) = static_accounts(setting.economy, [neutral], at, 0)
        assert found.failure == ""
        shown = world.tables.income.filter(pl.col("period") == setting.economy.periods[at].label)
        real = shown.filter(pl.col("item") == "real_absorption")
        wanted = dict(real.select("region", "value").iter_rows())
        np.testing.assert_allclose(found.real[0], [wanted[r] for r in setting.vocabulary.regions], rtol=1e-7)


def test_static_worlds_in_one_batch_are_those_solved_one_by_one(setting, moves):
    static = Static(setting, moves, Policy())
    found = static.worlds(0.2)
    sender = static.sender
    for kind, profile, account in found.all:
        rates = moves.joint(profile, 0.2) if kind == "tariff carried out" else {}
        one = ("unanswered" if kind == "without retaliation" else "world", profile, *rates.items())
        (single,) = static_accounts(setting.economy, static._wedges([one]), static.at, sender)
        assert account.failure == single.failure == ""
        np.testing.assert_allclose(account.real, single.real, rtol=1e-8)
        np.testing.assert_allclose(account.trade.in_volume, single.trade.in_volume, rtol=1e-6, atol=1e-6)


def test_terms_of_trade_of_the_same_world_are_nothing_and_change_sides_with_it(setting, moves):
    static = Static(setting, moves, Policy())
    found = static.worlds(0.2)
    before, after = found.peaceful[0, 0], found.threatened[0, 0]
    assert not before.trade.terms_of_trade(before.trade).any()
    gain = before.trade.terms_of_trade(after.trade)
    assert gain[0] * after.trade.terms_of_trade(before.trade)[0] < 0


def test_who_is_hit_and_who_answers(moves):
    """At (0, 1) Singapore is aligned: the duty falls on Taiwan, which answers with half of it; China retaliates on Singapore."""
    policy = moves.policy((0, 1), moves.joint((0, 1), 0.2))
    told = {(m.kind, m.name) for m in policy.measures}
    assert ("alignment", "SGP aligns") in told
    assert {name for kind, name in told if kind == "tariff"} == {"Duty on TWN", "Answer of TWN"}
    rates = {m.name: m.rate for m in policy.measures if m.kind == "tariff"}
    assert rates == {"Duty on TWN": 0.2, "Answer of TWN": 0.1}
    (retaliation,) = [m for m in policy.measures if m.name.startswith("Retaliation")]
    assert retaliation.destinations == ("SGP",)
    assert not [m for m in moves.policy((0, 1), retaliation=False).measures if m.name.startswith("Retaliation")]

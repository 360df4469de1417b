"""Static worlds: markets and builders solved together from the reference's slopes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.policy.wedges import Limit, Wedges, stacked
from backfill.static import StaticPeriod, StaticWorlds
from backfill.trade.equilibrium import solve
from backfill.trade.market import node_matrix
from tests.trade.worlds import YEAR, cap, lanes_of, no_policy, policy, sites_at, small_economy

ROOT = Path(__file__).resolve().parents[2]
INTO_USA = (None, None, "USA")


@lru_cache(maxsize=1)
def period() -> StaticPeriod:
    return StaticPeriod(small_economy(), YEAR)


def near_and_far() -> list[Wedges]:
    """No policy, duties up to the hundredfold, closed flows, half-covered accelerators and tools, quotas."""
    economy, draw = small_economy(), np.random.default_rng(3)
    shape, chips = economy.structure, ("accelerators_frontier", "USA", "CHN")
    closed: dict[tuple[str, str, str], float] = {}
    while len(closed) < 9:
        i, j = draw.choice(len(shape.regions), 2, replace=False)
        closed[shape.products[draw.integers(len(shape.products))], shape.regions[i], shape.regions[j]] = 1.0
    tools = {(shape.products[n], "USA", "CHN"): 0.6 for n in shape.tools}
    return [
        no_policy(economy),
        policy(economy, tariff={INTO_USA: 0.25}),
        policy(economy, tariff={INTO_USA: 100.0}),
        policy(economy, coverage=closed),
        policy(economy, coverage={chips: 1.0}),
        policy(economy, coverage={chips: 0.5, **tools}),
        policy(economy, limits=[cap(economy, *chips, 1.0)]),
        policy(economy, limits=[cap(economy, "electronics", "CHN", "USA", 1.0, "importer")], tariff={INTO_USA: 0.1}),
    ]


@lru_cache(maxsize=1)
def solved() -> StaticWorlds:
    return period().solve(near_and_far())


def test_a_cap_beside_coverage_counts_what_the_buyers_left_buy():
    economy, chips = small_economy(), ("accelerators_frontier", "USA", "CHN")
    limit = [cap(economy, *chips, 1.0)]
    found = period().solve(
        [
            policy(economy, limits=limit),
            policy(economy, coverage={chips: 0.5}, limits=limit),
            policy(economy, coverage={chips: 0.999}, limits=limit),
            policy(economy, coverage={chips: 0.999}),
        ]
    )
    shape = economy.structure
    sold = found.seen.handling.deliveries[:, shape.makers.index(chips[:2]), shape.region("CHN")]
    rent = found.seen.state.limit_rent[:, 0]
    np.testing.assert_allclose(sold[:2], 1.0, rtol=1e-9)
    assert rent[0] > rent[1] > 0
    assert sold[2] < 0.9
    np.testing.assert_allclose(sold[2], sold[3], rtol=1e-9)
    assert rent[2] == rent[3] == 0


def assert_same(one: StaticWorlds, other: StaticWorlds, apart: float = 1e-9) -> None:
    np.testing.assert_allclose(one.vector, other.vector, atol=apart)
    np.testing.assert_allclose(one.additions, other.additions, atol=apart * np.abs(other.additions).max())
    np.testing.assert_allclose(one.seen.flows.quantity, other.seen.flows.quantity, rtol=1e-7, atol=1e-7)


def test_without_a_policy_nothing_moves():
    reference = np.asarray(small_economy().reference_state)[YEAR]
    found = period().solve([no_policy(small_economy())])
    np.testing.assert_allclose(found.vector[0], reference, atol=1e-9)
    added = np.asarray(small_economy().capacity.additions)[YEAR]
    np.testing.assert_allclose(found.additions[0].sum(1), added, rtol=1e-8)


def test_near_and_far_worlds_are_those_of_markets_solved_without_slopes_at_these_additions():
    economy, found = small_economy(), solved()
    assert found.converged.all(), (found.steps, found.residual)
    lane, start = lanes_of(economy, near_and_far())
    bought = np.zeros(lane.plan.purchases.shape)
    for node, column in enumerate(node_matrix(economy.structure)[1]):
        added = found.additions[:, node, : bought.shape[2]]
        bought[..., column] += np.asarray(economy.capacity.tool_need)[node][None, :, None] * added[:, None]
    share = np.asarray(lane.barriers.builder_share)
    added = found.additions[..., : share.shape[1]]
    outlays = sites_at(economy, share).outlays(economy.structure, np.asarray(economy.capacity.tool_need), added)
    lane = eqx.tree_at(lambda x: (x.plan.purchases, x.plan.outlays), lane, (bought, outlays))
    plain = solve(economy.structure, lane, start, tolerance=1e-12)
    assert (plain.residual < 1e-10).all()
    np.testing.assert_allclose(found.vector, plain.vector, atol=1e-8)


def test_tighter_quotas_than_those_flows_bind():
    """Both quotas hold exactly and earn rents."""
    rents = solved().vector[6:, -2:]
    use, room = solved().seen.limit_use[6:], solved().seen.limit_room[6:]
    binding = np.isfinite(room)
    assert binding.sum() == 2
    np.testing.assert_allclose(use[binding], room[binding], rtol=1e-8)
    assert (rents[binding] > 0).all()
    assert not rents[~binding].any()


def test_worlds_near_the_reference_need_few_evaluations():
    assert period().solve([near_and_far()[1]]).steps[0] <= 12


def test_many_worlds_keep_their_places():
    """The farthest first, one of them too far for a first try: they are solved in another order than they are given in."""
    duties = np.array([100.0, *np.linspace(0.5, 0.0, 19)])
    found = period().solve([policy(small_economy(), tariff={INTO_USA: duty}) for duty in duties])
    assert found.converged.all()
    for n in (0, 7, 19):
        alone = period().solve([policy(small_economy(), tariff={INTO_USA: duties[n]})])
        np.testing.assert_allclose(found.vector[n], alone.vector[0], atol=1e-9)
        np.testing.assert_allclose(found.seen.flows.quantity[n], alone.seen.flows.quantity[0], rtol=1e-7, atol=1e-7)


@pytest.mark.slow
def test_where_worlds_start_from_does_not_change_them():
    around = StaticPeriod(small_economy(), YEAR, [near_and_far()[n] for n in (4, 5)])
    assert len(around.anchors) == 3
    assert_same(around.solve(near_and_far()), solved(), 1e-8)


def test_worlds_start_from_the_rents_of_limits_next_door():
    economy, chips = small_economy(), ("accelerators_frontier", "USA", "CHN")
    capped = [policy(economy, limits=[cap(economy, *chips, size)]) for size in (0.8, 1.0, 0.9)]
    alone = period().solve(capped[2:])
    around = StaticPeriod(economy, YEAR, capped[:2])
    near = around.solve(capped[2:])
    assert near.vector[0, -1] > 0
    np.testing.assert_allclose(near.vector, alone.vector, atol=1e-8)
    assert near.steps[0] <= alone.steps[0] - 3
    np.testing.assert_allclose(around.around.vector, period().solve(capped[:2]).vector, atol=1e-8)


def test_what_only_preparing_needs_can_be_dropped():
    before = period().solve(near_and_far()[:2]).vector
    period().release()
    np.testing.assert_array_equal(period().solve(near_and_far()[:2]).vector, before)


def test_a_world_that_fails_is_alone():
    economy = small_economy()
    bad = policy(economy, tariff={INTO_USA: np.nan})
    found = period().solve([near_and_far()[1], bad, near_and_far()[4]])
    assert found.converged.tolist() == [True, False, True]
    assert [bool(why) for why in found.failures] == [False, True, False]
    alone = period().solve([near_and_far()[1], near_and_far()[4]])
    np.testing.assert_allclose(found.vector[[0, 2]], alone.vector, atol=1e-9)


def test_stacked_worlds_are_the_same_worlds():
    again = period().solve(stacked(near_and_far()))
    np.testing.assert_array_equal(again.vector, solved().vector)


def test_only_wedges_of_one_period_are_stacked():
    economy = small_economy()
    with pytest.raises(ValueError, match="one period"):
        stacked([Wedges.none(economy.structure.vocabulary, economy.periods[:2])])


def test_stacked_limits_of_one_name_may_count_other_flows():
    economy = small_economy()
    limit = cap(economy, "accelerators_frontier", "USA", "CHN", 0.8)
    (flow,) = limit.entries
    halved = replace(limit, entries=((*flow[:3], 0.5),))
    worlds = [policy(economy, limits=[one]) for one in (limit, halved)]
    walls, alone = period().barriers(stacked(worlds)), period().barriers(worlds)
    for name in ("limit_quantity", "limit_maker", "limit_owner"):
        np.testing.assert_array_equal(getattr(walls, name), getattr(alone, name))
    assert walls.limit_maker.max(axis=(1, 2, 3)).tolist() == [1.0, 0.5]


def test_limits_of_worlds_without_them_are_infinite():
    one, other = (
        replace(no_policy(small_economy()), limits=(Limit(n, "USA", "exporter", (), np.ones(1), "x"),)) for n in "ab"
    )
    assert [limit.quantity.tolist() for limit in stacked([one, other]).limits] == [[1.0, np.inf], [np.inf, 1.0]]


@pytest.mark.slow
@given(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
def test_a_batch_is_its_worlds_one_by_one(chosen: list[int]):
    worlds = near_and_far()
    found = period().solve([worlds[n] for n in chosen])
    base = len(found.vector[0])
    np.testing.assert_allclose(found.vector, solved().vector[chosen, :base], atol=1e-8)


TWO_DEVICES = """
import pickle, sys
import jax, numpy as np
assert len(jax.devices()) == 2
from tests.world.test_static import near_and_far, period
pickle.dump(period().solve(near_and_far()).vector, open(sys.argv[1], "wb"))
"""


@pytest.mark.slow
def test_two_devices_give_the_same_worlds(tmp_path: Path):
    path = f"{ROOT / 'model'}:{ROOT}"
    flags = "--xla_force_host_platform_device_count=2"
    line = [sys.executable, "-c", TWO_DEVICES, str(tmp_path / "found")]
    subprocess.run(line, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path, "XLA_FLAGS": flags})
    found = pickle.loads((tmp_path / "found").read_bytes())
    np.testing.assert_allclose(found, solved().vector, atol=1e-8)

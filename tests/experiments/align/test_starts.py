"""Where worlds of a game start: what players do is taken to add up."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from backfill.coupling import Stage
from backfill.experiments.align.coupled import Queue, key_of
from backfill.experiments.align.starts import layers, parallelogram, start
from backfill.experiments.started import Started
from backfill.experiments.worlds import batch, keys_of

TODAY = (0, 1, 0)
EVERY = list(product(range(3), repeat=3))


def test_each_layer_starts_from_those_before_it():
    found = layers(EVERY, TODAY)
    assert [len(layer) for layer in found] == [1, 6, 12, 8]
    solved: set = set()
    for layer in found:
        assert {other for profile in layer for _, other in parallelogram(profile, TODAY)} <= solved
        solved |= set(layer)
    assert solved == set(EVERY)


def test_a_start_is_exact_where_the_last_two_players_do_not_interact():
    own, pair = np.random.default_rng(3).normal(size=(3, 3)), np.random.default_rng(4).normal(size=(3, 3, 3))

    def world(p):
        return own[range(3), p].sum() + pair[0, p[0], p[1]] + pair[1, p[0], p[2]]

    def predicted(p):
        return sum(share * world(other) for share, other in parallelogram(p, TODAY))

    for profile in EVERY:
        if sum(a != b for a, b in zip(profile, TODAY, strict=True)) == 3:
            assert predicted(profile) == pytest.approx(world(profile))
    assert predicted((1, 0, 0)) != pytest.approx(world((1, 0, 0))), "these two interact"


def test_beside_other_worlds_only_the_difference_has_to_add_up():
    """The worlds beside are anything; what these add to them is additive."""
    rng = np.random.default_rng(5)
    base, added = rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3))
    names = {("base", p): base[p] for p in EVERY}
    names |= {("own", p): base[p] + added[range(3), p].sum() for p in EVERY}
    own, beside = ({p: (kind, p) for p in EVERY} for kind in ("own", "base"))
    for profile in EVERY:
        others = {p: name for p, name in own.items() if p != profile}
        parts = start(profile, TODAY, others, beside)
        moved = sum(a != b for a, b in zip(profile, TODAY, strict=True))
        assert sum(share for share, _ in parts) == pytest.approx(1.0)
        if moved > 1:
            assert sum(share * names[name] for share, name in parts) == pytest.approx(names["own", profile])


def test_without_all_it_needs_a_world_starts_from_what_there_is():
    profile, own = (0, 2, 1), {TODAY: "today"}
    assert start(profile, TODAY, own, {}) == [(1.0, "today")]
    assert start(profile, TODAY, own, {profile: "beside"}) == [(1.0, "beside")]
    assert start(profile, TODAY, {}, {}) == []


@pytest.mark.slow
def test_the_start_of_a_world_lies_closer_to_it_than_its_neighbours(setting, moves):
    policies = {p: setting.vintages(moves.policy(p)) for p in moves.game.profiles()}
    queue = Queue(setting, 0)
    queue.accounts({str(p): known for p, known in policies.items()})
    stands = {p: queue._solved[key_of(known)] for p, known in policies.items()}
    needed = batch({"it": policies[1, 1]})
    place, keys = needed.position["it"], keys_of(needed)
    before = {n: queue._solved[key] for n, key in enumerate(keys) if n != place}

    def apart(parts) -> float:
        coupling = Started(setting.economy, needed.wedges, queue.foresight, needed.departs, before, {place: parts})
        coupling.take()
        coupling._prepare(Stage((place,), slice(needed.departs[place][1], coupling.periods)))
        return float(np.abs(coupling.points[place].vector - stands[1, 1].point.vector).max())

    assert apart([(1.0, stands[1, 1])]) < 1e-12
    sides = [apart([(1.0, stands[p])]) for p in ((0, 1), (1, 0))]
    assert apart([(share, stands[p]) for share, p in parallelogram((1, 1), (0, 0))]) < 0.2 * min(sides)

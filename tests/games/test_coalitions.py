"""Coalitions: stability by trying, Shapley values add up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backfill.games.coalitions import contributions, profile_of, stability
from backfill.games.equilibria import pure_equilibria
from backfill.games.payoffs import Game

GAME = Game(("A", "B", "C"), (0.0, 1.0), (0, 0, 0), (1, 1, 1))
VALUES = arrays(float, (3, 2, 2, 2), elements=st.integers(-3, 3).map(float))


@given(VALUES)
def test_with_two_levels_stable_coalitions_are_the_equilibria(payoff):
    found = stability(GAME, payoff)
    assert len(found) == 8
    stable = {profile_of(GAME, one.coalition) for one in found if one.internal and one.external}
    assert stable == set(pure_equilibria(payoff))


@given(VALUES)
def test_contributions_add_up(worth):
    values = contributions(GAME, worth)
    np.testing.assert_allclose(values.sum(0), worth[:, 1, 1, 1] - worth[:, 0, 0, 0], atol=1e-12)


def test_who_leaves_and_who_joins():
    """Free riders: a member pays 2, everybody gains 1 for every member; A alone gains 3 by being one."""
    payoff = np.zeros((3, 2, 2, 2))
    for profile in GAME.profiles():
        payoff[(slice(None), *profile)] = sum(profile) - 2 * np.array(profile)
        payoff[(0, *profile)] += 3 * profile[0]
    by_members = {one.coalition: one for one in stability(GAME, payoff)}
    assert by_members[frozenset({0})].internal
    assert by_members[frozenset({0})].external
    assert set(by_members[frozenset({0, 1})].leave) == {1}
    assert set(by_members[frozenset()].join) == {0}


def test_coalitions_that_rest_on_what_is_not_known_are_left_out():
    payoff = np.zeros((3, 2, 2, 2))
    payoff[:, 1, 1, 1] = np.nan
    assert {len(one.coalition) for one in stability(GAME, payoff)} == {0, 1}

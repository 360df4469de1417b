"""Shapley values: the axioms that define them, a second way of computing them, and what sampling says of its error."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.effects.shapley import coalitions, entered, exact, sampled, sampled_orders

EFFECTS = 3
GAMES = st.tuples(st.integers(1, 5), st.integers(0, 2**32 - 1))


def game(players: int, seed: int) -> dict[frozenset[int], np.ndarray]:
    random = np.random.default_rng(seed)
    return {coalition: random.normal(size=EFFECTS) for coalition in coalitions(players)}


def everybody(players: int) -> frozenset[int]:
    return frozenset(range(players))


def test_coalitions_are_all_subsets():
    assert len(set(coalitions(6))) == len(coalitions(6)) == 64
    assert coalitions(0) == (frozenset(),)


@given(GAMES)
def test_efficiency_values_add_up_to_the_total(sizes):
    players, seed = sizes
    worth = game(players, seed)
    total = worth[everybody(players)] - worth[frozenset()]
    np.testing.assert_allclose(exact(players, worth).sum(axis=0), total, rtol=1e-12, atol=1e-12)


@given(GAMES)
def test_symmetry_who_adds_as_much_everywhere_gets_as_much(sizes):
    players, seed = sizes
    worth = game(players + 1, seed)
    one, other = 0, players
    swap = {one: other, other: one}
    alike = {
        coalition: (value + worth[frozenset(swap.get(i, i) for i in coalition)]) / 2
        for coalition, value in worth.items()
    }
    value = exact(players + 1, alike)
    np.testing.assert_allclose(value[one], value[other], rtol=1e-12, atol=1e-12)


@given(GAMES)
def test_dummy_who_changes_nothing_gets_nothing(sizes):
    players, seed = sizes
    worth = game(players, seed)
    with_dummy = {coalition: worth[coalition - {players}] for coalition in coalitions(players + 1)}
    value = exact(players + 1, with_dummy)
    np.testing.assert_array_equal(value[players], 0)
    np.testing.assert_allclose(value[:players], exact(players, worth), rtol=1e-12, atol=1e-12)


@given(GAMES)
def test_linearity_in_the_game(sizes):
    players, seed = sizes
    one, other = game(players, seed), game(players, seed + 1)
    both = {coalition: 2 * one[coalition] - other[coalition] for coalition in one}
    np.testing.assert_allclose(exact(players, both), 2 * exact(players, one) - exact(players, other), atol=1e-12)


@given(GAMES)
def test_it_is_the_mean_marginal_worth_over_all_orders(sizes):
    players, seed = sizes
    worth = game(players, seed)
    value = np.zeros((players, EFFECTS))
    orders = list(permutations(range(players)))
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            value[player] += (worth[before | {player}] - worth[before]) / len(orders)
    np.testing.assert_allclose(exact(players, worth), value, rtol=1e-10, atol=1e-12)


def test_the_glove_game():
    """One left glove, two right ones; a pair is worth one (2/3, 1/6, 1/6)."""
    worth = {c: np.array([float(0 in c and bool(c & {1, 2}))]) for c in coalitions(3)}
    np.testing.assert_allclose(exact(3, worth)[:, 0], [2 / 3, 1 / 6, 1 / 6], rtol=1e-15)


def test_what_is_not_a_number_spreads_to_its_effect_alone():
    worth = game(3, 7)
    worth[frozenset({1})] = worth[frozenset({1})] * np.array([np.nan, 1, 1])
    value = exact(3, worth)
    assert np.isnan(value[:, 0]).all()
    assert np.isfinite(value[:, 1:]).all()


@given(GAMES)
def test_sampled_values_add_up_to_the_total_whatever_was_drawn(sizes):
    players, seed = sizes
    worth = game(players, seed)
    value, _ = sampled(sampled_orders(players, 4, seed), worth)
    total = worth[everybody(players)] - worth[frozenset()]
    np.testing.assert_allclose(value.sum(axis=0), total, rtol=1e-12, atol=1e-12)


def test_sampling_needs_only_the_coalitions_it_met():
    orders = sampled_orders(9, 6, seed=3)
    worth = {coalition: np.array([float(len(coalition)) ** 2]) for coalition in entered(orders)}
    assert len(worth) <= 6 * 8 + 2
    value, error = sampled(orders, worth)
    assert value.sum() == pytest.approx(81)
    assert error.shape == (9, 1)


def test_orders_come_with_their_reverse_and_again_for_the_same_seed():
    orders = sampled_orders(5, 8, seed=1)
    assert orders == sampled_orders(5, 8, seed=1)
    assert orders != sampled_orders(5, 8, seed=2)
    assert all(order == back[::-1] for order, back in zip(orders[0::2], orders[1::2], strict=True))
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)


def test_of_an_additive_game_sampling_is_certain():
    weight = np.array([1.0, -2.0, 0.5, 7.0])
    worth = {c: np.array([weight[list(c)].sum()]) for c in coalitions(4)}
    value, error = sampled(sampled_orders(4, 4), worth)
    np.testing.assert_allclose(value[:, 0], weight, atol=1e-14)
    np.testing.assert_allclose(error, 0, atol=1e-14)


def test_the_stated_error_is_that_of_repeated_sampling():
    """Over many draws, the estimates' spread about the exact value is what single draws say of themselves."""
    worth = game(5, 11)
    true = exact(5, worth)
    drawn = [sampled(sampled_orders(5, 24, seed), worth) for seed in range(400)]
    values, errors = (np.array(part) for part in zip(*drawn, strict=True))
    spread = np.sqrt(((values - true) ** 2).mean(axis=0))
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), spread, rtol=0.15)
    assert (np.abs(values.mean(axis=0) - true) < 4 * spread / np.sqrt(400)).all()


@pytest.mark.parametrize("count", [0, 2, 5])
def test_too_few_orders_are_refused(count: int):
    with pytest.raises(ValueError, match="even and at least 4"):
        sampled_orders(3, count)

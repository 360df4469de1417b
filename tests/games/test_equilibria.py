"""Equilibria and paths against definitions applied one profile at a time, on random games."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backfill.games.equilibria import (
    Ending,
    best_reply,
    best_response_path,
    is_equilibrium,
    pure_equilibria,
    reachable,
)


@st.composite
def tensors(draw):
    players, levels = draw(st.integers(1, 3)), draw(st.integers(2, 3))
    values = st.integers(-3, 3).map(float)
    return draw(arrays(float, (players, *(levels,) * players), elements=values))


def brute(payoff: np.ndarray) -> set[tuple[int, ...]]:
    """Profiles from which nobody gains by moving alone, by trying every move."""
    found = set()
    for profile in product(*map(range, payoff.shape[1:])):
        moves = [
            (i, (*profile[:i], level, *profile[i + 1 :]))
            for i in range(len(payoff))
            for level in range(payoff.shape[1 + i])
        ]
        if all(payoff[(i, *other)] <= payoff[(i, *profile)] for i, other in moves):
            found.add(profile)
    return found


@given(tensors())
def test_all_equilibria_are_found_and_no_others(payoff):
    found = pure_equilibria(payoff)
    assert set(found) == brute(payoff)
    assert len(found) == len(set(found))
    for profile in product(*map(range, payoff.shape[1:])):
        assert is_equilibrium(payoff, profile) == (profile in found)


@given(tensors())
def test_paths_end_in_equilibria_or_go_in_circles(payoff):
    start = (0,) * len(payoff)
    path = best_response_path(payoff, start)
    at = start
    for move in path.moves:
        assert move.before == at
        assert move.gain > 0
        assert sum(a != b for a, b in zip(move.before, move.after, strict=True)) == 1
        assert best_reply(payoff, move.player, move.before) == move.after[move.player]
        at = move.after
    assert path.end == at
    met = reachable(payoff, start)
    assert {path.end, *(move.after for move in path.moves)} <= met
    if path.ending is Ending.EQUILIBRIUM:
        assert path.end in brute(payoff)
    else:
        assert path.ending is Ending.CYCLE
        assert len(path.moves) > 1


def test_matching_pennies_has_none_and_never_settles():
    row = np.array([[1.0, -1.0], [-1.0, 1.0]])
    payoff = np.stack([row, -row])
    assert pure_equilibria(payoff) == ()
    assert best_response_path(payoff, (0, 0)).ending is Ending.CYCLE
    assert reachable(payoff, (0, 0)) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_coordination_has_two_and_today_decides():
    payoff = np.stack([np.array([[1.0, 0.0], [0.0, 2.0]])] * 2)
    assert set(pure_equilibria(payoff)) == {(0, 0), (1, 1)}
    assert best_response_path(payoff, (0, 0)).moves == ()
    assert reachable(payoff, (0, 0)) == {(0, 0)}


def test_what_is_not_known_is_no_equilibrium_and_stops_play():
    payoff = np.stack([np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [0.0, np.nan]])])
    assert pure_equilibria(payoff) == ()
    path = best_response_path(payoff, (0, 0))
    assert path.end == (1, 0)
    assert path.ending is Ending.UNKNOWN

"""Where static scenarios start."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.experiments.sweep.starts import Starts, typical

RNG = np.random.default_rng(3)


def starts(choices: np.ndarray, unknowns: np.ndarray) -> Starts:
    span = np.ptp(choices, axis=0)
    return Starts(choices, unknowns, 5 + np.arange(len(choices)), np.where(span > 0, span, 1.0))


def test_what_is_linear_in_levers_is_expected_exactly():
    choices, slope = RNG.uniform(size=(12, 3)) * [1.0, 10.0, 0.1], RNG.normal(size=(3, 4))
    levers = RNG.uniform(-1, 2, size=(50, 3)) * [1.0, 10.0, 0.1]
    expected = starts(choices, 2.0 + choices @ slope).expected(levers)
    np.testing.assert_allclose(expected, 2.0 + levers @ slope, atol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_choices_too_few_for_a_plane_are_met(count: int):
    choices, unknowns = RNG.uniform(size=(count, 4)), RNG.normal(size=(count, 3))
    np.testing.assert_allclose(starts(choices, unknowns).expected(choices), unknowns, atol=1e-9)


def test_what_bends_is_expected_nearer_than_at_the_nearest_choice():
    def bent(levers):
        return np.column_stack([np.exp(levers).sum(1), levers[:, 0] * levers[:, 1]])

    choices, levers = RNG.uniform(size=(18, 2)), RNG.uniform(size=(200, 2))
    found = starts(choices, bent(choices))
    nearest, way = found.nearest(levers)
    assert way.shape == (200,)
    assert (nearest >= 5).all()
    missed = np.abs(bent(levers) - found.expected(levers)).max(1)
    away = np.abs(bent(levers) - bent(choices)[nearest - 5]).max(1)
    assert np.median(missed) < 0.1 * np.median(away)


def test_a_lever_that_stands_still_is_no_fault():
    choices = np.column_stack([RNG.uniform(size=8), np.full(8, 0.4)])
    expected = starts(choices, choices[:, :1] ** 2).expected(choices)
    np.testing.assert_allclose(expected, choices[:, :1] ** 2, atol=1e-9)


def test_typical_choices_are_all_different_and_hold_the_ends():
    levers = np.repeat([[0.0, 1.0], [0.5, 1.0], [1.0, 0.0]], 40, axis=0)
    found = typical(levers, 16)
    assert len(np.unique(found, axis=0)) == len(found)
    assert {(0.0, 0.0), (1.0, 1.0)} <= set(map(tuple, found.tolist()))
    assert len(typical(levers[:, :0], 4)) == 0

"""Worlds in the shapes of others."""

from __future__ import annotations

import numpy as np

from backfill.experiments.fitted import widened, with_limits
from backfill.trade.sensitivity import PlanSlopes

STATES, PERIODS, NODES = 3, 2, 2


def slopes(limits: int) -> PlanSlopes:
    rng = np.random.default_rng(1)
    unknowns = STATES + limits
    shapes = ((NODES, NODES), (NODES, NODES, 2), (NODES, 2, NODES), (unknowns, unknowns))
    return PlanSlopes(*(rng.normal(size=(PERIODS, *shape)) for shape in shapes))


def test_rents_go_with_the_names_of_their_limits():
    vector = np.arange(10.0).reshape(2, 5)
    found = with_limits(vector, ("a", "b"), ("b", "c", "a"))
    assert found.tolist() == [[0, 1, 2, 4, 0, 3], [5, 6, 7, 9, 0, 8]]


def test_slopes_of_unknowns_go_with_their_limits_and_new_ones_move_alone():
    before = slopes(2)
    after = widened(before, 3, ("a", "b"), ("b", "c"))
    kept, old = [0, 1, 2, 3], [0, 1, 2, 4]
    assert after.inverse.shape == (PERIODS, 5, 5)
    assert (after.inverse[np.ix_([0, 1], kept, kept)] == before.inverse[np.ix_([0, 1], old, old)]).all()
    assert (after.inverse[:, 4] == np.eye(5)[4]).all()
    assert (after.inverse[:, :, 4] == np.eye(5)[4]).all()
    assert (after.use_by_addition[..., :2] == before.use_by_addition).all()
    assert not after.use_by_addition[..., 2].any()
    assert widened(before, 2, ("a", "b"), ("a", "b")).inverse is before.inverse

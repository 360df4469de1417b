"""Fixed points: the map at the answer comes with it, and what was taken on trust is measured."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from backfill.trade.anderson import TRUSTED, Anderson

POINT = np.array([[0.3, -1.2, 2.0], [1.0, 0.5, -0.7]])
PULL = np.array([[0.5, 0.2, 0.0], [-0.1, 0.4, 0.2], [0.0, 0.1, 0.3]])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def search(tolerance: float = 1e-10, **options) -> Anderson:
    return Anderson(floor=jnp.full(POINT.shape[1], -jnp.inf), tolerance=tolerance, **options)


def contraction(points):
    """A map with one fixed point a lane."""
    away = points - POINT
    return POINT + away @ PULL.T + 0.05 * jnp.sin(away) ** 2


def test_what_the_map_gives_besides_is_of_the_point_that_is_told():
    found, besides = search().solve_on_trust(lambda x: (contraction(x), 3.0 * x), jnp.zeros(POINT.shape))
    np.testing.assert_array_equal(besides, 3.0 * found.point)
    np.testing.assert_allclose(found.residual, np.abs(contraction(found.point) - found.point).max(1), rtol=0, atol=1e-16)
    np.testing.assert_allclose(found.point, POINT, atol=1e-9)
    assert found.converged.all()


def test_the_last_evaluation_serves_twice():
    alone = search().solve(contraction, jnp.zeros(POINT.shape))
    found, _ = search().solve_on_trust(lambda x: (contraction(x), ()), jnp.zeros(POINT.shape))
    assert (found.steps <= alone.steps).all(), "evaluations after the first, that of what the map gives besides among them"
    assert (found.residual <= 1e-10).all()


def test_what_is_told_is_a_step_further_than_what_was_within_tolerance():
    alone = search(1e-6).solve(contraction, jnp.zeros(POINT.shape))
    found, _ = search(1e-6).solve_on_trust(lambda x: (contraction(x), ()), jnp.zeros(POINT.shape), 1e-9)
    assert (found.residual < 0.1 * alone.residual).all()
    exactly, _ = search(1e-6).solve_on_trust(lambda x: (contraction(x), ()), jnp.zeros(POINT.shape), 0.0)
    np.testing.assert_array_equal(exactly.point, alone.point)


def test_a_fall_that_ends_is_measured_and_told():
    """The change falls a thousandfold a step, but for a bend near the answer behind which it hardly falls."""
    bend = 1e-5

    def bent(points):
        away = points - POINT
        return POINT + jnp.where(jnp.abs(away) > bend, 1e-3 * away, 0.999 * away)

    tolerance = 1e-9
    assert 1e-3 * bend * 1e-3 < TRUSTED * tolerance * 1e3
    found, _ = search(tolerance).solve_on_trust(lambda x: (bent(x), ()), POINT + np.array([1.0, 0.5, 0.25]))
    size = np.abs(bent(found.point) - found.point).max(1)
    np.testing.assert_allclose(found.residual, size, rtol=1e-12)
    np.testing.assert_array_equal(found.converged, size <= tolerance)


def test_lanes_that_stand_still_do_not_move():
    """One lane starts at its answer, the other far away: the first is told where it stood, or one step beyond at most."""
    start = jnp.asarray(POINT).at[1].set(9.0)
    found, _ = search().solve_on_trust(lambda x: (contraction(x), ()), start)
    np.testing.assert_allclose(found.point[0], POINT[0], atol=1e-15)
    assert found.steps[0] < found.steps[1]


def test_a_lane_without_an_answer_is_alone():
    def broken(points):
        return contraction(points).at[0].set(jnp.nan), ()

    found, _ = search().solve_on_trust(broken, jnp.zeros(POINT.shape))
    assert found.converged.tolist() == [False, True]

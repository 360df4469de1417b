"""The fit finds the posterior of problems where it is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.experiments.hindcast.identify import identify, profiles, verdict
from backfill.experiments.hindcast.posterior import fit, refine
from backfill.experiments.hindcast.surface import surface
from tests.hindcast.problems import NAMES, linear

MATRIX = np.array([[0.5, 0.0, 0.0], [0.2, 0.3, 0.0], [0.0, 0.1, 0.0], [0.4, -0.4, 0.0]])
LEVEL = np.array([1.0, 2.0, 0.5, -1.0])
SPREAD = np.array([0.1, 0.2, 0.3, 0.15])


def closed_form(y: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mode and covariance of a linear problem with normal priors around ``-centre``."""
    weighted = MATRIX / SPREAD[:, None]
    covariance = np.linalg.inv(np.eye(3) + weighted.T @ weighted)
    return covariance @ (weighted.T @ ((y - LEVEL) / SPREAD) - centre), covariance


@pytest.mark.parametrize("centre", [np.zeros(3), np.array([0.3, -0.2, 0.1])])
def test_a_linear_problem_has_its_closed_form(centre: np.ndarray):
    y = LEVEL + MATRIX @ np.array([0.4, -0.3, 0.0]) + np.array([0.02, -0.05, 0.1, 0.03])
    found = fit(linear(MATRIX, LEVEL), y, SPREAD, centre)
    mode, covariance = closed_form(y, centre)
    assert found.mode == pytest.approx(mode, abs=1e-8)
    assert found.covariance == pytest.approx(covariance, abs=1e-8)
    assert found.misfit == pytest.approx(np.sum(((LEVEL + MATRIX @ mode - y) / SPREAD) ** 2))


def test_without_figures_the_prior_stays():
    found = fit(linear(MATRIX, LEVEL).of([]), np.zeros(0), np.zeros(0), np.array([0.2, 0.0, -0.1]))
    assert found.mode == pytest.approx([-0.2, 0.0, 0.1], abs=1e-8)
    assert found.spread == pytest.approx([1.0, 1.0, 1.0])


def test_draws_have_the_posterior_moments():
    y = LEVEL + MATRIX @ np.array([0.4, -0.3, 0.0])
    found = fit(linear(MATRIX, LEVEL), y, SPREAD, np.zeros(3))
    draws = found.draws(200_000, 1)
    assert draws.mean(0) == pytest.approx(found.mode, abs=0.01)
    assert np.cov(draws.T) == pytest.approx(found.covariance, abs=0.01)


def test_a_parameter_that_moves_nothing_keeps_its_prior_and_is_not_solved_twice():
    solved = []

    def solve(moved: dict[str, float]) -> np.ndarray:
        solved.append(moved)
        return LEVEL + MATRIX @ np.array([moved.get(name, 0.0) for name in NAMES])

    shape = surface(NAMES, solve)
    assert shape.solved == len(solved) == 6
    found = identify(shape, LEVEL, SPREAD, np.zeros(3), np.zeros(3))
    spread = dict(found.parameters.select("parameter", "spread").iter_rows())
    assert spread["gamma"] == pytest.approx(1.0)
    assert dict(found.parameters.select("parameter", "verdict").iter_rows())["gamma"] == "prior only"


def test_a_quadratic_is_followed_exactly():
    bend = np.array([0.1, -0.05, 0.0])

    def solve(moved: dict[str, float]) -> np.ndarray:
        d = np.array([moved.get(name, 0.0) for name in NAMES])
        return LEVEL + MATRIX @ d + (bend @ d**2) * np.ones(4)

    shape = surface(NAMES, solve)
    d = np.array([0.7, -1.1, 0.0])
    assert shape.at(d) == pytest.approx(solve(dict(zip(NAMES, d, strict=True))))
    step = 1e-6
    ahead, back = (shape.at(d + sign * step * np.eye(3)) for sign in (1, -1))
    assert shape.jacobian(d) == pytest.approx((ahead - back).T / (2 * step), abs=1e-8)


def test_an_end_that_cannot_be_solved_is_mirrored_and_named():
    def solve(moved: dict[str, float]) -> np.ndarray | None:
        d = np.array([moved.get(name, 0.0) for name in NAMES])
        return None if d[0] > 0.5 else LEVEL + MATRIX @ d

    shape = surface(NAMES, solve)
    assert shape.unsolved == ("alpha high",)
    assert shape.slope == pytest.approx(MATRIX.T)


def test_refining_corrects_what_parameters_do_together():
    """Cross terms are not on the surface; at the mode the world is, and the fit there is the world's own."""

    def world(d: np.ndarray) -> np.ndarray:
        return LEVEL + MATRIX @ d + 0.1 * d[0] * d[1]

    shape = surface(NAMES, lambda moved: world(np.array([moved.get(name, 0.0) for name in NAMES])))
    y = world(np.array([0.8, -0.6, 0.0]))
    refined = refine(shape, np.arange(4), y, SPREAD, np.zeros(3), world, rounds=30, close=1e-9)
    assert refined.moments == pytest.approx(world(refined.posterior.mode), abs=1e-8)
    assert refined.surface.at(refined.posterior.mode) == pytest.approx(refined.moments, abs=1e-8)


def test_refining_goes_half_the_way_where_a_world_cannot_be_solved():
    tried = []

    def world(d: np.ndarray) -> np.ndarray | None:
        tried.append(d)
        return None if len(tried) == 1 else LEVEL + MATRIX @ d

    y = LEVEL + MATRIX @ np.array([0.8, -0.6, 0.0])
    refined = refine(linear(MATRIX, LEVEL), np.arange(4), y, SPREAD, np.zeros(3), world)
    assert tried[1] == pytest.approx(tried[0] / 2)
    assert refined.moved <= 0.02


def test_a_profile_of_a_linear_problem_is_a_parabola_of_the_posterior_spread():
    y = LEVEL + MATRIX @ np.array([0.4, -0.3, 0.0])
    shape = linear(MATRIX, LEVEL)
    best = fit(shape, y, SPREAD, np.zeros(3))
    table = profiles(shape, y, SPREAD, np.zeros(3), ["alpha"])
    expected = ((table["score"].to_numpy() - best.mode[0]) / best.spread[0]) ** 2
    assert table["rise"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_directions_are_the_eigenvectors_of_the_information():
    found = identify(linear(MATRIX, LEVEL), LEVEL, SPREAD, np.zeros(3), np.zeros(3))
    weighted = MATRIX / SPREAD[:, None]
    assert found.directions["information"].to_numpy() == pytest.approx(
        np.sort(np.linalg.eigvalsh(weighted.T @ weighted))[::-1], abs=1e-8
    )
    assert found.directions["spread"].to_numpy() == pytest.approx(
        1 / np.sqrt(1 + found.directions["information"].to_numpy())
    )


@pytest.mark.parametrize(("spread", "told"), [(0.3, "pinned down"), (0.8, "informed"), (0.99, "prior only")])
def test_verdicts(spread: float, told: str):
    assert verdict(spread) == told


def test_a_parameter_that_cannot_be_solved_at_an_end_is_held():
    def solve(moved: dict[str, float]) -> np.ndarray | None:
        d = np.array([moved.get(name, 0.0) for name in NAMES])
        return None if d[0] > 0.5 else LEVEL + MATRIX @ d

    shape = surface(NAMES, solve).solvable()
    assert shape.names == ("beta", "gamma")
    assert shape.slope == pytest.approx(MATRIX.T[1:])
    assert shape.unsolved == ("alpha high",)

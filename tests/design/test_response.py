"""The derivative of a coupled world against central differences of solved worlds."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from backfill.coupling import Coupling
from backfill.reference import economy as calibrate
from backfill.response import Direction, Kink, levels, response
from backfill.supply.foresight import foresight_named
from tests.design.policies import CENTRE, DEPARTS, NAMES, chain
from tests.support import small
from tests.support.precise import solve_precisely

pytestmark = pytest.mark.slow

HALF = 1e-4


@pytest.fixture(scope="module")
def economy():
    return calibrate(small.tables(), small.vocabulary(), last_year=2027, overrides={"learning": 0.15})


@pytest.fixture
def precise(monkeypatch):
    solve_precisely(monkeypatch)


def solved(economy, point, foresight: str = "perfect") -> Coupling:
    found = Coupling(economy, chain(economy, *point), foresight_named(foresight), DEPARTS)
    found.solve()
    assert not found.failures
    return found


def direction(economy, point, n: int, half: float = HALF) -> Direction:
    step = half * np.eye(len(NAMES))[n]
    return Direction(*(dict(enumerate(chain(economy, *(np.asarray(point) + s * step)))) for s in (1, -1)))


def apart(mine: np.ndarray, other: np.ndarray, level: np.ndarray) -> float:
    """Largest gap relative to the largest derivative, or to a hundred-thousandth of the level where that is more.

    A 1e-5 of the latter is the precision to which the worlds are solved that differences are taken of.
    """
    return float(np.abs(mine - other).max() / max(np.abs(other).max(), 1e-5 * np.abs(level).max(), 1e-300))


def compare(economy, foresight: str, chosen: list[int], step: float) -> None:
    found = solved(economy, CENTRE, foresight)
    answer = response(found, 1, [direction(economy, CENTRE, n) for n in chosen], HALF)
    assert answer.left <= 1e-10
    assert answer.degenerate == 0
    for n, mine in zip(chosen, answer.slopes, strict=True):
        moves = step * np.eye(len(NAMES))[n]
        others = [solved(economy, np.asarray(CENTRE) + k * moves, foresight) for k in (1, -1, 2, -2)]
        for world in (0, 1):
            ahead, back = others[0].points[world], others[1].points[world]
            assert ((ahead.rent > 0) == (back.rent > 0)).all()
            assert ((ahead.additions > 0) == (back.additions > 0)).all()
        at = [jax.tree.leaves(levels(one, 1)) for one in (found, *others)]
        for name, part, level, a, b, c, d in zip(_names(mine), jax.tree.leaves(mine), *at, strict=True):
            exact = (8 * (a - b) - (c - d)) / (12 * step)
            assert apart(part, exact, level) <= 1e-5, (NAMES[n], name)


def _names(one) -> list[str]:
    return [*one.observed._fields, "capacity", "terminal"]


def test_derivatives_equal_central_differences(economy, precise):
    """Coverage known in both vintages, with stocks bought ahead."""
    compare(economy, "perfect", [0], 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("foresight", ["perfect", "myopic", "fixed"])
def test_all_derivatives_equal_central_differences(economy, precise, foresight: str):
    compare(economy, foresight, list(range(len(NAMES))), 1e-3)


def test_what_does_not_move_has_no_derivative(economy):
    found = solved(economy, CENTRE)
    answer = response(found, 1, [Direction({}, {})], HALF)
    assert all(not np.any(part) for part in jax.tree.leaves(answer.slopes[0]))


def test_coinciding_controls_have_no_derivative_and_say_so(economy):
    point = [*CENTRE[:2], 1.0, *CENTRE[3:]]
    found = solved(economy, point)
    with pytest.raises(Kink) as kink:
        response(found, 1, [direction(economy, point, 0), direction(economy, point, 2)], HALF)
    assert kink.value.directions == (1,)

"""The balancing program on two regions: totals hold, room binds, and what cannot be is said."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.economy.compile.demand import STACK, Totals
from backfill.economy.compile.first import First
from backfill.economy.compile.nest import USUAL_FIRMNESS, nest
from backfill.economy.compile.sectors import SECTORS
from backfill.economy.schema import DataError

FREE = np.full((2, 2), 1e4)


def _solve(memory: np.ndarray, rows: list[float], columns: list[float], electronics: np.ndarray):
    """Balance memory alone; other products have no trade, and a little equipment fills the billings."""
    zero = First(np.zeros((2, 2)), np.zeros((2, 2), bool))
    firsts = dict.fromkeys(STACK, zero)
    firsts["memory"] = First(memory, np.ones((2, 2), bool))
    firsts["lithography"] = First(np.diag([1.0, 1.0]), np.ones((2, 2), bool))
    output = {p: np.zeros(2) for p in STACK} | {"memory": np.array(rows), "lithography": np.ones(2)}
    bought = {p: np.zeros(2) for p in STACK} | {"memory": np.array(columns), "lithography": np.ones(2)}
    sectors = dict.fromkeys(SECTORS, FREE) | {"electronics": electronics}
    return nest(firsts, Totals(output, bought), sectors, np.zeros((2, 2)), np.ones(2), 0.05)


def test_a_matrix_that_fits_does_not_move():
    first = np.array([[30.0, 10.0], [20.0, 40.0]])
    done = _solve(first, [40.0, 60.0], [50.0, 50.0], FREE)
    assert done.flows["memory"] == pytest.approx(first, abs=1e-3)
    assert done.tight == []


def test_output_holds_exactly_and_purchases_softly():
    done = _solve(np.array([[30.0, 10.0], [20.0, 40.0]]), [50.0, 60.0], [50.0, 50.0], FREE)
    assert done.flows["memory"].sum(1) == pytest.approx([50.0, 60.0], abs=1e-3)
    assert done.flows["memory"].sum(0).sum() == pytest.approx(110.0, abs=1e-3)
    assert (done.flows["memory"].sum(0) > 50.0).all()


def test_least_squares_moves_follow_the_first_order_conditions():
    """min sum (x-v)^2/v + W sum B d^2 with rows fixed: (x-v)/v + W d_j = mu_i."""
    first = np.array([[3000.0, 1000.0], [2000.0, 4000.0]])
    wanted = np.array([5500.0, 5000.0])
    x = _solve(first, [4400.0, 6000.0], list(wanted), FREE).flows["memory"]
    marginal = (x - first) / first + USUAL_FIRMNESS * (x.sum(0) - wanted) / wanted
    assert marginal[:, 0] == pytest.approx(marginal[:, 1], abs=5e-5)
    assert np.abs(x - first).max() > 50


def test_a_share_of_each_icio_cell_stays():
    electronics = FREE.copy()
    electronics[0, 0] = 20.0
    done = _solve(np.array([[30.0, 10.0], [20.0, 40.0]]), [40.0, 60.0], [50.0, 50.0], electronics)
    assert done.flows["memory"][0, 0] == pytest.approx(19.0, abs=1e-3)
    assert ("electronics", 0, 0) in done.tight


def test_more_than_icio_holds_is_an_error():
    with pytest.raises(DataError, match="no trade fits output"):
        _solve(np.array([[30.0, 10.0], [20.0, 40.0]]), [40.0, 60.0], [50.0, 50.0], np.full((2, 2), 5.0))

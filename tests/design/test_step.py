"""One step of the search, where boxes are small and the quadratic solver doubts its own answer."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.governments.package import Package
from backfill.governments.sequential import PENALTY, search
from backfill.governments.step import Local, step


def local(gradient, limits, by_lever, curvature) -> Local:
    levers = len(gradient)
    return Local(
        0.0, np.array(gradient), np.array(limits), np.array(by_lever), np.array(curvature), np.full(levers, np.nan),
        np.zeros((len(limits), levers)),
    )  # fmt: skip


def test_a_small_box_with_much_curvature():
    """Along each lever alone: as far as the box allows, or to where curvature turns it, or to its own end."""
    here = local([-10.0, -1.0, 1.0], [], np.zeros((0, 3)), np.diag([9.5e3, 2e4, 1e-3]))
    move = step(here, np.array([0.5, 0.5, 4e-5]), 8.7e-5, 1.0).move
    assert move == pytest.approx([8.7e-5, 1.0 / 2e4, -4e-5], rel=1e-4)


def test_an_answer_that_the_quadratic_solver_doubts():
    """HiGHS rejects its own answer here, by 7e-7 of a bound of 3e-5; the best corner is where neither lever moves far."""
    here = local([-99.96, -0.99956], [0.0], [[39.984, 0.99956]], np.diag([2.9e-4, 2.8e-5]) + 9.9e-7 * (1 - np.eye(2)))
    share = np.array([1.0, 3.0013205810586197e-05])
    found = step(here, share, 1.0, 4.0)
    assert abs(found.move).max() <= 4e-5
    assert (share + found.move >= -1e-6).all()
    assert found.promised <= 1e-3


class Far:
    """One lever; the limit asks for more of it than a first box reaches, and its multiplier is one."""

    switches = np.zeros(1, bool)

    def values(self, points):
        return [np.array([one.share[0], 0.9 - one.share[0]]) for one in points]

    def slopes(self, point):
        return np.array([[1.0], [-1.0]])


def test_the_penalty_is_not_raised_for_what_lies_outside_the_box(monkeypatch: pytest.MonkeyPatch):
    from backfill.governments import sequential

    asked = []
    monkeypatch.setattr(sequential, "step", lambda *a, **k: asked.append(a[3]) or step(*a, **k))
    found = search(Far(), Package((0.0,), (True,)))
    assert found.point.share[0] == pytest.approx(0.9, abs=1e-6)
    assert found.verdict is sequential.Verdict.OPTIMAL
    assert {penalty for penalty in asked if penalty != sequential.DEAREST} == {PENALTY}


def test_where_the_solver_goes_round_in_circles_the_linear_step_stands_in():
    """Found in a search: HiGHS 1.15 never ends on this program unless its iterations are counted."""
    curvature = [
        [0.00501397213606861, 0.00270028080956972, -0.0026999786146691, -0.00174712789235466],
        [0.00270028080956972, 0.00209346894847317, -0.00109329819949478, -0.00064667249996563],
        [-0.0026999786146691, -0.00109329819949478, 0.00209312747180264, 0.00064656475986744],
        [-0.00174712789235466, -0.00064667249996563, 0.00064656475986744, 0.00137394026291255],
    ]
    gradient = np.array([-0.92937729454661644, -2.6767475977526102e-04, -5.0428078323981231e-05, -2.9687614449136833e-02])
    limit = 0.01738559985971706
    by_lever = np.array([0.5361653548684444, 5.996919259735215e-03, 8.659979598692763e-05, 0.4273788853143822])
    share = np.array([0.48884019926190375, 0.2465379459783435, 0.5825574530288578, 0.29827577361939756])
    here = local(gradient, [limit], by_lever[None], curvature)
    found = step(here, share, 0.6, 4.0)
    np.testing.assert_allclose(found.move[1:], -share[1:], atol=1e-9)
    assert limit + by_lever @ found.move == pytest.approx(0.0, abs=1e-9)
    assert found.promised == pytest.approx(4.0 * limit - gradient @ found.move, rel=1e-2)
    assert found.multipliers[0] == pytest.approx(-gradient[0] / by_lever[0], rel=1e-2)

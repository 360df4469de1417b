"""Levers that end at an end of their range are solved there, without passing what the search kept."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.experiments.design.file import DesignTable
from backfill.experiments.design.solve import Scaled, exact
from backfill.experiments.design.worlds import INSIDE, Found, Slopes, Worlds
from backfill.governments.package import Package
from backfill.governments.sequential import NEARLY, search

STEEP = 40.0
"""The limit by the first lever: the last step to its end passes the limit by far more than a search may."""


class Analytic:
    """Worlds of two levers in closed form; what is asked of `Worlds`."""

    inside = Worlds.inside
    edge, inner = Worlds.edge, Worlds.inner

    def __init__(self, bound: float, gone: tuple[float, ...] = ()) -> None:
        self.gone = gone
        levers = [{"measure": name, "field": "rate", "low": 0.0, "high": 1.0} for name in "ab"]
        limit = {"effect": "welfare cost", "region": "us", "at_most": bound}
        asked = {"objective": {"maximise": "compute denied"}, "levers": levers, "limits": [limit]}
        table = DesignTable.model_validate(asked)
        self.levers = type("Two", (), {"table": table, "__len__": lambda _: 2})()

    def _at(self, package: Package) -> Found | None:
        a, b = package.share
        if a in self.gone:
            return None
        return Found(package, np.array([100 * a + b, STEEP * a + b]), {}, 0.0)

    def found(self, packages, *, keep: bool = True) -> list[Found | None]:
        return [self._at(one) for one in packages]

    def slopes(self, package: Package) -> Slopes:
        return Slopes(np.array([[100.0, 1.0], [STEEP, 1.0]]), 0.0, 0)


def searched(worlds: Analytic):
    bounds = np.array([limit.bound for limit in worlds.levers.table.limits])
    problem = Scaled(worlds, bounds, np.ones(2))  # type: ignore[arg-type]
    return problem, search(problem, Package((0.5, 0.5), (True, True)))


def test_another_lever_makes_room_for_the_last_step():
    problem, ended = searched(Analytic(bound=STEEP + 0.6))
    assert ended.point.share[0] == pytest.approx(1.0)
    assert 0.01 < ended.point.share[1] < 0.99
    best = exact([(problem, ended)])[0]
    assert best.package.share[0] == 1.0
    assert problem.scaled(best.values)[1] <= NEARLY
    # The step to the end is INSIDE of the first lever's range; the other gives way by what that costs.
    inside = problem.worlds.inside(ended.point)
    assert best.package.share[1] == pytest.approx(inside.share[1] - STEEP * INSIDE, rel=1e-6)


def test_levers_between_their_ends_stay_as_they_were_searched():
    problem, ended = searched(Analytic(bound=STEEP + 0.6))
    inner = problem.worlds.inside(ended.point.moved([0.4, 0.7]))
    ended.point, ended.values = ended.point.moved([0.4, 0.7]), problem.scaled(problem.worlds.found([inner])[0].values)
    assert exact([(problem, ended)])[0].package == inner


def test_where_there_is_no_room_or_no_world_the_package_stays_as_it_was_searched():
    tight = searched(Analytic(bound=STEEP * (1 - INSIDE) + 0.00025))
    lost = searched(Analytic(bound=STEEP + 0.6, gone=(1.0,)))
    for problem, ended in (tight, lost):
        assert ended.feasible
        best = exact([(problem, ended)])[0]
        assert best.package == problem.worlds.inside(ended.point)
        assert problem.scaled(best.values)[1] <= NEARLY

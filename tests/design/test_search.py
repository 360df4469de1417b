"""The search for a best package: against packages drawn, with switches, with limits that cannot be kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from backfill.experiments.design import tables
from backfill.experiments.design.file import DesignTable
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.sentences import sentences
from backfill.experiments.design.solve import Outcome, drawn, solve
from backfill.experiments.design.worlds import Worlds
from backfill.experiments.setting import Setting
from backfill.governments.package import Package
from backfill.governments.sequential import NEARLY, Verdict, search
from backfill.governments.step import Local, multipliers, step
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.enforcement import Enforcement
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.measures.tariff import Tariff
from backfill.policy.policy import Policy
from backfill.reference import economy as calibrate
from tests.support import small

pytestmark = pytest.mark.slow

BEGIN = dt.date(2024, 1, 1)
MEASURES = (
    ExportControl(name="chips", by=("USA",), products=("accelerators_frontier",), destinations=("CHN",), coverage=0.5,
                  begin=BEGIN),
    ExportControl(name="tools", by=("USA",), products=("tools",), destinations=("CHN",), coverage=0.5, begin=BEGIN),
    Alignment(name="align", region=("TWN",), products=("tools",), level=0.4, begin=BEGIN),
    Enforcement(name="checks", budget=1.5, begin=BEGIN),
    Tariff(name="duty", by=("USA",), origins=("CHN",), products=("electronics",), rate=0.1, begin=BEGIN),
)  # fmt: skip
LEVERS = [
    {"measure": "chips", "field": "coverage", "low": 0.0, "high": 0.9},
    {"measure": "tools", "field": "coverage", "low": 0.0, "high": 0.9},
    {"measure": "align", "field": "level", "low": 0.0, "high": 1.0},
    {"measure": "checks", "field": "budget", "low": 1.0, "high": 4.0},
]
DENIED = {"maximise": "compute denied"}


@pytest.fixture(scope="module")
def setting():
    economy = calibrate(small.tables(), small.vocabulary(), last_year=2027)
    return Setting(economy, small.vocabulary(), "perfect", lambda *_: True, None)


def worlds(setting, **design: Any) -> Worlds:
    table = {"objective": DENIED, "levers": LEVERS, "search": {"starts": 2, "samples": 8}, **design}
    return Worlds(setting, Levers(DesignTable.model_validate(table), Policy.of(MEASURES)), Policy())


COST = {"effect": "welfare cost", "region": "us", "name": "cost"}


@pytest.fixture(scope="module")
def middling(setting) -> float:
    """What the package as written costs the US."""
    found = worlds(setting, limits=[{**COST, "at_most": 1e9}])
    return float(found.found([found.levers.start()])[0].values[1])


@pytest.fixture(scope="module")
def limited(setting, middling) -> Outcome:
    """Most denial at no more than the package as written costs."""
    return solve(worlds(setting, limits=[{**COST, "at_most": middling}]))


def test_the_optimum_keeps_the_limit_and_its_conditions(limited, middling):
    assert limited.best.feasible
    assert limited.best.verdict in (Verdict.OPTIMAL, Verdict.KINKED)
    assert limited.optimum.values[1] <= middling * (1 + 1e-3)
    assert limited.optimum.values[0] >= limited.start.values[0]
    assert limited.best.multipliers[0] > 0


def test_no_package_drawn_is_better(limited):
    best = tables.best_sample(limited)
    assert best is None or limited.optimum.values[0] >= best.values[0] * (1 - 1e-3)


@pytest.mark.slow
def test_no_package_of_many_is_better(setting, middling, limited):
    found = worlds(setting, limits=[{**COST, "at_most": middling}])
    others = found.found([found.inside(one) for one in drawn(300, len(LEVERS), 7)], keep=False)
    kept = [one.values[0] for one in others if one is not None and one.values[1] <= middling]
    assert len(kept) > 20
    assert limited.optimum.values[0] >= max(kept) * (1 - 1e-4)


def test_shadow_prices_are_what_a_looser_limit_is_worth(setting, limited, middling):
    more = 0.02 * abs(middling)
    looser = search(limited.problem.at(0, middling + more), limited.best.point)
    gained = (limited.best.values[0] - looser.values[0]) * limited.problem.scale[0]
    assert gained == pytest.approx(limited.problem.price(0, limited.best.multipliers[0]) * more, rel=0.1)


def test_tables_and_sentences(limited):
    assert tables.limit_rows(limited)["binding"].to_list() == [True]
    assert tables.marginal_rows(limited).height == 2 * len(LEVERS)
    assert tables.certificate_rows(limited)["search"].to_list()[:2] == ["start 1", "start 2"]
    told = " ".join(sentences(limited))
    assert "Most compute denied (adversary)" in told
    assert "cost binds at" in told


def test_a_limit_that_cannot_be_kept_is_named(setting):
    found = solve(worlds(setting, limits=[{"effect": "compute denied", "name": "denial", "at_least": 1e9}]))
    assert found.best.verdict is Verdict.INFEASIBLE
    assert "What cannot be kept: denial" in " ".join(sentences(found))


def test_a_measure_that_only_costs_is_left_out(setting):
    """A duty lowers what the US may lose of denial by nothing worth its cost: it is switched off, as is best by hand."""
    duty = {
        "measure": "duty",
        "field": "rate",
        "low": 0.2,
        "high": 0.4,
        "start": 0.2,
        "switch": True,
        "fixed_cost": 50.0,
    }
    levers = [LEVERS[0], duty]
    found = solve(
        worlds(setting, objective={"minimise": "package cost"}, levers=levers, search={"starts": 1, "samples": 0})
    )
    assert found.best.point.on == (True, False)
    assert found.optimum.values[0] == 0.0


def test_the_frontier_never_falls_as_its_limit_loosens(setting, middling):
    found = solve(
        worlds(
            setting,
            limits=[{**COST, "at_most": middling}],
            frontier={"limit": "cost", "from": 0.8 * middling, "to": 1.2 * middling, "points": 3},
            search={"starts": 1, "samples": 0},
        )
    )
    values = [one.values[0] for _, one, _ in found.frontier]
    assert all(after <= before + NEARLY for before, after in zip(values, values[1:], strict=False))
    assert tables.frontier_rows(found, None).height == 3 * (3 + 2 * len(LEVERS))


def quadratic(flips: np.ndarray | None = None) -> Local:
    """``min (x-1)^2 + (y-1)^2`` at the origin, scaled by half, with ``x + y <= 1``."""
    return Local(
        objective=1.0,
        by_lever=np.array([-1.0, -1.0]),
        limits=np.array([-1.0]),
        limits_by_lever=np.array([[1.0, 1.0]]),
        curvature=np.eye(2),
        flips=np.full(2, np.nan) if flips is None else flips,
        limits_by_flip=np.zeros((1, 2)),
    )


def test_a_step_by_hand():
    found = step(quadratic(), np.zeros(2), 1.0, 10.0)
    np.testing.assert_allclose(found.move, 0.5, atol=1e-7)
    assert found.multipliers[0] == pytest.approx(0.5, abs=1e-6)
    assert found.promised == pytest.approx(0.75)


def test_a_step_within_a_small_box_and_with_a_switch():
    np.testing.assert_allclose(step(quadratic(), np.zeros(2), 0.2, 10.0).move, 0.2, atol=1e-9)
    found = step(quadratic(np.array([np.nan, -3.0])), np.zeros(2), 0.2, 10.0, switches=True)
    assert found.flip.tolist() == [False, True]


def test_multipliers_that_fit_best():
    local = quadratic()
    local = Local(local.objective, np.array([-0.5, -0.5]), np.zeros(1), *list(vars(local).values())[3:])
    found, residual = multipliers(local, np.array([0.5, 0.5]), 1e-6)
    assert found[0] == pytest.approx(0.5)
    assert residual < 1e-12


def test_packages_drawn_are_spread_and_repeatable():
    one, other = drawn(10, 3, 1), drawn(10, 3, 1)
    assert one == other
    assert len(one) == 10
    assert all(isinstance(package, Package) for package in one)

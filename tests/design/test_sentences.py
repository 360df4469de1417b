"""What is said of limits and of the frontier; what was found is hand-made, so that nothing is solved here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backfill.experiments.design import tables
from backfill.experiments.design.file import DesignTable
from backfill.experiments.design.sentences import sentences
from backfill.governments.package import Package
from backfill.governments.sequential import Search, Verdict

LEVER = {"measure": "chips", "field": "coverage", "low": 0.0, "high": 1.0}


def outcome(objective: dict, limits: list[dict], values: list[float], over: list[float], frontier=()) -> Any:
    """One whose limits are passed by ``over``, on a frontier of (bound, objective, whether it can be kept)."""
    moving = {"frontier": {"limit": limits[0]["name"], "from": 1.0, "to": 2.0}} if frontier else {}
    table = DesignTable.model_validate({"objective": objective, "limits": limits, "levers": [LEVER], **moving})
    package = Package((0.5,), (True,))

    def search(passed: list[float]) -> Search:
        verdict = Verdict.INFEASIBLE if max(passed) > 1e-4 else Verdict.OPTIMAL
        return Search(package, np.array([0.0, *passed]), np.ones(len(limits)), 0.0, verdict)

    def found(*numbers: float) -> Any:
        return SimpleNamespace(package=package, values=np.array(numbers))

    levers = SimpleNamespace(table=table, values=lambda _: np.array([0.5]))
    problem = SimpleNamespace(table=table, worlds=SimpleNamespace(levers=levers), price=lambda *_: 2.0)
    best = search(over)
    along = [(bound, search([0.0 if kept else 1.0] * len(limits)), found(value, bound)) for bound, value, kept in frontier]
    return SimpleNamespace(
        problem=problem, start=found(*values), optimum=found(*values), best=best, searches=(best,), samples=(), frontier=along
    )


@pytest.mark.parametrize(
    ("objective", "side", "told"),
    [
        ("maximise", "at_most", "would allow 2 million USD more exports lost"),
        ("minimise", "at_most", "would allow 2 million USD less exports lost"),
        ("maximise", "at_least", "asked for would bring 2 million USD less exports lost"),
        ("minimise", "at_least", "asked for would bring 2 million USD more exports lost"),
    ],
)
def test_a_looser_limit_helps_and_a_stricter_one_costs(objective: str, side: str, told: str):
    limit = {"effect": "compute denied", "name": "denial", side: 10.0}
    found = sentences(outcome({objective: "exports lost"}, [limit], [1.0, 10.0], [0.0]))
    assert any(told in one for one in found), found


def test_limits_that_cannot_be_kept_are_all_named_and_do_not_bind():
    limits = [
        {"effect": "compute denied", "name": name, side: bound}
        for name, side, bound in (("floor", "at_least", 9.0), ("ceiling", "at_most", 1.0), ("budget", "at_most", 90.0))
    ]
    found = sentences(outcome({"maximise": "exports lost"}, limits, [1.0, 5.0, 5.0, 5.0], [1.0, 0.5, -1.0]))
    assert "floor is not kept: 5 H100e, at least 9 H100e asked for." in found
    assert "What cannot be kept together: floor, ceiling; loosen it or widen a range." in found
    assert not any("binds" in one for one in found)


def test_points_of_the_frontier_that_cannot_be_reached_are_named():
    limit = {"effect": "welfare cost", "name": "cost", "at_most": 500.0}
    frontier = [(100.0, -7.0, False), (300.0, 3.0, True), (500.0, 5.0, True)]
    found = outcome({"maximise": "compute denied"}, [limit], [5.0, 500.0], [0.0], frontier)
    told = " ".join(sentences(found))
    assert "no package keeps cost at 100 million USD with the other limits" in told
    assert "cost goes from 300 million USD to 500 million USD and compute denied from 3 H100e to 5 H100e" in told
    prices = tables.frontier_rows(found, None).filter(tables.pl.col("kind") == "price")["value"].to_list()
    assert prices == [None, 2.0, 2.0]

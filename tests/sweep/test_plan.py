"""Scenarios and chunks follow from the file alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backfill.economy.priors import load_priors
from backfill.experiments.sweep.draws import cube
from backfill.experiments.sweep.file import SweepTable
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.write import scenario_ids

LEVERS = [
    {"measure": "A", "field": "rate", "low": 0.0, "high": 1.0},
    {"measure": "B", "field": "level", "low": 0.2, "high": 0.6},
]
PARAMETERS = [{"parameter": "sigma_family"}, {"parameter": "discount_factor"}]
ABOUT = {"file": "f", "inputs": "i", "reference": "r", "data": "d", "version": "v", "keep": "effects"}


def plan(**table: Any) -> Plan:
    return Plan.of(SweepTable.model_validate(table))


def test_a_grid_is_every_combination_the_last_lever_fastest():
    found = plan(levers=[{**LEVERS[0], "points": 3}, {"measure": "B", "field": "level", "values": [0.2, 0.6]}])
    assert [tuple(found.values(n).values()) for n in range(6)] == [
        (0, 0.2),
        (0, 0.6),
        (0.5, 0.2),
        (0.5, 0.6),
        (1, 0.2),
        (1, 0.6),
    ]


def test_listed_values_go_together():
    pairs = [
        {"measure": "A", "field": "rate", "values": [0, 1]},
        {"measure": "B", "field": "level", "values": [0.2, 0.6]},
    ]
    found = plan(policy={"by": "listed"}, levers=pairs)
    assert [tuple(found.values(n).values()) for n in range(len(found))] == [(0, 0.2), (1, 0.6)]


def test_crossed_keeps_the_scenarios_of_a_draw_together_and_paired_goes_row_by_row():
    choices = {"policy": {"by": "sobol", "samples": 8}, "uncertainty": {"samples": 8}}
    crossed = plan(levers=LEVERS, parameters=PARAMETERS, chunk=5, **choices)
    assert len(crossed) == 64
    assert len(crossed.draws) == 8
    for chunk in crossed.chunks:
        assert len(chunk.scenarios) <= 5
        assert len(set(crossed.draw[chunk.scenarios])) <= 2
    every = np.concatenate([chunk.scenarios for chunk in crossed.chunks])
    assert sorted(every) == list(range(64))
    paired = plan(levers=LEVERS, parameters=PARAMETERS, combine="paired", **choices)
    assert len(paired) == 8
    assert (paired.row == paired.draw).all()
    assert np.array_equal(paired.levers, crossed.levers)


def test_names_of_draws_make_them():
    def drawn(seed: str | int, by: str = "latin_hypercube") -> np.ndarray:
        return plan(policy={"by": by, "samples": 16, "seed": seed}, levers=LEVERS).levers

    assert np.array_equal(drawn("one"), drawn("one"))
    assert not np.array_equal(drawn("one"), drawn("two"))
    assert not np.array_equal(drawn("1"), drawn(1))
    assert not np.array_equal(drawn("one", "random"), drawn("one"))


@pytest.mark.parametrize("by", ["latin_hypercube", "sobol"])
def test_drawn_points_fill_every_slice(by: str):
    shares = cube(by, 32, 3, "slices")
    for n in range(3):
        assert sorted((shares[:, n] * 32).astype(int)) == list(range(32))


def test_a_saltelli_design_moves_one_coordinate_at_a_time():
    shares = cube("saltelli", 8, 3, "x").reshape(8, 5, 3)
    for n in range(3):
        moved = shares[:, n + 1] != shares[:, 0]
        assert (moved == (np.arange(3) == n)).all()
        assert (shares[:, n + 1, n] == shares[:, -1, n]).all()


def test_draws_that_repeat_are_calibrated_once():
    found = plan(combine="joint", policy={"by": "saltelli", "samples": 4}, levers=LEVERS[:1], parameters=PARAMETERS[:1])
    assert len(found) == 16
    assert len(found.draws) == 8
    assert all(found.values(n)["sigma_family"] == found.draws[found.draw[n], 0] for n in range(16))


def test_parameters_are_drawn_from_their_priors():
    found = plan(parameters=PARAMETERS, uncertainty={"by": "sobol", "samples": 512}).draws
    for n, one in enumerate(PARAMETERS):
        prior = load_priors()[one["parameter"]]
        low, high = prior.ends
        assert (found[:, n] >= low * (1 - 1e-9)).all()
        assert (found[:, n] <= high * (1 + 1e-9)).all()
        np.testing.assert_allclose(
            np.sort(prior.probability(found[:, n]))[5:-5:10], np.arange(5.5, 507, 10) / 512, atol=0.004
        )


def test_an_id_tells_inputs_data_and_version_apart():
    found = plan(levers=[{**LEVERS[0], "points": 50}])
    ids = scenario_ids(found, range(50), ABOUT)
    assert len(set(ids)) == 50
    assert ids == scenario_ids(found, range(50), ABOUT)
    for word in ("inputs", "reference", "data", "version"):
        assert not set(ids) & set(scenario_ids(found, range(50), {**ABOUT, word: "other"}))


def test_values_drawn_again_have_ids_of_their_own():
    few = {**{key: value for key, value in LEVERS[0].items() if key not in ("low", "high", "points")}, "values": [0.1, 0.2]}
    found = plan(levers=[few], policy={"by": "random", "samples": 12})
    assert sorted(set(found.repeats.tolist())) == list(range(found.repeats.max() + 1))
    assert int((found.repeats == 0).sum()) == 2
    ids = scenario_ids(found, range(12), ABOUT)
    assert len(set(ids)) == 12
    once = plan(levers=[few])
    assert set(scenario_ids(once, range(2), ABOUT)) == {one for one, n in zip(ids, found.repeats, strict=True) if n == 0}


def test_chunks_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch):
    before = [chunk.scenarios.tolist() for chunk in plan(levers=[{**LEVERS[0], "points": 1000}]).chunks]
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert [chunk.scenarios.tolist() for chunk in plan(levers=[{**LEVERS[0], "points": 1000}]).chunks] == before

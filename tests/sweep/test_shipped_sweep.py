"""Shipped sweeps answer at corners and middles as they did when last looked at.

``python -m tests.sweep.test_shipped_sweep [NAME ...]`` rewrites what is expected.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backfill.commands.run import keep_compiled
from backfill.experiments.config import load_experiment
from backfill.experiments.sweep.coupled import Coupled
from backfill.experiments.sweep.economies import Economies
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.static import Static
from backfill.resources import experiments_dir

SHIPPED = {
    "secondary-tariff-grid": [101 * duty + level for duty in (0, 50, 100) for level in (0, 50, 100)],
    "secondary-tariff-by-ally": [0, 1330, *(10 * step for step in (1, 11, 121)), 665],
    "location-verification-coverage": [0, 5, 10],
}
"""Scenarios looked at of each."""

SIZES = {
    "secondary-tariff-grid": (101, 101), "secondary-tariff-by-ally": (11, 11, 11), "location-verification-coverage": (11,),
}  # fmt: skip
EFFECTS = {
    ("compute denied", "adversary"), ("equivalent variation", "KOR"), ("equivalent variation", "us"),
    ("equivalent variation", "adversary"), ("change in fiscal revenue", "us"), ("change in exports", "ally"),
    ("welfare, present value", "us"), ("welfare, present value", "adversary"), ("equivalent variation", "JPN"),
    ("equivalent variation", "NLD"),
    ("change in compute, smuggled through hubs", "adversary"),
}  # fmt: skip
RELATIVE = 1e-6


def expected_file(name: str) -> Path:
    return experiments_dir() / f"{name}.sweep.csv"


def answers(name: str) -> pl.DataFrame:
    """Some effects of some scenarios, over all years where there are several."""
    experiment = load_experiment(name)
    assert experiment.sweep is not None
    plan = Plan.of(experiment.sweep)
    reference = load_experiment(experiment.reference, compared_with=experiment, inert_allowed=True)
    numbers = np.array(SHIPPED[name])
    mode = Static if experiment.sweep.mode == "static" else Coupled
    solved = mode(Economies(experiment, plan), reference.policy).solve(0, numbers)
    assert not any(solved.reasons)
    assert solved.measured is not None
    rows = [
        (*plan.values(int(number)).values(), key.quantity, key.where, key.product, float(value))
        for key, values in zip(solved.measured.keys, solved.measured.values[..., -1], strict=True)
        if (key.quantity, key.where) in EFFECTS and (key.quantity != "change in exports" or key.product == "tools")
        for number, value in zip(numbers, values, strict=True)
        if np.isfinite(value)
    ]
    return pl.DataFrame(rows, schema=[*plan.table.labels, "quantity", "where", "product", "value"], orient="row")


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_its_answers_are_the_expected_ones(name: str):
    found, expected = answers(name), pl.read_csv(expected_file(name))
    assert found.drop("value").equals(expected.drop("value"))
    largest = expected.select(pl.col("value").abs().max().over("quantity", "where"))["value"]
    assert ((found["value"] - expected["value"]).abs() <= RELATIVE * largest).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_it_has_the_size_it_is_described_with(name: str):
    table = load_experiment(name).sweep
    assert table is not None
    assert len(Plan.of(table)) == np.prod(SIZES[name])
    assert len(table.labels) == len(SIZES[name])


def test_every_shipped_sweep_is_looked_at():
    assert {path.name for path in experiments_dir().glob("*.sweep.csv")} == {expected_file(name).name for name in SHIPPED}


if __name__ == "__main__":
    keep_compiled()
    for chosen in sys.argv[1:] or SHIPPED:
        answers(chosen).with_columns(pl.col("value").round_sig_figs(10)).write_csv(expected_file(chosen))
        print(f"wrote {expected_file(chosen)}")

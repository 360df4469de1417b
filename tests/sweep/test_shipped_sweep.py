"""The shipped grid answers at its corners and middles as it did when last looked at.

``python -m tests.sweep.test_shipped_sweep`` rewrites what is expected.
"""

from __future__ import annotations

import sys

import numpy as np
import polars as pl
import pytest

from backfill.experiments.config import load_experiment
from backfill.experiments.sweep.economies import Economies
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.static import Static
from backfill.resources import experiments_dir

NAME = "secondary-tariff-grid"
EXPECTED = experiments_dir() / f"{NAME}.sweep.csv"
EFFECTS = {
    ("compute denied", "adversary"), ("equivalent variation", "KOR"), ("equivalent variation", "us"),
    ("equivalent variation", "adversary"), ("change in fiscal revenue", "us"), ("change in exports", "ally"),
}  # fmt: skip
RELATIVE = 1e-6


def answers() -> pl.DataFrame:
    """Effects at three duties and three levels."""
    experiment = load_experiment(NAME)
    assert experiment.sweep is not None
    plan = Plan.of(experiment.sweep)
    reference = load_experiment(experiment.reference, compared_with=experiment, inert_allowed=True)
    numbers = np.array([101 * duty + level for duty in (0, 50, 100) for level in (0, 50, 100)])
    solved = Static(Economies(experiment, plan), reference.policy).solve(0, numbers)
    assert not any(solved.reasons)
    assert solved.measured is not None
    rows = [
        (*plan.values(int(number)).values(), key.quantity, key.where, key.product, float(value))
        for key, values in zip(solved.measured.keys, solved.measured.values[..., 0], strict=True)
        if (key.quantity, key.where) in EFFECTS and (key.quantity != "change in exports" or key.product == "tools")
        for number, value in zip(numbers, values, strict=True)
    ]
    return pl.DataFrame(rows, schema=[*plan.table.labels, "quantity", "where", "product", "value"], orient="row")


@pytest.mark.slow
def test_its_answers_are_the_expected_ones():
    found, expected = answers(), pl.read_csv(EXPECTED)
    assert found.drop("value").equals(expected.drop("value"))
    largest = expected.select(pl.col("value").abs().max().over("quantity", "where"))["value"]
    assert ((found["value"] - expected["value"]).abs() <= RELATIVE * largest).all()


def test_it_is_a_grid_of_101_by_101():
    table = load_experiment(NAME).sweep
    assert table is not None
    assert len(Plan.of(table)) == 101 * 101
    assert table.labels == ("secondary tariff", "Korean alignment")


if __name__ == "__main__":
    answers().with_columns(pl.col("value").round_sig_figs(10)).write_csv(EXPECTED)
    print(f"wrote {EXPECTED}")
    sys.exit(0)

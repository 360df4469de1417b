"""Every shipped experiment is solved and answers as it did when last looked at."""

from __future__ import annotations

import pytest

from backfill.experiments.results import CHECKS, Status
from backfill.experiments.run import run
from backfill.resources import experiments_dir
from tests.experiments.expected import NAMES, differences, expected_file

LIMITS = dict.fromkeys(CHECKS, 1e-8) | {"leakage_sum": 1e-9, "coupling_step": 1e-6, "coupling_optimality": 1e-6}


@pytest.fixture(scope="module", params=NAMES)
def result(request: pytest.FixtureRequest):
    return run(request.param)


@pytest.mark.slow
def test_it_is_solved_to_the_promised_accuracy(result):
    assert result.status is Status.SOLVED, result.message
    assert result.checks["converged"] == 1
    assert {name: value for name, value in result.checks.items() if name != "converged" and value > LIMITS[name]} == {}


@pytest.mark.slow
def test_its_summary_is_the_expected_one(result):
    assert differences(result.summary, result.name) == []


def test_every_shipped_experiment_has_an_expected_summary():
    assert {path.name for path in experiments_dir().glob("*.expected.csv")} == {
        expected_file(name).name for name in NAMES
    }

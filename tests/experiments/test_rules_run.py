"""Every dated rule is solved by itself to the accuracy promised of experiments."""

from __future__ import annotations

import pytest

from backfill.experiments.results import Status
from backfill.experiments.run import run
from backfill.policy.library import rule_names
from tests.experiments.test_shipped import LIMITS


@pytest.mark.slow
@pytest.mark.parametrize("name", rule_names())
def test_a_rule_is_solved_to_the_promised_accuracy(name: str):
    result = run(name)
    assert result.status is Status.SOLVED, result.message
    assert result.checks["converged"] == 1
    residuals = {check: value for check, value in result.checks.items() if check != "converged"}
    assert {check: value for check, value in residuals.items() if value > LIMITS[check]} == {}

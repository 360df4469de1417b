"""What closes a region's budget."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.economy.economy import Endowment
from backfill.trade.income import Income, closed


def income(labour: list[float], profits: list[float]) -> Income:
    nothing = np.zeros(len(labour))
    given = (np.array(labour), np.array(profits), *[nothing] * 6)
    return Income(*given, deficit=nothing, outlay=nothing + 1.0, investment=nothing + 2.0)


def test_deficits_are_shares_of_world_labour_income_or_follow_own_income():
    """Ratios 1.2 and 0.9 at incomes of 60 and 120; the first doubles, and both spend 240 / 252 of their ratio of it."""
    labour = np.array([50.0, 100.0])
    before = income([50.0, 100.0], [10.0, 20.0])
    fixed = Endowment(labour, np.array([0.08, -0.08]), np.zeros(0))
    np.testing.assert_allclose(closed(before, fixed).deficit, [12.0, -12.0])
    follows = Endowment(labour, np.zeros(2), np.array([1.2, 0.9]))
    np.testing.assert_allclose(closed(before, follows).deficit, [12.0, -12.0])
    after = income([110.0, 100.0], [10.0, 20.0])
    np.testing.assert_allclose(closed(after, fixed).deficit, [12.0, -12.0])
    spent = closed(after, follows)
    np.testing.assert_allclose(spent.own() + spent.deficit, np.array([1.2 * 120, 0.9 * 120]) * 240 / 252)
    assert spent.deficit.sum() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(spent.absorption(), spent.own() + spent.deficit - 3.0)

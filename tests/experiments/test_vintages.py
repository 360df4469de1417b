"""What suppliers know when."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from backfill.dimensions import periods
from backfill.experiments.config import load_experiment
from backfill.experiments.vintages import at, known, last, news, vintages
from backfill.policy.compile import compile_policy
from backfill.policy.measure import Measure
from backfill.policy.policy import Policy, parse_measures

YEARS = periods(2022, 2026, 1)
CONTROL = {
    "kind": "export_control", "by": "USA", "products": "accelerators_frontier", "destinations": "CHN", "coverage": 0.5,
}  # fmt: skip


def measure(**dates: dt.date | float) -> Measure:
    placed, wrong = parse_measures([{**CONTROL, **dates}], "policy", None)
    assert not wrong
    return placed[0].measure


def names(policy: Policy) -> list[tuple[dt.date | None, dt.date | None]]:
    return [(one.begin, one.until) for one in policy.measures]


EARLY = measure(**{"from": dt.date(2022, 10, 7)})
LATE = measure(announced=dt.date(2024, 6, 1), coverage=0.9, **{"from": dt.date(2025, 3, 1)})
TIMELESS = measure(coverage=0.1)
ENDING = measure(announced=dt.date(2023, 1, 1), until=dt.date(2025, 4, 9), **{"from": dt.date(2023, 7, 1)})


def test_measures_become_known_in_the_period_of_their_announcement():
    policy = Policy.of([EARLY, LATE, TIMELESS])
    assert news(policy, YEARS) == (0, 2)
    assert names(known(policy, 0, YEARS)) == names(Policy.of([EARLY, TIMELESS]))
    assert names(known(policy, 1, YEARS)) == names(Policy.of([EARLY, TIMELESS]))
    assert known(policy, 2, YEARS) == policy


def test_half_years_tell_more():
    assert news(Policy.of([EARLY, LATE]), periods(2022, 2026, 2)) == (0, 1, 4)


def test_an_end_is_not_known_before_it_comes():
    policy = Policy.of([ENDING])
    assert news(policy, YEARS) == (0, 1, 3)
    assert names(known(policy, 0, YEARS)) == []
    assert names(known(policy, 1, YEARS)) == [(dt.date(2023, 7, 1), None)]
    assert names(known(policy, 3, YEARS)) == [(dt.date(2023, 7, 1), dt.date(2025, 4, 9))]


def test_what_happens_after_the_last_period_is_never_news():
    never = measure(**{"from": dt.date(2031, 1, 1)})
    assert news(Policy.of([EARLY, never]), YEARS) == (0,)


@pytest.mark.parametrize("per_year", [1, 2])
def test_every_vintage_is_the_one_before_it_until_it_becomes_known(vocabulary, per_year: int):
    grid = periods(2022, 2030, per_year)
    policy = load_experiment("allied-alignment").policy
    found = vintages(policy, grid, lambda part: compile_policy(part, vocabulary, grid, inert_allowed=True))
    assert list(found) == {1: [0, 1, 2, 3, 4], 2: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}[per_year]
    earlier = None
    for after, wedges in found.items():
        if earlier is not None:
            for name in ("coverage", "advanced", "tariff", "levy", "real_cost", "enforcement"):
                np.testing.assert_array_equal(getattr(wedges, name)[:after], getattr(earlier, name)[:after])
            assert not np.array_equal(wedges.coverage[after:], earlier.coverage[after:]) or per_year == 2
        earlier = wedges
    whole = compile_policy(policy, vocabulary, grid)
    np.testing.assert_allclose(last(found).coverage, whole.coverage, atol=1e-12)
    np.testing.assert_allclose(last(found).levy, whole.levy, atol=1e-12)
    assert at(found, 10**6) is last(found)
    assert at(found, 0) is found[0]


def test_each_year_has_the_vintage_last_announced(vocabulary):
    """Every number of ended periods between two announcements names the same vintage."""
    grid = periods(2022, 2030, 1)
    policy = load_experiment("current-policy").policy
    found = vintages(policy, grid, lambda part: compile_policy(part, vocabulary, grid, inert_allowed=True))
    assert list(found) == [0, 1, 2, 3, 4]
    for after in range(9):
        assert at(found, after) is found[min(after, 4)]


def test_an_end_is_known_from_its_announcement():
    policy = Policy.of([ENDING.model_copy(update={"until_announced": dt.date(2024, 2, 1)})])
    assert news(policy, YEARS) == (0, 1, 2)
    assert names(known(policy, 1, YEARS)) == [(dt.date(2023, 7, 1), None)]
    assert names(known(policy, 2, YEARS)) == [(dt.date(2023, 7, 1), dt.date(2025, 4, 9))]

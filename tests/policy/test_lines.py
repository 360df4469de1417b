"""Controls written by technical lines, and what sellers design under them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.errors import Faults
from tests.policy.written import FACTS, at, wedges

OCTOBER_2023 = [{"tpp": 4800}, {"tpp": 1600, "performance_density": 5.92}]
LINES = {"kind": "export_control", "by": "USA", "products": "us_accelerators", "destinations": "CHN", "coverage": 0.9}


def lines(threshold: object, **table: object) -> dict:
    """A control by lines; figures as numbers of any type."""
    listed = threshold if isinstance(threshold, list) else [threshold]
    return {**LINES, "threshold": [{k: float(v) for k, v in line.items()} for line in listed], **table}


def test_the_lines_of_the_rules_catch_the_chips_they_were_drawn_for():
    from backfill.policy.thresholds import Line, caught

    chips = {chip.name: chip for chip in FACTS.chips}
    october_2022 = [Line(tpp=4800.0, interconnect=600.0)]
    october_2023 = [Line(**{k: float(v) for k, v in line.items()}) for line in OCTOBER_2023]
    assert {name for name in ("A100", "A800", "H100", "H800", "H20") if caught(october_2022, chips[name])} == {
        "A100",
        "H100",
    }
    assert {name for name in ("A100", "A800", "H100", "H800", "H20") if caught(october_2023, chips[name])} == {
        "A100", "A800", "H100", "H800",
    }  # fmt: skip
    assert caught([Line(memory_bandwidth=1.4)], chips["H20"])


def test_a_control_by_lines_covers_the_share_of_sales_above_them():
    found = wedges(lines(OCTOBER_2023)).coverage
    frontier, grade = (found[at(f"accelerators_{name}", "USA", "CHN")] for name in ("frontier", "export_grade"))
    assert (frontier > 0.6).all()
    assert grade[0] == 0
    np.testing.assert_allclose(wedges(lines({"tpp": 1})).coverage[at("accelerators_export_grade", "USA", "CHN")], 0.9)


@given(st.floats(0, 40000), st.floats(0, 40000))
def test_a_lower_line_catches_no_less(one: float, other: float):
    low, high = sorted((one, other))
    place = at("accelerators_frontier", "USA", "CHN")
    assert (wedges(lines({"tpp": low})).coverage[place] >= wedges(lines({"tpp": high})).coverage[place]).all()


def test_a_line_above_every_model_is_an_error():
    with pytest.raises(Faults, match="no model of these products is above it"):
        wedges(lines({"tpp": 1e9}), allowed=False)


def test_memory_is_caught_by_its_density():
    control = lines({"hbm_density": 2.0}, products="hbm", coverage=0.8)
    np.testing.assert_allclose(wedges(control).coverage[at("hbm", "USA", "CHN")], 0.8)
    half = lines({"hbm_density": 5.0}, products="hbm", coverage=0.8)
    np.testing.assert_allclose(wedges(half).coverage[at("hbm", "USA", "CHN")], 0.4)


def redesign(**table: object) -> dict:
    return {"kind": "redesign", "products": "accelerators_export_grade", "destinations": "CHN", **table}


def test_variants_come_after_their_lag_and_cost():
    control = lines({"tpp": 1}, products="accelerators_export_grade")
    found = wedges(control, redesign(lag=1.0, cost=0.1, reopened=0.75))
    place = at("accelerators_export_grade", "USA", "CHN")
    np.testing.assert_allclose(found.coverage[place], [0.9, 0.225, 0.225, 0.225])
    np.testing.assert_allclose(found.real_cost[place], [0.0, *3 * [0.1 * (0.9 - 0.225) / (1 - 0.225)]])


def test_a_variant_for_few_costs_all_who_buy_little():
    control = lines({"tpp": 1}, products="accelerators_export_grade")
    place = at("accelerators_export_grade", "USA", "CHN")
    for reopened in (1e-4, 0.01, 1.0):
        found = wedges(control, redesign(lag=0.0, cost=0.5, reopened=reopened))
        served = 0.9 * reopened
        np.testing.assert_allclose(found.coverage[place], 0.9 - served)
        np.testing.assert_allclose(found.real_cost[place], 0.5 * served / (0.1 + served), atol=1e-12)


def test_what_follows_the_destination_is_not_designed_around():
    control = lines({"tpp": 1}, products="accelerators_export_grade")
    ban = {**LINES, "products": "accelerators_export_grade", "coverage": 0.5}
    found = wedges(control, ban, redesign(lag=1.0))
    np.testing.assert_allclose(found.coverage[at("accelerators_export_grade", "USA", "CHN")], [0.9, 0.5, 0.5, 0.5])
    with pytest.raises(Faults, match="draws no line"):
        wedges(ban, redesign(), allowed=False)


@pytest.mark.parametrize(
    ("line", "variant", "told"),
    [
        (("2024-01-01", "2024-04-01"), ("2025-01-01", None), r"from: 2025-01-01: .* is over by then \(2024-04-01\)"),
        (("2026-01-01", None), (None, "2025-01-01"), "until: 2025-01-01: no line on these flows is drawn before 2026-01-01"),
    ],
)
def test_a_variant_of_a_line_at_another_time_is_told_when_the_line_is(line, variant, told: str):
    def days(begin: str | None, until: str | None) -> dict:
        given = {"from": begin, "until": until}
        return {key: dt.date.fromisoformat(day) for key, day in given.items() if day}

    control = {**lines({"tpp": 1}, products="accelerators_export_grade"), "from": dt.date(2024, 1, 1), **days(*line)}
    with pytest.raises(Faults, match=told):
        wedges(control, redesign(**days(*variant)), allowed=False)

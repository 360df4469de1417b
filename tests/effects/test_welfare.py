"""Welfare, revenue, rents and the treasury worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from backfill.effects.welfare import GAIN, discounted_denial, present_values, welfare
from tests.effects.hand_made import DOWNSTREAM, POLICY, REFERENCE, comparison, everyone, world

BEFORE = {
    ("2022", "USA"): {"price_index": 1.0, "real_absorption": 1000.0, "absorption": 1000.0, "profits": 50.0},
    ("2023", "USA"): {"price_index": 1.1, "real_absorption": 1000.0, "absorption": 1100.0, "profits": 60.0},
    ("2023", "KOR"): {"price_index": 2.0, "real_absorption": 100.0, "absorption": 200.0},
}
AFTER = {
    ("2022", "USA"): {"price_index": 1.0, "real_absorption": 990.0, "absorption": 990.0, "profits": 50.0},
    ("2023", "USA"): {
        "price_index": 1.2,
        "real_absorption": 1020.0,
        "absorption": 1224.0,
        "profits": 48.0,
        "capacity_rents": 3.0,
        "tariff_revenue": 7.0,
        "fines": 1.0,
    },
    ("2023", "KOR"): {"price_index": 2.0, "real_absorption": 99.0, "absorption": 198.0},
}


@pytest.fixture(scope="module")
def case():
    return comparison(
        world(REFERENCE, incomes=BEFORE, worth={"USA": 5.0}),
        world(POLICY, incomes=AFTER, worth={"USA": 2.0, "KOR": 1.0}),
        world(DOWNSTREAM),
    )


def cell(table: pl.DataFrame, quantity: str, region: str, period: str, product: str = "all"):
    return table.filter(
        pl.col("quantity") == quantity,
        pl.col("region") == region,
        pl.col("period") == period,
        pl.col("product") == product,
    )["value"].item()


def test_equivalent_variation_at_reference_prices(case):
    table = welfare(case)
    assert cell(table, "equivalent variation", "USA", "2022") == pytest.approx(-10)
    assert cell(table, "equivalent variation", "us", "2023") == pytest.approx(1.1 * 20)
    assert cell(table, "equivalent variation", "KOR", "2023") == pytest.approx(-2)
    assert cell(table, "equivalent variation", "world", "2023") == pytest.approx(20)


def test_present_value_counts_what_capacity_is_still_worth(case):
    table = {row["region"]: row for row in present_values(case).to_dicts()}
    assert table["USA"]["flow"] == pytest.approx(-10 + 0.5 * 22)
    assert table["USA"]["terminal"] == pytest.approx(-3)
    assert table["us"]["value"] == pytest.approx(-2)
    assert table["KOR"]["value"] == pytest.approx(-1 + 1)
    assert table["world"]["value"] == pytest.approx(-2)
    assert table["USA"]["base"] == pytest.approx(1000 + 0.5 * 1100)


def test_cost_per_unit_discounts_both_alike(case):
    # 10,000 H100e denied in the second year, weight one half; the US and its allies lose 2 million
    assert discounted_denial(case) == pytest.approx((5_000, 14_000 + 0.5 * 26_000))
    table = welfare(case)
    assert cell(table, "cost per unit denied", "us+ally", "all", "accelerators") == pytest.approx(2e6 / 5_000)
    assert cell(table, "compute denied, discounted", "adversary", "all", "accelerators") == pytest.approx(5_000)


def test_a_cost_below_nothing_says_that_it_is_a_gain(case):
    def note(change: float) -> tuple[float, str]:
        incomes = {key: {**one, "real_absorption": one["real_absorption"] * change} for key, one in BEFORE.items()}
        table = welfare(comparison(world(REFERENCE, incomes=BEFORE), world(POLICY, incomes=incomes), world(DOWNSTREAM)))
        row = table.filter(pl.col("quantity") == "cost per unit denied").row(0, named=True)
        return row["value"], row["note"]

    assert note(1.1)[0] < 0
    assert note(1.1)[1] == GAIN
    assert note(0.9)[0] > 0
    assert note(0.9)[1] == ""


@pytest.mark.parametrize(("kept", "said"), [(20, "is zero or negative"), (19, "is under 5% of the reference's")])
def test_cost_undefined_where_little_is_denied(case, kept: float, said: str):
    year = {"own": 6, "us at home": 200, "us tools": 60, "korean tools": 40, "own tools": 5}
    after = REFERENCE[:6] + everyone({"2023": {"us to china": kept, **year}})
    table = welfare(comparison(case.reference, world(after), world(after)))
    row = table.filter(pl.col("quantity") == "cost per unit denied").to_dicts()[0]
    assert row["value"] is None
    assert row["note"] == f"undefined: compute denied {said}"
    assert cell(table, "compute denied, discounted", "adversary", "all", "accelerators") == 500 * (20 - kept)


def test_revenue_lost_gross_and_net_of_resale(case):
    table = welfare(case)
    # 18 thousand fewer to China; 14 resold at home, 4 to China's users by way of Malaysia
    assert cell(table, "revenue lost, gross", "USA", "2023", "frontier") == pytest.approx(18 * 20)
    assert cell(table, "revenue lost, net of resale", "USA", "2023", "frontier") == pytest.approx(0)
    assert cell(table, "revenue lost, gross", "USA", "all") == pytest.approx(18 * 20 + 40)
    assert cell(table, "revenue lost, net of resale", "us", "all", "lithography") == pytest.approx(40)


def test_rents_and_treasury(case):
    table = welfare(case)
    assert cell(table, "rents lost", "USA", "2023") == pytest.approx(60 - 51)
    assert cell(table, "change in fiscal revenue", "USA", "all") == pytest.approx(8)

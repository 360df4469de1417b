"""Backfill rates worked out by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.effects.backfilling import FALL, backfilling
from backfill.effects.rates import SMALLEST
from tests.effects.hand_made import DOWNSTREAM, POLICY, REFERENCE, comparison, everyone, world


def rate(table: pl.DataFrame, origin: str, product: str, measure: str, period: str = "2023", place: str = "CHN"):
    return table.filter(
        pl.col("origin") == origin,
        pl.col("product") == product,
        pl.col("period") == period,
        pl.col("destination") == place,
        pl.col("quantity") == f"backfill rate, {measure}",
    )["value"].item()


@pytest.fixture(scope="module")
def table():
    return backfilling(comparison(world(REFERENCE), world(POLICY), world(DOWNSTREAM)))


def test_tools_by_seller(table):
    # the US sells 40 less; Korea 20 more, China's own makers 4 more
    assert rate(table, "KOR", "lithography", "current value") == pytest.approx(0.5)
    assert rate(table, "CHN", "lithography", "current value") == pytest.approx(0.1)
    assert rate(table, "all but the US", "tools", "quality units") == pytest.approx(0.6)
    assert rate(table, "ally", "tools", "benchmark value") == pytest.approx(0.5)
    assert rate(table, "ally", "tools", "benchmark value", period="all") == pytest.approx(0.5)


def test_accelerators_in_units_and_values(table):
    # the US sells 18 frontier less to China and .5 of another line more: 17.5 units; China makes 1 more, Korea 2
    assert rate(table, "CHN", "accelerators", "quality units") == pytest.approx(1 / 17.5)
    assert rate(table, "KOR", "accelerators", "quality units") == pytest.approx(2 / 17.5)
    assert rate(table, "KOR", "accelerators", "current value") == pytest.approx(36 / (18 * 20 - 0.5 * 18))


def test_diverted_goods_are_no_sale_to_the_destination(table):
    assert rate(table, "MYS", "accelerators", "quality units") == pytest.approx(0.5 / 17.5)


def test_undefined_where_us_sales_do_not_fall(table):
    early = table.filter(pl.col("period") == "2022", pl.col("quantity").str.starts_with("backfill rate"))
    assert early.height > 0
    assert early["value"].null_count() == early.height
    assert early["note"].str.starts_with("undefined").all()


@pytest.mark.parametrize(("policy", "rate_given"), [(9.51, False), (9.49, True)])
def test_undefined_where_us_sales_hardly_fall_but_amounts_stay(policy: float, rate_given: bool):
    before = everyone({"2023": {"us tools": 10, "korean tools": 1}})
    after = everyone({"2023": {"us tools": policy, "korean tools": 4}})
    table = backfilling(comparison(world(before), world(after), world(before)))
    here = table.filter(
        pl.col("period") == "2023", pl.col("destination") == "CHN", pl.col("product") == "tools"
    ).rows_by_key(["origin", "quantity"], named=True, unique=True)
    row = here["KOR", "backfill rate, current value"]
    assert row["value"] == (pytest.approx(3 / (10 - policy)) if rate_given else None)
    assert row["note"] == ("" if rate_given else f"undefined: {FALL} is under 5% of the reference's")
    assert here["KOR", "change in sales, current value"]["value"] == 3
    assert here["us", "change in sales, current value"]["value"] == pytest.approx(policy - 10)
    assert here["us", "reference sales, current value"]["value"] == 10


def test_only_controlled_products_and_their_groups(table):
    assert set(table["product"]) == {"frontier", "accelerators", "lithography", "tools"}


def test_benchmark_value_holds_prices_at_the_reference():
    before = [
        ("2023", "lithography", "USA", "CHN", "CHN", "direct", 10, 1.0),
        ("2023", "lithography", "KOR", "CHN", "CHN", "direct", 10, 1.0),
    ]
    after = [("2023", "lithography", "KOR", "CHN", "CHN", "direct", 15, 1.2)]
    table = backfilling(comparison(world(before), world(after), world(before)))
    assert rate(table, "KOR", "tools", "benchmark value") == pytest.approx(0.5)
    assert rate(table, "KOR", "tools", "current value") == pytest.approx((18 - 10) / 10)
    assert rate(table, "KOR", "tools", "quality units") == pytest.approx(0.5)


def test_changes_of_all_sellers_and_the_us_add_up(table):
    changes = table.filter(
        pl.col("quantity") == "change in sales, current value",
        pl.col("product") == "tools",
        pl.col("period") == "2023",
        pl.col("destination") == "CHN",
    )
    regions = changes.filter(pl.col("origin").is_in(["KOR", "MYS", "CHN"]))["value"].sum()
    assert regions == pytest.approx(changes.filter(pl.col("origin") == "all but the US")["value"].item())


def test_half_backfilled_by_construction():
    before = everyone({"2023": {"us tools": 10}})
    after = everyone({"2023": {"us tools": 6, "korean tools": 2}})
    table = backfilling(comparison(world(before), world(after), world(before)))
    assert rate(table, "KOR", "tools", "benchmark value") == pytest.approx(0.5)


def test_nobody_backfills_what_only_the_us_makes(table):
    assert rate(table, "all but the US", "frontier", "quality units") == 0.0
    assert rate(table, "ally", "frontier", "current value", place="adversary") == 0.0


tools = st.fixed_dictionaries({n: st.floats(1, 1e6) for n in ("us tools", "korean tools", "own tools")})


@given(tools, tools)
def test_sellers_rates_add_up_to_all_others(reference, policy):
    before, after = world(everyone({"2023": reference})), world(everyone({"2023": policy}))
    table = backfilling(comparison(before, after, before))
    lost = reference["us tools"] - policy["us tools"]
    total = rate(table, "all but the US", "tools", "current value")
    if lost <= SMALLEST * reference["us tools"]:
        assert total is None
        return
    sellers = [rate(table, seller, "tools", "current value") for seller in ("ally", "partner", "adversary")]
    assert math.fsum(sellers) == pytest.approx(total, rel=1e-9, abs=1e-9)
    gained = sum(policy[n] - reference[n] for n in ("korean tools", "own tools"))
    assert total * lost == pytest.approx(gained, rel=1e-6, abs=1e-6)

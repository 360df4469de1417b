"""Acquisitions, stocks and ratios; exports, capacities and limits as long tables; levels and changes."""

from __future__ import annotations

import polars as pl
import pytest

from backfill.effects.comparison import changes
from backfill.effects.compute import acquisitions, compute
from backfill.effects.exports import capacities, exports, limits, prices, stockpiles
from tests.effects.hand_made import PERIODS, POLICY, REFERENCE, VOCABULARY, world

WORLDS = {"no-controls": world(REFERENCE), "control": world(POLICY, quota=4.0, stored=3.0)}


def one(table: pl.DataFrame, column: str = "value", **where: str):
    return table.filter(*[pl.col(k) == v for k, v in where.items()])[column].item()


@pytest.fixture(scope="module")
def table():
    return compute(WORLDS, VOCABULARY, PERIODS, depreciation=0.25)


def test_routes_are_told_apart():
    units = acquisitions(WORLDS["control"]["flows"], VOCABULARY).filter(
        pl.col("period") == "2023", pl.col("user") == "CHN"
    )
    by_route = dict(units.group_by("route").agg(pl.col("value").sum()).iter_rows())
    assert by_route == pytest.approx(
        {
            "from us": 2_500,
            "own bloc": 7_000,
            "diverted": 3_000,
            "remote": 1_000,
            "from ally": 2_000,
            "from partner": 500,
        }
    )


def test_stocks_never_mix(table):
    where = {"scenario": "control", "period": "2023", "region": "adversary"}
    before = 0.75 * 14_000
    assert one(table, **where, quantity="flow") == pytest.approx(16_000)
    assert one(table, **where, quantity="owned stock") == pytest.approx(before + 12_000)
    assert one(table, **where, quantity="accessible stock") == pytest.approx(before + 16_000)


def test_ratios(table):
    where = {"scenario": "control", "region": "us/adversary", "period": "2023"}
    us = 0.75 * 100_000 + 214_000
    assert one(table, **where, quantity="flow ratio") == pytest.approx(214 / 16)
    assert one(table, **where, quantity="owned stock ratio") == pytest.approx(us / (10_500 + 12_000))
    assert one(table, **where, quantity="accessible stock ratio") == pytest.approx(us / (10_500 + 16_000))


def test_depreciation_must_be_a_share():
    with pytest.raises(ValueError, match="share of the stock"):
        compute(WORLDS, VOCABULARY, PERIODS, depreciation=1.5)


def test_exports_leave_home_out_and_count_hubs():
    table = exports(WORLDS, VOCABULARY).filter(pl.col("scenario") == "control", pl.col("period") == "2023")
    assert table.filter(pl.col("origin") == pl.col("destination")).is_empty()
    where = {"product": "frontier", "origin": "USA"}
    assert one(table, **where, destination="MYS", quantity="volume") == pytest.approx(4)
    assert one(table, **where, destination="MYS", quantity="FOB value") == pytest.approx(80)
    assert one(table, "unit", **where, destination="MYS", quantity="volume") == "thousand H100e"
    assert one(table, "destination_bloc", **where, destination="MYS", quantity="volume") == "partner"


def test_capacity_limits_and_prices_are_long():
    assert one(
        capacities(WORLDS, VOCABULARY), scenario="control", period="2022", quantity="rent share"
    ) == pytest.approx(0.1)
    paid = {"period": "2022", "quantity": "subsidy paid for additions"}
    assert one(capacities(WORLDS, VOCABULARY), scenario="control", **paid) > 0
    assert one(capacities(WORLDS, VOCABULARY), "unit", scenario="control", **paid) == "million USD of 2022"
    table = limits(WORLDS)
    assert set(table["scenario"]) == {"control"}
    assert one(table, quantity="use") == 4.0
    assert one(table, "unit", quantity="rent_share") == "share of the mill price"
    assert prices(WORLDS).height == 4
    stored = stockpiles(WORLDS, VOCABULARY)
    assert set(stored["scenario"]) == {"control"}
    assert one(stored, period="2022", quantity="held at the end") == one(stored, period="2023", quantity="used from stock") == 3.0


def test_changes_fill_what_one_world_lacks():
    table = changes(exports(WORLDS, VOCABULARY), "control", "no-controls")
    row = table.filter(
        pl.col("product") == "ascend",
        pl.col("origin") == "KOR",
        pl.col("quantity") == "volume",
        pl.col("period") == "2023",
    ).to_dicts()[0]
    assert (row["reference_value"], row["policy_value"], row["change"]) == (0.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="no scenario 'nothing'"):
        changes(exports(WORLDS, VOCABULARY), "nothing", "no-controls")

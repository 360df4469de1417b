"""Denial and leakage on worlds worked out by hand, and the exact sum of channels on any."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.effects.leakage import CHANNELS, denial, leakage, leakage_sum
from tests.effects.hand_made import DOWNSTREAM, POLICY, REFERENCE, comparison, everyone, world


@pytest.fixture(scope="module")
def case():
    return comparison(world(REFERENCE), world(POLICY), world(DOWNSTREAM))


def value(table: pl.DataFrame, **where: str) -> float | None:
    return table.filter(*[pl.col(k) == v for k, v in where.items()])["value"].item()


def test_denial_by_hand(case):
    row = denial(case).filter(pl.col("period") == "2023").to_dicts()[0]
    assert row["reference"] == pytest.approx(26_000)
    assert row["direct"] == pytest.approx(18_000)
    assert row["upstream"] == pytest.approx(2_000)  # 9 without the controls on tools, 7 with them
    assert row["gross"] == pytest.approx(20_000)
    assert row["denied"] == pytest.approx(26_000 - 16_000)
    assert {c: row[c] for c in CHANNELS} == pytest.approx(
        {"ally": 2_000, "third country": 500, "diversion": 3_000, "cloud": 1_000, "other tier": 500, "domestic": 3_000}
    )


def test_rate_is_the_sum_of_its_channels(case):
    table = leakage(case).filter(pl.col("quantity") == "leakage rate", pl.col("period") == "all")
    total = value(table, channel="all")
    assert total == pytest.approx(0.5)
    assert table.filter(pl.col("channel") != "all")["value"].sum() == pytest.approx(total, abs=1e-15)


def test_undefined_without_denial_and_says_so(case):
    table = leakage(case).filter(pl.col("period") == "2022", pl.col("quantity") == "leakage rate")
    assert table["value"].null_count() == table.height == len(CHANNELS) + 1
    assert table["note"].str.starts_with("undefined").all()
    assert leakage_sum(case) <= 1e-12


@pytest.mark.parametrize(("kept", "rate"), [(9.51, None), (9.49, 0.5)])
def test_undefined_where_little_is_denied_but_amounts_stay(kept: float, rate: float | None):
    before = everyone({"2022": {"us to china": 10}, "2023": {}})
    after = everyone({"2022": {"us to china": kept, "diverted": (10 - kept) / 2}, "2023": {}})
    table = leakage(comparison(world(before), world(after), world(before)))
    found = value(table, period="all", quantity="leakage rate", channel="all")
    assert found == (None if rate is None else pytest.approx(rate))
    assert value(table, period="all", quantity="gross denial", channel="all") == pytest.approx(1000 * (10 - kept))
    assert value(table, period="all", quantity="acquired in the reference", channel="all") == pytest.approx(10_000)
    notes = table.filter(pl.col("period") == "all", pl.col("quantity") == "leakage rate")["note"].unique().to_list()
    assert notes == (["undefined: gross denial is under 5% of the reference's"] if rate is None else [""])


def test_a_tool_control_alone_has_a_gross_denial():
    before = everyone({"2022": {"own": 5}, "2023": {"own": 5}})
    after = everyone({"2022": {"own": 5}, "2023": {"own": 3, "diverted": 1}})
    table = leakage(comparison(world(before), world(after), world(before)))
    assert value(table, period="2023", quantity="gross denial", channel="all") == pytest.approx(2_000)
    assert value(table, period="2023", quantity="compute denied", channel="all") == pytest.approx(1_000)
    assert value(table, period="2023", quantity="leakage rate", channel="diversion") == pytest.approx(0.5)
    assert value(table, period="2023", quantity="leakage rate", channel="domestic") == pytest.approx(0.0)


def test_own_output_is_never_a_controlled_route():
    case = comparison(world(REFERENCE), world(POLICY), world(DOWNSTREAM))
    wider = pl.concat(
        [
            case.controlled,
            pl.DataFrame([("ascend", "CHN", "CHN", "direct")], schema=case.controlled.schema, orient="row"),
        ]
    )
    object.__setattr__(case, "controlled", wider)
    assert denial(case).filter(pl.col("period") == "2023")["direct"].item() == pytest.approx(18_000)


amounts = st.floats(0, 1e6, allow_subnormal=False)
NAMES = ["us to china", "own", "diverted", "remote", "korea", "malaysia", "us ungoverned", "us at home"]
years = st.fixed_dictionaries({y: st.fixed_dictionaries(dict.fromkeys(NAMES, amounts)) for y in ("2022", "2023")})


@given(years, years, years)
def test_channels_always_sum(reference, policy, downstream):
    case = comparison(*(world(everyone(x)) for x in (reference, policy, downstream)))
    table = denial(case)
    scale = 1e-9 * (1 + table.select(pl.max_horizontal("reference", pl.col(CHANNELS).abs())).max().item())
    gap = table.select((pl.sum_horizontal(CHANNELS) - (pl.col("gross") - pl.col("denied"))).abs().max()).item()
    assert gap <= scale


@given(years)
def test_no_policy_denies_nothing(reference):
    same = world(everyone(reference))
    table = denial(comparison(same, same, same))
    assert table.select(pl.col("gross", "denied", *CHANNELS).abs().max()).row(0) == (0,) * (2 + len(CHANNELS))

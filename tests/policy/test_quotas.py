"""Licence quotas: units of rules, and the periods in which a cap holds."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from backfill.dimensions import Vocabulary, periods
from backfill.errors import Faults
from backfill.policy.compile import compile_policy
from backfill.policy.measures.export_control import ExportControl, Licence
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.wedges import Limit

ACCELERATORS = ("accelerators_frontier", "accelerators_export_grade")
NAMES = Vocabulary(
    regions=("USA", "JPN", "CHN"),
    bloc={"USA": "us", "JPN": "ally", "CHN": "adversary"},
    hubs=(),
    products=("lithography", *ACCELERATORS),
    groups={"accelerators": ACCELERATORS},
)


def quota(cap: float, unit: str, **fields: object) -> ExportControl:
    given = {"by": "USA", "products": "accelerators", "destinations": "CHN", "licence": {"cap": cap, "unit": unit}}
    return ExportControl.model_validate({**given, **fields})


def limits(*measures: ExportControl, years: tuple[int, int] = (2024, 2026), per_year: int = 1) -> tuple[Limit, ...]:
    return compile_policy(Policy.of(measures), NAMES, periods(*years, per_year)).limits


def test_a_cap_in_performance_takes_fewer_h100e_of_frontier_chips_than_of_chips_with_much_memory() -> None:
    (limit,) = limits(quota(790e6, "TPP"))
    assert limit.quantity == pytest.approx([49.901] * 3, rel=1e-4)
    weight = {product: coefficient for product, _, _, coefficient in limit.entries}
    assert weight["accelerators_frontier"] == 1
    h20_quality = (296 / 1979) ** 0.6 * (4.0 / 3.35) ** 0.4
    assert weight["accelerators_export_grade"] == pytest.approx(2368 / 15831.2 / h20_quality)


def test_a_cap_in_chips_counts_several_weak_ones_to_an_h100e() -> None:
    (limit,) = limits(quota(5000.0, "units"))
    weight = {product: coefficient for product, _, _, coefficient in limit.entries}
    assert limit.quantity.tolist() == [5.0] * 3
    assert 2.8 < weight["accelerators_export_grade"] < 3.0


@pytest.mark.parametrize(("begin", "held"), [(dt.date(2025, 7, 1), True), (dt.date(2025, 7, 3), False)])
def test_a_cap_holds_in_years_it_covers_by_half(begin: dt.date, held: bool) -> None:
    (limit,) = limits(quota(1000.0, "H100e", **{"from": begin}))
    assert np.isfinite(limit.quantity).tolist() == [False, held, True]


def test_a_cap_too_short_for_years_holds_in_half_years() -> None:
    short = quota(1000.0, "H100e", **{"from": dt.date(2025, 1, 1), "until": dt.date(2025, 5, 1)})
    with pytest.raises(Faults, match="periods_per_year = 2"):
        limits(short)
    (limit,) = limits(short, years=(2025, 2025), per_year=2)
    assert limit.quantity.tolist() == [0.5, np.inf]


def test_each_region_of_a_bloc_has_a_cap_of_its_own() -> None:
    both = limits(quota(1000.0, "H100e", by=["USA", "JPN"], name="quota"))
    assert {(limit.name, limit.owner) for limit in both} == {("quota, USA", "USA"), ("quota, JPN", "JPN")}
    assert {entry[1] for entry in both[0].entries} == {both[0].owner}


def test_two_caps_without_names_are_told_apart() -> None:
    both = limits(quota(1000.0, "H100e"), quota(500.0, "H100e", **{"from": dt.date(2025, 1, 1)}))
    assert len({limit.name for limit in both}) == 2


@pytest.mark.parametrize(
    ("products", "unit", "remedy"),
    [
        ("accelerators", "USD", "of these products the unit is H100e or TPP or units"),
        ("lithography", "TPP", "of these products the unit is USD or million USD"),
        (["lithography", "accelerators"], "USD", "no unit in common"),
    ],
)
def test_a_unit_fits_its_products(products: object, unit: str, remedy: str) -> None:
    table = {"kind": "export_control", "by": "USA", "products": products, "destinations": "CHN"}
    placed, (fault,) = parse_measures([{**table, "licence": {"cap": 1.0, "unit": unit}}], "mine.toml", NAMES)
    assert placed == []
    assert (fault.key, fault.value) == ("measures[1].licence.unit", unit)
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("licence", "key"),
    [
        ({"cap": 5.0}, "licence.unit"),
        ({"unit": "H100e"}, "licence.cap"),
        ({"cap": -1.0, "unit": "H100e"}, "licence.cap"),
        ({"cap": float("inf"), "unit": "H100e"}, "licence.cap"),
        ("allow", "licence"),
    ],
)
def test_a_licence_is_denial_or_a_whole_cap(licence: object, key: str) -> None:
    table = {"kind": "export_control", "by": "USA", "products": "accelerators", "destinations": "CHN"}
    _, (fault,) = parse_measures([{**table, "licence": licence}], "mine.toml", NAMES)
    assert fault.key == f"measures[1].{key}"


def test_another_word_than_deny_is_told_both_forms() -> None:
    table = {
        "kind": "export_control",
        "by": "USA",
        "products": "accelerators",
        "destinations": "CHN",
        "licence": "allow",
    }
    _, (fault,) = parse_measures([table], "mine.toml", NAMES)
    assert str(fault) == (
        'mine.toml: measures[1].licence: "allow": must be "deny", or a cap: { cap = 50000, unit = "H100e" } a year'
    )


def test_coverage_beside_a_cap_is_refused() -> None:
    table = {"kind": "export_control", "by": "USA", "products": "accelerators", "destinations": "CHN", "coverage": 0.5}
    _, (fault,) = parse_measures([{**table, "licence": {"cap": 5.0, "unit": "H100e"}}], "mine.toml", NAMES)
    assert (fault.key, fault.value) == ("measures[1].coverage", 0.5)


def test_denial_is_written_as_a_word() -> None:
    assert Licence().model_dump() == "deny"
    assert Licence(cap=5.0, unit="TPP").model_dump() == {"cap": 5.0, "unit": "TPP"}

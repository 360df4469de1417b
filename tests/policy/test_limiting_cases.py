"""Each kind of measure: which way it works, where it stops, what its dates do."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from backfill.dimensions import Vocabulary, periods
from backfill.errors import Faults
from backfill.policy.compile import compile_policy
from backfill.policy.inert import inert_measures
from backfill.policy.kinds import kinds
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges

BLOC = {
    "USA": "us",
    "JPN": "ally",
    "NLD": "ally",
    "SGP": "partner",
    "MYS": "partner",
    "CHN": "adversary",
    "RUS": "adversary",
}
TOOLS = ("lithography", "deposition_etch")
NAMES = Vocabulary(
    regions=tuple(BLOC),
    bloc=BLOC,
    hubs=("SGP", "MYS"),
    products=("subsystems", *TOOLS, "accelerators_frontier", "accelerators_export_grade", "other_goods"),
    groups={
        "tools": TOOLS,
        "accelerators": ("accelerators_frontier", "accelerators_export_grade"),
        "upstream": (*TOOLS, "subsystems"),
    },
)
YEARS = periods(2024, 2026)
START = dt.date(2024, 1, 1)


def measure(kind: str, **fields: object):
    return kinds()[kind].model_validate({"kind": kind, "from": START, **fields})


def control(**fields: object):
    base = {"by": "USA", "products": "tools", "destinations": "CHN", "coverage": 0.6}
    return measure("export_control", **{**base, **fields})


def wedges(*measures: object, allowed: bool = False, exists=None) -> Wedges:
    return compile_policy(Policy.of(measures), NAMES, YEARS, flow_exists=exists, inert_allowed=allowed)


def at(array: np.ndarray, product: str, origin: str, destination: str) -> list[float]:
    place = NAMES.products.index(product), NAMES.regions.index(origin), NAMES.regions.index(destination)
    return [round(float(value), 12) for value in array[:, *place]]


def test_a_control_closes_its_own_routes_and_no_others() -> None:
    coverage = wedges(control(destinations=["adversary"], exempt=["RUS"])).coverage
    assert at(coverage, "lithography", "USA", "CHN") == [0.6] * 3
    assert coverage.sum() == pytest.approx(0.6 * len(TOOLS) * len(YEARS))


def test_a_country_group_stands_for_its_regions() -> None:
    by_group = wedges(control(destinations="D:5")).coverage
    assert (by_group == wedges(control(destinations=["CHN", "RUS"])).coverage).all()


@pytest.mark.parametrize("by", ["ally", "all"])
def test_nobody_controls_its_own_trade(by: str) -> None:
    coverage = wedges(control(by=by, destinations="all", coverage=1.0)).coverage
    assert np.einsum("tpii->", coverage) == 0
    assert at(coverage, "lithography", "JPN", "NLD") == [1.0] * 3


def test_of_controls_in_force_together_the_widest_counts() -> None:
    coverage = wedges(
        control(), control(coverage=0.9, products="lithography"), control(coverage=0.2), allowed=True
    ).coverage
    assert at(coverage, "lithography", "USA", "CHN") == [0.9] * 3
    assert at(coverage, "deposition_etch", "USA", "CHN") == [0.6] * 3


def test_a_control_counts_for_the_days_it_is_in_force() -> None:
    half = wedges(control(**{"from": dt.date(2024, 7, 1), "until": dt.date(2025, 7, 1)})).coverage
    assert at(half, "lithography", "USA", "CHN") == pytest.approx([0.6 * 184 / 366, 0.6 * 181 / 365, 0.0])


def test_controls_that_follow_one_another_add_up_over_the_year() -> None:
    change = dt.date(2025, 7, 1)
    coverage = wedges(control(until=change), control(coverage=1.0, **{"from": change})).coverage
    assert at(coverage, "lithography", "USA", "CHN")[1] == pytest.approx((0.6 * 181 + 1.0 * 184) / 365)


def test_a_quota_limits_the_sum_of_all_destinations() -> None:
    fields = {"products": "accelerators_frontier", "destinations": ["CHN", "RUS"], "coverage": None}
    result = wedges(control(**fields, licence={"cap": 50_000.0, "unit": "H100e"}))
    (limit,) = result.limits
    assert limit.quantity.tolist() == [50.0] * 3
    assert (limit.owner, limit.side) == ("USA", "exporter")
    assert {entry[1:3] for entry in limit.entries} == {("USA", "CHN"), ("USA", "RUS")}
    assert not result.coverage.any()


def test_a_quota_covers_half_a_year_in_a_half_year() -> None:
    quota = control(products="lithography", coverage=None, licence={"cap": 3e9, "unit": "USD"})
    (limit,) = compile_policy(Policy.of([quota]), NAMES, periods(2024, 2024, 2)).limits
    assert limit.quantity == pytest.approx([1500.0, 1500.0])


def test_tariffs_add_and_may_subsidise_down_to_nothing() -> None:
    duty = {"by": "USA", "origins": "CHN", "products": "other_goods"}
    tariff = wedges(measure("tariff", rate=0.25, **duty), measure("tariff", rate=-0.05, **duty)).tariff
    assert at(tariff, "other_goods", "CHN", "USA") == pytest.approx([0.2] * 3)
    assert tariff.sum() == pytest.approx(0.6)


def test_a_levy_lies_on_the_exporters_side() -> None:
    levy = wedges(
        measure("export_levy", by="USA", products="accelerators_export_grade", destinations="CHN", rate=0.15)
    ).levy
    assert at(levy, "accelerators_export_grade", "USA", "CHN") == [0.15] * 3
    assert levy.sum() == pytest.approx(0.45)


def test_budgets_multiply_at_hubs_only() -> None:
    detection = wedges(measure("enforcement", budget=2.0), measure("enforcement", budget=0.5, hubs="MYS")).enforcement
    by_region = dict(zip(NAMES.regions, detection[0].tolist(), strict=True))
    assert by_region == {**dict.fromkeys(NAMES.regions, 1.0), "SGP": 2.0}


@pytest.mark.parametrize("level", [0.25, 1.0])
def test_an_ally_covers_its_share_of_what_it_follows(level: float) -> None:
    align = measure("alignment", region="NLD", products="tools", level=level, **{"from": dt.date(2025, 1, 1)})
    coverage = wedges(align, control()).coverage
    assert at(coverage, "lithography", "NLD", "CHN") == pytest.approx([0.0, 0.6 * level, 0.6 * level])
    assert not any(at(coverage, "lithography", "JPN", "CHN"))
    assert not any(at(coverage, "subsystems", "NLD", "CHN"))


def test_alignment_holds_only_while_what_it_follows_does() -> None:
    align = measure("alignment", region="NLD", products="tools", level=1.0, **{"from": dt.date(2025, 7, 1)})
    coverage = wedges(align, control(until=dt.date(2025, 10, 1))).coverage
    assert at(coverage, "lithography", "NLD", "CHN") == pytest.approx([0.0, 0.6 * 92 / 365, 0.0])


def threat(**fields: object):
    base = {
        "by": "USA",
        "targets": ["JPN", "NLD"],
        "rate": 0.25,
        "trigger": {"alignment_below": 1.0, "products": "tools"},
    }
    return measure("secondary_tariff", **{**base, **fields})


def test_a_secondary_tariff_spares_whoever_aligns() -> None:
    align = measure("alignment", region="NLD", products="tools", level=1.0)
    tariff = wedges(threat(), align, control()).tariff
    assert at(tariff, "other_goods", "JPN", "USA") == [0.25] * 3
    assert not any(at(tariff, "other_goods", "NLD", "USA"))


@pytest.mark.parametrize(("level", "hit"), [(0.5, False), (0.49, True)])
def test_the_trigger_is_pulled_below_its_level(level: float, hit: bool) -> None:
    align = measure("alignment", region=["NLD", "JPN"], products="tools", level=level)
    tariff = wedges(
        threat(trigger={"alignment_below": 0.5, "products": "tools"}), align, control(), allowed=True
    ).tariff
    assert tariff.any() == hit


def test_a_control_of_ones_own_counts_as_alignment() -> None:
    tariff = wedges(threat(), control(), control(by="JPN")).tariff
    assert not any(at(tariff, "other_goods", "JPN", "USA"))
    assert any(at(tariff, "other_goods", "NLD", "USA"))


def test_the_tariff_ends_on_the_day_the_target_aligns() -> None:
    align = measure("alignment", region="NLD", products="tools", level=1.0, **{"from": dt.date(2025, 7, 1)})
    tariff = wedges(threat(targets="NLD"), align, control()).tariff
    assert at(tariff, "other_goods", "NLD", "USA") == pytest.approx([0.25, 0.25 * 181 / 365, 0.0])


def test_the_law_bounds_the_tariff() -> None:
    tariff = wedges(threat(authority_cap=0.15), control()).tariff
    assert at(tariff, "other_goods", "JPN", "USA") == pytest.approx([0.15] * 3)


def no_tools_from_japan(product: str, origin: str, destination: str) -> bool:
    return not (origin == "JPN" and product in TOOLS)


def test_who_sells_nothing_cannot_be_unaligned() -> None:
    tariff = wedges(threat(), control(), exists=no_tools_from_japan).tariff
    assert not any(at(tariff, "other_goods", "JPN", "USA"))
    assert any(at(tariff, "other_goods", "NLD", "USA"))


def only_from_netherlands(product: str, origin: str, destination: str) -> bool:
    return product != "lithography" or origin == "NLD"


def test_a_control_on_goods_one_does_not_sell_acts_if_another_adopts_it() -> None:
    align = measure("alignment", region="NLD", products="lithography", level=1.0)
    coverage = wedges(control(products="lithography"), align, exists=only_from_netherlands).coverage
    assert at(coverage, "lithography", "NLD", "CHN") == [0.6] * 3
    with pytest.raises(Faults):
        wedges(control(products="lithography"), exists=only_from_netherlands)


INERT = {
    "coverage of nobody": (control(coverage=0.0), "coverage"),
    "duty of nothing": (measure("tariff", by="USA", origins="CHN", products="all", rate=0.0), "rate"),
    "levy of nothing": (measure("export_levy", by="USA", destinations="CHN", products="all", rate=0.0), "rate"),
    "budget as before": (measure("enforcement", budget=1.0), "budget"),
    "level of nothing": (measure("alignment", region="NLD", products="tools", level=0.0), "level"),
    "nobody to follow": (measure("alignment", region="NLD", products="tools", level=1.0), "with"),
    "nothing to align with": (threat(), "by"),
    "after the horizon": (control(**{"from": dt.date(2031, 1, 1)}), "from"),
    "before the horizon": (control(**{"from": dt.date(2020, 1, 1), "until": dt.date(2022, 1, 1)}), "until"),
}


@pytest.mark.parametrize("name", INERT)
def test_what_changes_nothing_is_refused_and_says_why(name: str) -> None:
    idle, key = INERT[name]
    with pytest.raises(Faults) as caught:
        wedges(idle)
    (line,) = caught.value.lines
    assert line.startswith(f"policy: measures[1].{key}: ")
    assert [one.placed.measure for one in inert_measures(Policy.of([idle]), NAMES, YEARS)] == [idle]
    assert not any(largest(wedges(idle, allowed=True)))


def largest(result: Wedges) -> list[float]:
    return [float(np.abs(a).max()) for a in (result.coverage, result.tariff, result.levy, result.enforcement - 1)]


def test_all_idle_measures_are_named_at_once() -> None:
    with pytest.raises(Faults) as caught:
        wedges(*(idle for idle, _ in INERT.values()))
    assert len(caught.value.lines) == len(INERT)


def test_an_unaligned_nobody_leaves_the_threat_idle() -> None:
    align = measure("alignment", region=["NLD", "JPN"], products="tools", level=1.0)
    with pytest.raises(Faults, match=r"measures\[1\]\.trigger\.alignment_below"):
        wedges(threat(), align, control())

"""Every kind of measure: that its example runs, what it does at nothing and in full, and which way it works."""

from __future__ import annotations

import datetime as dt
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.commands.measures import explained
from backfill.errors import CommandError, Faults
from backfill.experiments.config import load_experiment
from backfill.policy.kinds import example, fields, kinds, sentence
from backfill.policy.policy import parse_measures
from backfill.policy.wedges import Wedges
from tests.policy.written import FACTS, NAMES, YEARS, at, wedges

SHARES = st.floats(0.0, 1.0)

CONTROL = {
    "kind": "export_control", "by": "USA", "products": ["tools_and_subsystems", "hbm"], "destinations": "CHN", "coverage": 0.6,
}  # fmt: skip


@pytest.mark.parametrize("name", kinds())
def test_the_example_is_a_file_that_runs(name: str, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(example(kinds()[name]))
    experiment = load_experiment(path)
    assert experiment.policy.measures[-1].kind == name
    again = tmp_path / "again.toml"
    again.write_text(experiment.resolved_toml())
    assert load_experiment(again).policy.measures == experiment.policy.measures


@pytest.mark.parametrize("name", kinds())
def test_every_kind_says_what_it_does_and_where_it_comes_from(name: str):
    measure = kinds()[name]
    assert sentence(measure).endswith(".")
    assert len(measure.sources) > 20
    assert all(field.description for field in fields(measure))
    assert name in tomllib.loads(example(measure))["measures"][-1]["kind"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("export_package", ["export_promotion"]),
        ("full-stack export package", ["export_promotion"]),
        ("Subsidy", ["export_promotion", "industrial_subsidy"]),
        ("quota", ["country_cap", "export_control", "import_restraint", "share_cap"]),
        ("entity list", ["export_control"]),
        ("sanctions", ["export_control", "secondary_tariff"]),
        ("chips_act", ["industrial_subsidy"]),
        ("tariff_quota", ["tariff"]),
        ("location_trackng", ["location_verification"]),
        ("kyc", ["know_your_customer"]),
        ("export_controls", ["export_control"]),
    ],
)
def test_other_words_tell_which_kind_is_meant(word: str, meant: list[str]):
    told = "did you mean " + " or ".join(f'"{name}"' for name in meant) + "?"
    placed, (fault,) = parse_measures([{"kind": word}], "mine.toml", NAMES)
    assert (placed, fault.value, fault.remedy) == ([], word, told)
    with pytest.raises(CommandError) as caught:
        explained(word)
    assert caught.value.remedy == told


def test_tables_inside_a_measure_are_explained_with_it():
    found = {one.key: one for one in fields(kinds()["export_control"])}
    assert "TB/s" in found["threshold.memory_bandwidth"].description
    assert found["licence.unit"].bounds == "one of H100e, TPP, units, USD, million USD"
    assert "trigger.backfill_above" in {one.key for one in fields(kinds()["secondary_tariff"])}


def test_other_words_are_no_kinds():
    words = {word for measure in kinds().values() for word in measure.also}
    assert not words & set(kinds())
    assert all(word == word.lower() and " " not in word for word in words)


NOTHING = {
    "import_restraint": {"by": "CHN", "origins": "USA", "products": "accelerators", "accepted": 1.0},
    "procurement_ban": {"buyers": "USA", "products": "memory", "share": 0.0},
    "domestic_mandate": {"region": "CHN", "products": "tools", "share": 0.0},
    "cloud_control": {"coverage": 0.0},
    "end_use_monitoring": {"hubs": "hubs", "checks": 0.0},
    "know_your_customer": {"detection": 0.0, "cost": 0.0},
    "location_verification": {"coverage": 0.0},
    "transit_permit": {"hub": "MYS", "detection": 0.0, "notice_days": 0.0},
    "industrial_subsidy": {"region": "USA", "products": "logic_advanced", "rate": 0.0},
    "servicing_control": {"destinations": "CHN", "depreciation": 0.0},
    "research_protection": {"cut": 0.0},
    "export_promotion": {"destinations": "GLF", "subsidy_equivalent": 0.0},
    "foreign_direct_product_rule": {"products": "hbm", "compliance": 0.0},
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_of_a_measure_changes_nothing_and_is_an_error_where_typed(name: str):
    neutral = Wedges.none(NAMES, YEARS)
    found = (
        wedges(CONTROL, {"kind": name, **NOTHING[name]}) if "rule" in name else wedges({"kind": name, **NOTHING[name]})
    )
    compared = wedges(CONTROL) if "rule" in name else neutral
    for field in ("coverage", "detection", "remote", "real_cost", "levy", "wear", "knowledge", "lock_in", "subsidy", "outlay"):
        np.testing.assert_array_equal(getattr(found, field), getattr(compared, field))
    with pytest.raises(Faults):
        wedges({"kind": name, **NOTHING[name]}, allowed=False)


@given(SHARES)
def test_what_is_not_accepted_is_closed(accepted: float):
    found = wedges(dict(NOTHING["import_restraint"], kind="import_restraint", accepted=accepted))
    np.testing.assert_allclose(found.coverage[at("accelerators_frontier", "USA", "CHN")], 1 - accepted, atol=1e-9)
    assert not found.coverage[at("accelerators_frontier", "USA", "JPN")].any()


@given(SHARES)
def test_a_ban_on_buying_closes_what_it_covers(share: float):
    found = wedges(dict(NOTHING["procurement_ban"], kind="procurement_ban", share=share))
    np.testing.assert_allclose(found.coverage[at("memory", "CHN", "USA")], share, atol=1e-9)
    assert not found.coverage[at("memory", "KOR", "USA")].any()


@given(SHARES)
def test_remote_use_is_closed_to_the_covered(coverage: float):
    found = wedges({"kind": "cloud_control", "providers": "SGP", "destinations": "CHN", "coverage": coverage})
    np.testing.assert_allclose(found.remote[at("SGP", "CHN")], coverage, atol=1e-9)
    assert not found.remote[at("MYS", "CHN")].any()
    assert not found.coverage.any()


@given(SHARES, SHARES)
def test_checks_find_among_what_others_let_through(one: float, other: float):
    customer = {"kind": "know_your_customer", "detection": one, "cost": 0.001}
    permit = {"kind": "transit_permit", "hub": "MYS", "detection": other}
    place = at("accelerators_frontier", "MYS")
    found = wedges(customer, permit).detection[place]
    np.testing.assert_allclose(found, 1 - (1 - one) * (1 - other), atol=1e-9)
    assert (found + 1e-12 >= wedges(customer).detection[place]).all()


def test_checks_add_less_the_more_there_are():
    def found(checks: float) -> float:
        monitoring = {"kind": "end_use_monitoring", "hubs": "MYS", "checks": checks, "probability": 0.2}
        return float(wedges(monitoring).detection[at("accelerators_frontier", "MYS")][0])

    levels = [found(n) for n in (1.0, 250.0, 500.0, 1000.0, 1e6)]
    assert levels[2] == pytest.approx(0.1)
    assert levels[-1] == pytest.approx(0.2, rel=1e-3)
    assert levels == sorted(levels)
    assert levels[3] - levels[2] < levels[2] - levels[0]


def test_checks_are_paid_by_who_checks():
    found = wedges({"kind": "end_use_monitoring", "hubs": ["MYS", "SGP"], "checks": 500, "cost": 20000.0})
    np.testing.assert_allclose(found.outlay[at("USA")], 20.0)
    assert not found.outlay[at("MYS")].any()


def test_verification_reaches_the_fleet_as_it_turns_over():
    found = wedges(
        {"kind": "location_verification", "coverage": 0.8, "effect": 0.5, "fleet_life": 4.0, "unit_cost": 0.01}
    )
    years = np.arange(4) + 0.5
    np.testing.assert_allclose(
        found.detection[at("accelerators_frontier", "SGP")], 0.4 * (1 - np.exp(-years / 4)), atol=1e-3
    )
    np.testing.assert_allclose(found.real_cost[at("accelerators_frontier", "USA", "JPN")], 0.008)


def test_a_cap_on_a_country_spreads_its_window_and_frees_small_customers():
    (limit,) = wedges(
        {"kind": "country_cap", "destinations": "GLF", "quantity": 790e6, "unit": "TPP", "window_years": 3,
         "customers": 10, "per_customer": 1699 * 15831.2},
    ).limits  # fmt: skip
    np.testing.assert_allclose(limit.quantity, (49.901 / 3 + 16.99), rtol=1e-4)
    assert limit.owner == "USA"
    assert not limit.closes.any()


@pytest.mark.parametrize("internalised", [True, False])
def test_a_share_cap_counts_what_gives_room(internalised: bool):
    (limit,) = wedges(
        {"kind": "share_cap", "products": "accelerators_frontier", "destinations": "CHN", "share": 0.5,
         "internalised": internalised},
    ).limits  # fmt: skip
    assert set(limit.entries) == {
        ("accelerators_frontier", "USA", "CHN", 1.0),
        ("accelerators_frontier", "USA", "USA", -0.5),
    }
    assert limit.internalised is internalised
    assert (limit.quantity == 0).all()
    assert not limit.closes.any()


def test_a_share_cap_of_nothing_is_a_ban():
    (limit,) = wedges(
        {"kind": "share_cap", "products": "accelerators_frontier", "destinations": "CHN", "share": 0.0}
    ).limits
    assert limit.closes.all()


def test_a_mandate_balances_home_against_abroad():
    (limit,) = wedges({"kind": "domestic_mandate", "region": "CHN", "products": "lithography", "share": 0.4}).limits
    coefficients = {origin: coefficient for _, origin, _, coefficient in limit.entries}
    assert coefficients["CHN"] == pytest.approx(-0.6)
    assert coefficients["NLD"] == pytest.approx(0.4)


def test_packages_are_paid_and_lock_in():
    found = wedges({"kind": "export_promotion", "destinations": "GLF", "subsidy_equivalent": 0.05, "lock_in": 0.02})
    place = at("accelerators_frontier", "USA", "GLF")
    np.testing.assert_allclose(found.levy[place], -0.05)
    np.testing.assert_allclose(found.lock_in[place], 0.02)
    assert not found.lock_in[at("accelerators_frontier", "USA", "ASE")].any()


def test_a_deal_locks_in_as_packages_do():
    terms = {"lock_in": 0.02}
    products = "accelerators_frontier"
    deal = {"kind": "security_deal", "destination": "GLF", "products": products, "quantity": 500.0, "unit": "units"}
    packages = {"kind": "export_promotion", "destinations": "GLF", "products": products}
    place = at("accelerators_frontier", "USA", "GLF")
    found = wedges({**deal, **terms}).lock_in[place]
    np.testing.assert_allclose(found, wedges({**packages, **terms}).lock_in[place])
    assert (found > 0).all()


def test_promised_packages_end_at_their_cap():
    (limit,) = wedges(
        {"kind": "export_promotion", "destinations": "GLF", "subsidy_equivalent": 0.05, "cap": 1000.0, "unit": "H100e"}
    ).limits
    assert limit.ceiling == 0.05


def test_subsidies_add_and_reach_capacity_only():
    table = {"kind": "industrial_subsidy", "region": "USA", "products": "logic_advanced", "rate": 0.25}
    found = wedges(table, dict(table, rate=0.1, name="more"))
    np.testing.assert_allclose(found.subsidy[at("logic_advanced", "USA")], 0.35)
    with pytest.raises(Faults, match="no planned capacity"):
        wedges(dict(table, products="services"), allowed=False)


def test_unserviced_tools_wear_by_the_share_that_is_the_senders():
    found = wedges(
        {"kind": "servicing_control", "destinations": "CHN", "products": "logic_advanced", "depreciation": 0.1}
    )
    share = FACTS.tool_share[at("logic_advanced", "CHN", "USA")[1:]]
    assert 0.2 < share < 0.6
    np.testing.assert_allclose(found.wear[at("logic_advanced", "CHN")], 0.1 * share)
    assert not found.wear[at("logic_advanced", "TWN")].any()


@given(SHARES, SHARES)
def test_protections_each_take_from_what_is_left(one: float, other: float):
    first, second = ({"kind": "research_protection", "cut": cut, "name": str(n)} for n, cut in enumerate((one, other)))
    found = wedges(first, second).knowledge[at("lithography", "CHN")]
    np.testing.assert_allclose(found, (1 - one) * (1 - other), atol=1e-11)


def test_technology_content_is_a_share_and_whole_at_home():
    assert (FACTS.content >= 0).all()
    assert (FACTS.content <= 1).all()
    for n in range(len(NAMES.regions)):
        assert (FACTS.content[:, n, n] == 1).all()
    np.testing.assert_allclose(FACTS.tool_share.sum(2)[FACTS.tool_share.any(2)], 1.0)


def rule(**table: object) -> dict:
    return {"kind": "foreign_direct_product_rule", "products": "hbm", "destinations": "CHN", **table}


def test_the_rule_follows_the_senders_control_and_fades_with_design_out():
    found = wedges(CONTROL, rule(compliance=0.5, design_out=0.1))
    korean = found.coverage[at("hbm", "KOR", "CHN")]
    np.testing.assert_allclose(korean, 0.5 * 0.6 * 0.9 ** (np.arange(4) + 0.5), rtol=1e-3)
    assert (found.coverage[at("hbm", "CHN", "KOR")] == 0).all()


def test_de_minimis_frees_what_contains_little():
    content = float(FACTS.content[at("hbm", "KOR", "USA")[1:]])
    above = wedges(CONTROL, rule(us_content_threshold=content * 1.01))
    below = wedges(CONTROL, rule(us_content_threshold=content * 0.99, design_out=0.0))
    assert not above.coverage[at("hbm", "KOR", "CHN")].any()
    assert below.coverage[at("hbm", "KOR", "CHN")].all()


def test_makers_design_out_of_a_threshold():
    content = float(FACTS.content[at("hbm", "KOR", "USA")[1:]])
    found = wedges(CONTROL, rule(us_content_threshold=content * 0.85, design_out=0.1))
    assert list(found.coverage[at("hbm", "KOR", "CHN")] > 0) == [True, True, False, False]


def test_retaliation_lasts_as_long_as_what_sets_it_off():
    control = dict(CONTROL, until=dt.date(2026, 1, 1))
    answer = {
        "kind": "retaliation", "by": "CHN", "against": "USA",
        "measure": {"kind": "export_control", "by": "CHN", "products": "minerals", "destinations": "USA", "coverage": 0.8},
    }  # fmt: skip
    found = wedges(control, answer).coverage[at("minerals", "CHN", "USA")]
    np.testing.assert_allclose(found, [0.8, 0.8, 0.0, 0.0])
    with pytest.raises(Faults, match="controls nothing sold to it"):
        wedges(answer, allowed=False)


BAN = {
    "kind": "export_control",
    "by": "USA",
    "products": "accelerators_frontier",
    "destinations": "CHN",
    "coverage": 1.0,
}


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "export_levy", "by": "USA", "products": "accelerators_frontier", "destinations": "CHN", "rate": 0.15},
        {"kind": "share_cap", "products": "accelerators_frontier", "destinations": "CHN", "share": 0.5},
        {
            "kind": "export_control", "by": "USA", "products": "accelerators_frontier", "destinations": "CHN",
            "licence": {"cap": 1000.0, "unit": "H100e"},
        },
    ],
)  # fmt: skip
def test_what_counts_on_sales_that_another_closes_is_an_error_naming_both(other: dict):
    ban, counting = dict(BAN, name="the ban"), dict(other, name="the other")
    with pytest.raises(Faults) as caught:
        wedges(ban, counting, allowed=False)
    assert "the other" in str(caught.value)
    assert 'contradicts "the ban"' in str(caught.value)
    apart = dict(counting, **{"from": dt.date(2026, 1, 1)})
    wedges(dict(ban, until=dt.date(2026, 1, 1)), apart, allowed=False)


def test_two_levels_of_alignment_at_once_contradict():
    aligned = {"kind": "alignment", "region": "JPN", "products": "tools", "level": 1.0, "name": "whole"}
    half = dict(aligned, level=0.5, name="half")
    with pytest.raises(Faults, match='contradicts "whole"'):
        wedges(CONTROL, aligned, half, allowed=False)


def test_a_quota_of_a_duty_is_a_limit_whose_rent_ends_at_the_duty():
    table = {"kind": "tariff", "by": "USA", "origins": "all", "exempt": "KOR", "products": "memory", "rate": 0.25}
    found = wedges(dict(table, quota=1e9, unit="USD"))
    (limit,) = found.limits
    assert (limit.ceiling, limit.side, limit.owner, limit.quantity[0]) == (0.25, "importer", "USA", 1000.0)
    assert "KOR" not in {origin for _, origin, _, _ in limit.entries}
    assert not found.tariff.any()
    assert not wedges(table).limits


@given(SHARES, SHARES)
def test_who_may_not_buy_and_who_may_not_be_served_are_independent(closed: float, accepted: float):
    control = {**BAN, "coverage": closed}
    restraint = {
        "kind": "import_restraint",
        "by": "CHN",
        "origins": "USA",
        "products": "accelerators",
        "accepted": accepted,
    }
    found = wedges(control, restraint).coverage[at("accelerators_frontier", "USA", "CHN")]
    np.testing.assert_allclose(found, 1 - (1 - closed) * accepted, atol=1e-9)


def test_money_is_counted_in_dollars_or_in_millions():
    table = {"kind": "tariff", "by": "USA", "origins": "CHN", "products": "memory", "rate": 0.25}
    (one,), (other,) = (wedges(dict(table, quota=q, unit=u)).limits for q, u in ((1e9, "USD"), (1e3, "million USD")))
    np.testing.assert_array_equal(one.quantity, other.quantity)

"""What measures are to one another: closed, idle beside, or without a price together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from backfill.commands.validate import notes
from backfill.dimensions import periods
from backfill.economy.tables import load_vocabulary
from backfill.errors import ContradictionError, Faults, InertMeasureError, UserError
from backfill.experiments.config import load_experiment
from backfill.policy.alike import binds_first
from backfill.policy.benchmark import benchmark_flows
from backfill.policy.compile import compile_policy
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.technology import benchmark_facts
from backfill.policy.wedges import Limit

YEARS = periods(2024, 2027)
NAMES = load_vocabulary()
START = dt.date(2024, 1, 1)
CHIPS = {"products": "accelerators_frontier", "destinations": "CHN"}
LEVY = {"kind": "export_levy", "name": "levy", "by": "USA", "rate": 0.15, **CHIPS}


def licence(quantity: float, name: str = "licence", unit: str = "H100e", **fields: object) -> dict:
    return {"kind": "export_control", "name": name, "by": "USA", **CHIPS, "licence": {"cap": quantity, "unit": unit}, **fields}


def faults(*tables: dict) -> tuple[UserError, ...]:
    placed, wrong = parse_measures([{"from": START, **table} for table in tables], "mine.toml", NAMES)
    assert not wrong
    try:
        compile_policy(Policy(tuple(placed)), NAMES, YEARS, flow_exists=benchmark_flows(), facts=benchmark_facts())
    except Faults as error:
        return error.faults
    return ()


CLOSING = {
    "licence": licence(0.0, "closing"),
    "share cap": {"kind": "share_cap", "name": "closing", **CHIPS, "share": 0.0},
    "country cap": {"kind": "country_cap", "name": "closing", **CHIPS, "quantity": 0.0, "unit": "TPP"},
    "restraint": {
        "kind": "import_restraint", "name": "closing", "by": "CHN", "origins": "USA", "products": "accelerators", "cap": 0.0,
        "unit": "H100e",
    },
    "deal": {
        "kind": "security_deal", "name": "closing", "destination": "CHN", "products": "accelerators", "quantity": 0.0,
        "unit": "units",
    },
    "procurement": {
        "kind": "procurement_ban", "name": "closing", "buyers": "CHN", "origins": "USA", "products": "accelerators", "share": 1.0,
    },
    "mandate": {"kind": "domestic_mandate", "name": "closing", "region": "CHN", "products": "accelerators", "share": 1.0},
}  # fmt: skip


@pytest.mark.parametrize("closing", CLOSING)
@pytest.mark.parametrize("open_", [LEVY, licence(1000.0)], ids=["levy", "cap"])
def test_what_closes_everything_contradicts_what_counts_on_sales(closing: str, open_: dict):
    (fault,) = faults(CLOSING[closing], open_)
    assert isinstance(fault, ContradictionError)
    assert (fault.key, fault.value) == ("measures[2]", open_["name"])
    assert 'contradicts "closing", which closes to everybody' in fault.remedy


@pytest.mark.parametrize("closing", CLOSING)
def test_what_leaves_anything_open_closes_nothing(closing: str):
    key = next(key for key in ("cap", "share", "quantity", "licence") if key in CLOSING[closing])
    some = {"cap": 10.0, "quantity": 10.0, "share": 0.4, "licence": {"cap": 10.0, "unit": "H100e"}}[key]
    assert not faults({**CLOSING[closing], key: some}, LEVY)


def test_two_that_close_everything_do_not_contradict_but_are_idle_beside_one_another():
    told = faults(licence(0.0), CLOSING["share cap"])
    assert told
    assert all(isinstance(fault, InertMeasureError) for fault in told)


def test_a_promotion_of_nothing_is_idle():
    packages = {"kind": "export_promotion", "destinations": "GLF", "lock_in": 0.02, "subsidy_equivalent": 0.05}
    (fault,) = faults(dict(packages, cap=0.0, unit="H100e"))
    assert (fault.key, fault.value) == ("measures[1].cap", 0.0)


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        (licence(2000.0, "loose"), licence(1000.0, "tight")),
        (licence(2000.0, "loose"), licence(1000.0, "tight", destinations=["CHN", "RUS"])),
        (licence(2000.0, "loose"), licence(1000.0, "tight", products="us_accelerators")),
        (licence(3000.0, "loose", "units"), licence(20e6, "tight", "TPP")),
        (licence(1000.0, "loose", **{"from": dt.date(2025, 1, 1)}), licence(1000.0, "tight")),
        (dict(CLOSING["share cap"], name="loose", share=0.5), dict(CLOSING["share cap"], name="tight", share=0.3)),
        (dict(CLOSING["restraint"], name="loose", cap=2000.0, products="accelerators_frontier"), licence(1000.0, "tight")),
    ],
)  # fmt: skip
def test_a_cap_that_can_never_bind_is_idle_and_names_the_tighter_one(loose: dict, tight: dict):
    for tables in ((loose, tight), (tight, loose)):
        (fault,) = faults(*tables)
        assert isinstance(fault, InertMeasureError)
        assert (fault.value, fault.key) == ("loose", f"measures[{tables.index(loose) + 1}]")
        assert fault.remedy.startswith('changes nothing: "tight" already does as much')


@pytest.mark.parametrize(
    "other",
    [
        licence(500.0, "other", destinations="RUS"),
        licence(2000.0, "other", destinations=["CHN", "RUS"]),
        licence(500.0, "other", **{"from": dt.date(2025, 1, 1)}),
        licence(500.0, "other", until=dt.date(2026, 1, 1)),
        {"kind": "share_cap", "name": "other", **CHIPS, "share": 0.001},
        {"kind": "tariff", "name": "other", "by": "CHN", "origins": "USA", "products": "accelerators_frontier", "rate": 0.2,
         "quota": 500.0, "unit": "H100e"},
    ],
)  # fmt: skip
def test_caps_that_may_each_bind_stand_beside_one_another(other: dict):
    assert not faults(licence(1000.0), other)


def test_equal_caps_are_idle_beside_one_another():
    told = faults(licence(1000.0, "one"), licence(1000.0, "two", destinations=["CHN"], products=["accelerators_frontier"]))
    assert {(fault.value, fault.remedy.split(";")[0]) for fault in told} <= {
        ("one", 'changes nothing: "two" already does as much'), ("two", 'changes nothing: "one" already does as much'),
    }  # fmt: skip
    assert told


def test_a_limit_that_gives_way_comes_before_none():
    flow = ("accelerators_frontier", "USA", "CHN", 1.0)
    hard = Limit("hard", "USA", "exporter", (flow,), np.array([1.0]), "kH100e")
    soft = Limit("soft", "USA", "exporter", (flow,), np.array([0.5]), "kH100e", ceiling=0.1)
    assert not binds_first(soft, hard)
    assert not binds_first(hard, soft)
    assert binds_first(Limit("harder", "USA", "exporter", (flow,), np.array([0.5]), "kH100e"), soft)


def test_who_is_idle_beside_several_names_them_all_and_nobody_else():
    wide = {"kind": "export_control", "by": "USA", "products": "tools", "coverage": 0.6}
    (fault,) = faults(
        dict(wide, name="China", destinations="CHN"),
        dict(wide, name="Russia", destinations="RUS"),
        dict(wide, name="elsewhere", destinations="IND"),
        dict(wide, name="narrow", destinations=["CHN", "RUS"], coverage=0.5),
    )
    assert str(fault) == (
        'mine.toml: measures[4]: "narrow": changes nothing: "China" and "Russia" already do as much; remove it or make it go '
        "further"
    )


def test_one_without_a_name_is_told_by_kind_and_place():
    wide = {"kind": "export_control", "by": "USA", "products": "tools", "destinations": "CHN"}
    (fault,) = faults(dict(wide, coverage=0.6), dict(wide, coverage=0.5))
    assert (fault.key, fault.value) == ("measures[2]", "export_control")
    assert "export_control at mine.toml measures[1] already does as much" in fault.remedy


def duty(rate: float, name: str, **fields: object) -> dict:
    return {"kind": "tariff", "name": name, "by": "USA", "origins": "CHN", "products": "memory", "rate": rate, **fields}


def test_duties_that_take_off_the_whole_price_are_told_together():
    (fault,) = faults(duty(-0.9, "one"), duty(-0.8, "two", products=["memory", "logic_mature"]))
    assert isinstance(fault, ContradictionError)
    assert (fault.key, fault.value) == ("measures[2]", "two")
    assert fault.remedy.startswith('contradicts "one", with which it lowers duties by 170% of the price, so that none is left')


@pytest.mark.parametrize(
    "tables",
    [
        (duty(-0.5, "one"), duty(-0.4, "two")),
        (duty(-0.9, "one"), duty(-0.8, "two", origins="JPN")),
        (duty(-0.9, "one", until=dt.date(2025, 1, 1)), duty(-0.8, "two", **{"from": dt.date(2025, 1, 1)})),
        (duty(-0.9, "one"), duty(-0.8, "two"), duty(1.0, "three")),
    ],
)
def test_duties_that_leave_a_price_are_sound(tables: tuple[dict, ...]):
    assert not faults(*tables)


def test_subsidies_of_exports_leave_a_price_too():
    packages = {"kind": "export_promotion", "destinations": "GLF", "products": "accelerators_frontier", "subsidy_equivalent": 0.5}
    levy = {"kind": "export_levy", "name": "grant", "by": "USA", "products": "accelerators_frontier", "destinations": "GLF"}
    (fault,) = faults(dict(packages, name="packages"), dict(levy, rate=-0.5))
    assert 'contradicts "packages", with which it lowers levies and costs on the exporter\'s price by 100%' in fault.remedy
    assert not faults(dict(packages, name="packages"), dict(levy, rate=-0.4))


PARTLY = """
[[measures]]
kind = "export_control"
name = "Russia"
by = "USA"
products = "accelerators"
destinations = "RUS"
coverage = 1.0
from = 2024-01-01

[[measures]]
kind = "export_levy"
name = "levy"
by = "USA"
products = "accelerators_export_grade"
destinations = ["CHN", "RUS"]
rate = 0.15
from = 2024-01-01
"""


def test_what_another_closes_is_noted(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(PARTLY)
    (note,) = notes(load_experiment(file))
    closed = '"levy": is in part closed to everybody: accelerators_export_grade to RUS by "Russia"'
    assert note.endswith(f"mine.toml: measures[2]: {closed}")
    file.write_text(PARTLY.replace("coverage = 1.0", "coverage = 0.9"))
    assert notes(load_experiment(file)) == []
    (tmp_path / "below.toml").write_text(PARTLY.partition("[[measures]]\nkind = \"export_levy\"")[0])
    file.write_text('include = ["below"]\n[[measures]]\nkind = "export_levy"' + PARTLY.partition('"export_levy"')[2])
    assert [note.split(": ", 2)[2] for note in notes(load_experiment(file))] == [
        f"measures[1]: {closed}"
    ]


@pytest.mark.parametrize("destinations", ['["CHN", "RUS"]', '"adversary"', '["adversary"]', '"D:5"'])
@pytest.mark.parametrize("products", ['["accelerators_export_grade", "accelerators_frontier"]', '"us_accelerators"'])
def test_the_note_is_the_same_however_flows_are_spelt(tmp_path: Path, destinations: str, products: str):
    ban = PARTLY.partition("[[measures]]\nkind = \"export_levy\"")[0].replace('"accelerators"', '"accelerators_frontier"')
    levy = PARTLY.removeprefix(PARTLY.partition("[[measures]]\nkind = \"export_levy\"")[0])
    levy = levy.replace('["CHN", "RUS"]', destinations).replace('"accelerators_export_grade"', products)
    (tmp_path / "mine.toml").write_text(ban + levy)
    (note,) = notes(load_experiment(tmp_path / "mine.toml"))
    assert note.endswith(
        'mine.toml: measures[2]: "levy": is in part closed to everybody: accelerators_frontier to RUS by "Russia"'
    )


def test_a_note_names_the_origin_where_there_are_several(tmp_path: Path):
    ban, levy = PARTLY.split("\n\n")
    ban = ban.replace('"accelerators"', '"deposition_etch"').replace('"RUS"', '"CHN"')
    levy = levy.replace('"USA"', '["USA", "JPN"]').replace("accelerators_export_grade", "deposition_etch")
    several = f"{ban}\n\n{levy}"
    (tmp_path / "mine.toml").write_text(several)
    (note,) = notes(load_experiment(tmp_path / "mine.toml"))
    assert note.endswith('is in part closed to everybody: deposition_etch from USA to CHN by "Russia"')

"""Controls of parts of a product: they add up, those of one part do not."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.commands.validate import notes
from backfill.errors import ContradictionError, Faults, MissingKeyError
from backfill.experiments.config import load_experiment
from backfill.policy.compile import compile_policy
from backfill.policy.policy import Policy, parse_measures
from tests.policy.written import EXISTS, FACTS, NAMES, YEARS, at, wedges, written

SHARES = st.floats(0.0, 1.0)
ROUTE = ("minerals", "CHN", "USA")


def minerals(part: str | None, coverage: float | None, **fields: object) -> dict:
    of_it = {} if part is None else {"part": part}
    given_ = {} if coverage is None else {"coverage": coverage}
    return {
        "kind": "export_control", "by": "CHN", "products": "minerals", "destinations": ["USA", "JPN"],
        **of_it, **given_, **fields,
    }  # fmt: skip


def closed(*tables: dict) -> float:
    first, *others = wedges(*tables).coverage[at(*ROUTE)]
    assert others == [first] * (len(YEARS) - 1)
    return float(first)


def test_parts_add_up_and_of_one_part_the_widest_counts():
    assert closed(minerals("gallium", 0.1)) == 0.1
    assert closed(minerals("gallium", 0.1), minerals("rare earths", 0.25)) == pytest.approx(0.35)
    assert closed(minerals("gallium", 0.1), minerals("gallium", 0.3, destinations="USA")) == 0.3
    both = (minerals("gallium", 0.1), minerals("gallium", 0.3, destinations="USA"))
    assert wedges(*both).coverage[at("minerals", "CHN", "JPN")].tolist() == [0.1] * 4


@given(whole=SHARES, one=SHARES, other=SHARES)
def test_buyers_covered_of_all_lose_what_the_parts_leave(whole: float, one: float, other: float):
    found = closed(minerals("gallium", one), minerals(None, whole), minerals("rare earths", other))
    assert found == pytest.approx(1 - (1 - whole) * (1 - min(one + other, 1.0)), abs=1e-11)
    assert found >= max(closed(minerals(None, whole)), closed(minerals("gallium", one))) - 1e-11


def test_the_order_of_measures_does_not_matter():
    tables = [minerals("gallium", 0.1), minerals(None, 0.2), minerals("gallium", 0.3), minerals("rare earths", 0.15)]
    assert len({closed(*order) for order in permutations(tables)}) == 1


def test_nothing_at_zero_and_a_ban_in_full():
    assert closed(minerals("gallium", 0.0)) == 0.0
    assert closed(minerals("all there is", 1.0)) == 1.0


def test_a_part_counts_for_the_days_on_which_it_is_controlled():
    change = dt.date(2025, 7, 1)
    year = wedges(minerals("gallium", 0.1), minerals("rare earths", 0.3, **{"from": change})).coverage[at(*ROUTE)]
    assert year == pytest.approx([0.1, 0.1 + 0.3 * 184 / 365, 0.4, 0.4])


def test_who_aligns_adopts_all_parts():
    ally = {"kind": "alignment", "region": "JPN", "with": "USA", "products": "minerals", "level": 0.5}
    tables = [minerals(part, share, by="USA", destinations="CHN") for part, share in (("gallium", 0.2), ("rare earths", 0.4))]
    assert wedges(*tables, ally).coverage[at("minerals", "JPN", "CHN")] == pytest.approx([0.3] * 4)


def test_retaliation_adds_a_part_while_it_lasts():
    control = {"kind": "export_control", "by": "USA", "products": "tools", "destinations": "CHN", "coverage": 0.5}
    answer = {"kind": "retaliation", "by": "CHN", "against": "USA", "measure": minerals("rare earths", 0.3)}
    over = dt.date(2026, 1, 1)
    found = wedges(minerals("gallium", 0.1), dict(control, until=over), answer).coverage[at(*ROUTE)]
    assert found == pytest.approx([0.4, 0.4, 0.1, 0.1])


def test_a_part_sets_off_what_answers_controls():
    answer = {
        "kind": "retaliation", "by": "CHN", "against": "USA", "products": "minerals",
        "measure": minerals(None, 0.3),
    }  # fmt: skip
    control = minerals("gallium", 0.2, by="USA", destinations="CHN")
    assert wedges(control, answer).coverage[at(*ROUTE)] == pytest.approx([0.3] * 4)


def faults(*tables: dict) -> list[Exception]:
    placed = [one for table in tables for one in written(**table)]
    try:
        compile_policy(Policy(tuple(placed)), NAMES, YEARS, flow_exists=EXISTS, facts=FACTS)
    except Faults as found:
        return list(found.faults)
    return []


def test_parts_that_make_up_more_than_the_product_are_told_with_their_names():
    tables = (
        minerals("gallium", 0.5, name="one"),
        minerals("rare earths", 0.7, name="two", destinations="USA"),
        minerals("graphite", 0.4, name="elsewhere", destinations="KOR"),
    )
    (fault,) = faults(*tables)
    assert isinstance(fault, ContradictionError)
    assert fault.value == "two"
    assert fault.remedy.startswith('contradicts "one", with which it closes parts of a product that make up 120% of it from 2024')
    assert not faults(*tables[1:])


def test_of_parts_that_are_too_much_those_of_the_first_day_are_named():
    later = {"from": dt.date(2026, 1, 1)}
    first = (minerals("gallium", 0.5, name="one"), minerals("rare earths", 0.6, name="two", **later))
    (fault,) = faults(*first, minerals("graphite", 0.4, name="three", **{"from": dt.date(2027, 1, 1)}))
    assert fault.value == "two"
    assert "make up 110% of it from 2026-01-01 on" in fault.remedy
    assert '"three"' not in fault.remedy


def test_names_of_parts_are_read_without_regard_to_case_and_blanks():
    assert closed(minerals("Rare  earths ", 0.1), minerals("rare earths", 0.3)) == 0.3
    _, (fault,) = parse_measures([minerals("  ", 0.1)], "mine.toml", NAMES)
    assert fault.key == "measures[1].part"


def test_who_aligns_adopts_parts_as_parts():
    theirs = minerals("rare earths", 0.4, by="USA", destinations="CHN")
    own = minerals("Rare earths", 0.3, by="JPN", destinations="CHN")
    whole = minerals(None, 0.1, by="USA", destinations="CHN")
    for level, adopted in ((0.5, 0.3), (1.0, 0.4)):
        ally = {"kind": "alignment", "region": "JPN", "with": "USA", "products": "minerals", "level": level}
        found = wedges(theirs, own, whole, ally).coverage[at("minerals", "JPN", "CHN")]
        assert found == pytest.approx([1 - (1 - adopted) * (1 - 0.1 * level)] * 4)


def test_what_is_adopted_is_not_adopted_from_the_adopter():
    tables = [minerals("rare earths", 0.4, by="USA", destinations="CHN")]
    tables += [
        {"kind": "alignment", "region": region, "with": other, "products": "minerals", "level": 1.0}
        for region, other in (("JPN", "USA"), ("KOR", "JPN"))
    ]
    assert wedges(*tables).coverage[at("minerals", "KOR", "CHN")].tolist() == [0.0] * 4


def test_foreign_direct_product_rules_reach_parts_as_parts():
    control = minerals("rare earths", 0.4, by="USA", destinations="CHN")
    reach = {"products": "minerals", "destinations": "CHN", "compliance": 0.5, "design_out": 0.0}
    rule = {"kind": "foreign_direct_product_rule", **reach}
    japan = at("minerals", "JPN", "CHN")
    assert wedges(control, rule).coverage[japan] == pytest.approx([0.2] * 4)
    own = minerals("rare earths", 0.3, by="JPN", destinations="CHN")
    assert wedges(control, own, rule).coverage[japan] == pytest.approx([0.3] * 4)


def test_parts_that_add_up_are_noted_with_their_names(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        'include = ["current-policy"]\n[[measures]]\nkind = "export_control"\nname = "Mine"\npart = "germanium"\nby = "CHN"\n'
        'products = "minerals"\ndestinations = "USA"\ncoverage = 0.2\nfrom = 2027-01-01\n'
    )
    (note,) = notes(load_experiment(tmp_path / "mine.toml"))
    assert 'mine.toml: measures[1].part: "germanium": adds up with "gallium and germanium" of ' in note
    for name in ("China, seven rare earths", "China, twelve rare earths, after the suspension"):
        assert f'"rare earths" of "{name}"' in note
    assert note.endswith("on the same flows; write the same part if one holds the other")


def test_an_unknown_key_of_a_measure_inside_another_is_told_with_those_of_its_kind():
    answer = {"kind": "retaliation", "by": "CHN", "against": "USA", "measure": minerals(None, 0.3) | {"prt": "gallium"}}
    _, (fault,) = parse_measures([answer], "mine.toml", NAMES)
    assert (fault.key, fault.remedy) == ("measures[1].measure.prt", 'did you mean "part"?')
    _, (fault,) = parse_measures([answer | {"measure": minerals(None, 0.3) | {"zzz": 1}}], "mine.toml", NAMES)
    assert "there are kind, name" in fault.remedy
    assert "included_from" not in fault.remedy


def test_a_part_beside_a_wider_control_of_the_same_part_changes_nothing():
    (fault,) = faults(minerals("gallium", 0.3, name="ban"), minerals("gallium", 0.1, name="licences"))
    assert 'changes nothing: "ban" already does as much' in str(fault)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"products": "tools", "end_use": "advanced"}, "end_use"),
        ({"products": "accelerators_frontier", "threshold": {"tpp": 4800.0}}, "threshold"),
        ({"coverage": None, "licence": {"cap": 10.0, "unit": "million USD"}}, "licence"),
    ],
)
def test_a_part_stands_for_all_buyers_and_all_models(fields: dict, key: str):
    table = {name: value for name, value in dict(minerals("gallium", 0.1), **fields).items() if value is not None}
    _, wrong = parse_measures([table], "mine.toml", NAMES)
    (fault,) = wrong
    assert fault.key == "measures[1].part"
    assert f"not by {key}" in fault.remedy


def test_what_a_part_makes_up_has_to_be_said():
    _, (fault,) = parse_measures([minerals("gallium", None)], "mine.toml", NAMES)
    assert isinstance(fault, MissingKeyError)
    assert fault.key == "measures[1].coverage"
    assert 'without "gallium"' in fault.remedy


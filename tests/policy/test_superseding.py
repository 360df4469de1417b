"""Measures that end others: from their first day on, as far as they were known, and what is wrong with the names they give."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backfill.commands.validate import notes
from backfill.dimensions import periods
from backfill.economy.tables import load_vocabulary
from backfill.errors import Faults
from backfill.experiments.config import load_experiment
from backfill.experiments.groups import difference
from backfill.experiments.sweep.file import SweepLever
from backfill.experiments.sweep.policies import Compiled, policy_at
from backfill.experiments.vintages import known, news
from backfill.policy.compile import compile_policies, compile_policy
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.superseding import endings, in_force, misplaced

YEARS = periods(2024, 2027)
NAMES = load_vocabulary()
OLD = {
    "kind": "export_control", "name": "old", "by": "USA", "products": "accelerators_frontier", "destinations": "CHN",
    "coverage": 0.9, "from": dt.date(2024, 1, 1),
}  # fmt: skip
NEW = dict(
    OLD, name="new", coverage=0.5, supersedes="old", **{"from": dt.date(2026, 1, 1), "announced": dt.date(2025, 3, 1)}
)
FLOW = (NAMES.products.index("accelerators_frontier"), NAMES.regions.index("USA"), NAMES.regions.index("CHN"))


def policy(*tables: dict) -> Policy:
    placed, wrong = parse_measures(list(tables), "mine.toml", NAMES)
    assert not wrong
    return Policy(tuple(placed))


def coverage(chosen: Policy) -> list[float]:
    return compile_policy(chosen, NAMES, YEARS, inert_allowed=True).coverage[(slice(None), *FLOW)].tolist()


def ends(chosen: Policy) -> dict[str, dt.date | None]:
    return {one.measure.name: one.measure.until for one in in_force(chosen.placed)}


def test_the_old_one_ends_on_the_first_day_of_the_new():
    assert coverage(policy(OLD, NEW)) == [0.9, 0.9, 0.5, 0.5]
    assert coverage(policy(OLD, dict(NEW, supersedes=[]))) == [0.9] * 4
    (old, _) = in_force(policy(OLD, NEW).placed)
    assert (old.measure.until, old.measure.until_announced) == (dt.date(2026, 1, 1), dt.date(2025, 3, 1))


def test_it_does_not_come_back_when_the_new_one_ends():
    assert coverage(policy(OLD, dict(NEW, until=dt.date(2027, 1, 1)))) == [0.9, 0.9, 0.5, 0.0]


def test_an_end_of_its_own_that_is_earlier_stays():
    assert ends(policy(dict(OLD, until=dt.date(2025, 1, 1)), NEW))["old"] == dt.date(2025, 1, 1)
    assert ends(policy(dict(OLD, until=dt.date(2027, 1, 1)), NEW))["old"] == dt.date(2026, 1, 1)


@pytest.mark.parametrize("begin", [None, dt.date(2024, 1, 1), dt.date(2023, 1, 1)])
def test_one_that_would_not_have_begun_before_is_left_out(begin: dt.date | None):
    new = {k: v for k, v in NEW.items() if k not in ("from", "announced")} | ({} if begin is None else {"from": begin})
    assert "old" not in ends(policy(OLD, new))


def test_of_several_the_first_ends_it_and_one_that_never_begins_ends_nothing():
    sooner = dict(NEW, name="sooner", **{"from": dt.date(2025, 6, 1)})
    assert ends(policy(OLD, NEW, sooner))["old"] == dt.date(2025, 6, 1)
    instead = dict(NEW, name="instead", supersedes="new", **{"from": dt.date(2025, 6, 1)})
    assert ends(policy(OLD, NEW, instead)) == {"old": None, "instead": None}
    assert ends(policy(OLD, NEW, dict(instead, **{"from": dt.date(2027, 1, 1)})))["old"] == dt.date(2026, 1, 1)


def test_builders_learn_of_the_end_when_the_new_one_is_announced():
    both = policy(OLD, NEW)
    assert news(both, YEARS) == (0, 1)
    assert coverage(known(both, 0, YEARS)) == [0.9] * 4
    assert coverage(known(both, 1, YEARS)) == [0.9, 0.9, 0.5, 0.5]


def test_without_the_new_one_the_old_one_goes_on():
    both = policy(OLD, NEW)
    apart = difference(both, policy(OLD), "base", "measure", NAMES)
    assert [group.name for group in apart.groups] == ["new"]
    assert coverage(apart.policy([])) == [0.9] * 4
    assert coverage(apart.policy([0])) == coverage(both)


def test_policies_compiled_together_and_with_levers_end_them_too():
    levers = [SweepLever.model_validate({"measure": "new", "field": "coverage", "values": [0.2, 0.7]})]
    both = policy(OLD, NEW)
    moved = Compiled(both, levers, NAMES, YEARS, None, None)
    for share in (0.2, 0.7):
        at = policy_at(both, levers, [share])
        assert coverage(at) == [0.9, 0.9, share, share]
        np.testing.assert_array_equal(
            moved.wedges([share]).coverage, compile_policies([at, both], NAMES, YEARS)[0].coverage
        )


def test_what_has_been_ended_contradicts_nothing():
    levy = {
        "kind": "export_levy", "name": "levy", "by": "USA", "products": "accelerators_frontier", "destinations": "CHN",
        "rate": 0.15, "from": dt.date(2024, 1, 1),
    }  # fmt: skip
    ban = dict(NEW, name="ban", coverage=1.0, supersedes="levy")
    compile_policy(policy(levy, ban), NAMES, YEARS)
    with pytest.raises(Faults, match='contradicts "ban"'):
        compile_policy(policy(levy, dict(ban, supersedes=[])), NAMES, YEARS)


def test_one_that_replaces_another_by_the_same_is_idle():
    with pytest.raises(Faults, match="changes nothing"):
        compile_policy(policy(OLD, dict(NEW, coverage=0.9)), NAMES, YEARS)


def test_one_that_never_comes_into_force_names_what_supersedes_it():
    with pytest.raises(Faults, match='"new" supersedes it') as caught:
        compile_policy(
            policy(OLD, dict(NEW, **{"from": dt.date(2024, 1, 1), "announced": dt.date(2024, 1, 1)})), NAMES, YEARS
        )
    assert [fault.key for fault in caught.value.faults] == ["measures[1]"]


def told_of(*tables: dict) -> list[tuple[str, str]]:
    try:
        compile_policy(policy(*tables), NAMES, YEARS)
    except Faults as error:
        return [(fault.key, fault.remedy) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("announced", "then", "begin", "heard"),
    [
        ((2024, 6, 1), (2025, 6, 1), (2026, 1, 1), True),
        ((2025, 6, 1), (2025, 6, 1), (2026, 1, 1), False),
        ((2025, 6, 1), (2024, 6, 1), (2026, 1, 1), False),
        ((2022, 6, 1), (2023, 6, 1), (2026, 1, 1), False),
        ((2025, 2, 1), (2025, 9, 1), (2026, 1, 1), True),
    ],
    ids=["years before", "same day", "later", "both before the first period", "same period, with notice"],
)
def test_one_that_was_planned_for_before_it_was_superseded_is_not_idle(announced, then, begin, heard: bool):
    days = {"from": dt.date(*begin)}
    old, new = dict(OLD, announced=dt.date(*announced), **days), dict(NEW, announced=dt.date(*then), **days)
    told = told_of(old, new)
    assert told == [] if heard else [key for key, _ in told] == ["measures[1]"]


def test_one_that_another_covers_is_idle_even_if_it_was_planned_for():
    wide = dict(OLD, name="wide", coverage=1.0)
    old = dict(OLD, announced=dt.date(2024, 6, 1), **{"from": dt.date(2026, 1, 1)})
    assert "measures[2]" in [key for key, _ in told_of(wide, old, NEW)]


CAP = {key: value for key, value in OLD.items() if key != "coverage"} | {"licence": {"cap": 1000.0, "unit": "H100e"}}


def test_a_cap_ended_before_it_covers_half_of_a_period_is_told_so():
    ban = dict(NEW, coverage=1.0, announced=dt.date(2024, 6, 1), **{"from": dt.date(2024, 6, 1)})
    ((key, remedy),) = told_of(CAP, ban)
    assert key == "measures[1]"
    assert remedy == (
        'acts in no period: "new" ends it on 2024-06-01: a cap holds in periods it covers by half or more; '
        "set periods_per_year = 2"
    )
    assert told_of(CAP, dict(ban, **{"from": dt.date(2024, 8, 1)})) == []


def test_a_cap_that_was_to_hold_in_a_later_period_is_not_idle_however_soon_it_ends():
    late = dict(CAP, **{"from": dt.date(2024, 8, 1)})
    days = {"announced": dt.date(2025, 5, 1), "from": dt.date(2025, 5, 1)}
    assert told_of(late, dict(NEW, coverage=1.0, **days)) == []


BAN = """
include = ["current-policy"]
[[measures]]
kind = "export_control"
name = "Ban"
by = "USA"
products = "accelerators"
destinations = "CHN"
coverage = 1.0
announced = 2026-06-01
from = 2026-07-01
"""


def told(folder: Path, text: str) -> tuple[str, ...]:
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(folder / "mine.toml")
    return tuple(line.partition("mine.toml: ")[2] for line in caught.value.lines)


def test_a_ban_on_top_of_current_policy_is_told_what_to_supersede_and_loads_with_it(tmp_path: Path):
    (line,) = told(tmp_path, BAN)
    wanted = 'supersedes = ["A quarter of the price, section 232", "Half of what is sold at home"]'
    assert line.startswith('measures[1]: "Ban": contradicts "A quarter of the price, section 232" and "Half of')
    assert f"{wanted} in this one ends them" in line
    (tmp_path / "mine.toml").write_text(BAN + wanted)
    mine = load_experiment(tmp_path / "mine.toml")
    until = ends(mine.policy)
    assert until["Half of what is sold at home"] == until["A quarter of the price, section 232"] == dt.date(2026, 7, 1)


def test_names_that_end_nothing_are_errors(tmp_path: Path):
    wrong = 'supersedes = ["Half of what is sold at hom", "Ban", "H20 levy, August 2025"]'
    assert told(tmp_path, BAN.replace("coverage = 1.0", "coverage = 0.99") + wrong) == (
        'measures[1].supersedes[1]: "Half of what is sold at hom": names no measure of this policy; did you mean '
        '"Half of what is sold at home"?',
        'measures[1].supersedes[2]: "Ban": is this measure itself; name another',
        'measures[1].supersedes[3]: "H20 levy, August 2025": ends on 2026-01-15, so that it is over when this one begins '
        "(2026-07-01); leave it out",
    )


def test_the_remedy_keeps_what_is_superseded_already(tmp_path: Path):
    (line,) = told(tmp_path, BAN + 'supersedes = ["Half of what is sold at home"]')
    assert 'supersedes = ["Half of what is sold at home", "A quarter of the price, section 232"] in this one ends it;' in line


def test_names_of_what_is_over_before_and_names_given_twice_are_errors(tmp_path: Path):
    tiers = 'supersedes = ["Second tier, the Gulf", "Half of what is sold at home", "Half of what is sold at home"]'
    sooner = BAN.partition("[[measures]]")[2].replace('"Ban"', '"Sooner"').replace("2026-07-01", "2026-06-15")
    both = 'supersedes = ["Half of what is sold at home", "A quarter of the price, section 232"]'
    assert told(tmp_path, BAN + tiers + f"\n[[measures]]{sooner}{both}") == (
        'measures[1].supersedes[1]: "Second tier, the Gulf": was withdrawn on 2025-05-13, before it came into force; '
        "leave it out",
        'measures[1].supersedes[2]: "Half of what is sold at home": is ended by "Sooner" on 2026-06-15, so that it is over '
        "when this one begins (2026-07-01); leave it out",
        'measures[1].supersedes[3]: "Half of what is sold at home": is named twice; leave one out',
    )


def test_one_withdrawn_after_it_was_superseded_may_be_named(tmp_path: Path):
    old = {"announced": dt.date(2024, 1, 1), "withdrawn": dt.date(2025, 6, 1), "from": dt.date(2027, 1, 1)}
    both = policy(dict(OLD, **old), dict(NEW, **{"from": dt.date(2026, 1, 1)}))
    assert misplaced(both) == []
    (fault,) = misplaced(policy(dict(OLD, **old), dict(NEW, announced=dt.date(2025, 6, 1))))
    assert fault.remedy == "was withdrawn on 2025-06-01, before it came into force; leave it out"


def test_two_that_replace_one_on_the_same_day_are_sound_and_which_ended_it_is_noted_once():
    both = policy(OLD, NEW, dict(NEW, name="beside", products="hbm"))
    assert misplaced(both) == []
    assert [note.value for note in endings(both, YEARS)] == ["new"]


def test_what_is_ended_is_noted(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        BAN.replace("2026-06-01", "2025-12-10").replace("2026-07-01", "2026-01-01")
        + 'until = 2028-01-01\nsupersedes = ["H20 levy, August 2025", "Half of what is sold at home", '
        '"A quarter of the price, section 232"]'
    )
    noted = [line.partition("mine.toml: ")[2] for line in notes(load_experiment(tmp_path / "mine.toml"))]
    assert noted == [
        'measures[1].supersedes: "Ban": ends "H20 levy, August 2025" on 2026-01-01; takes the place of "Half of what is sold '
        'at home" (from 2026-01-15) and "A quarter of the price, section 232" (from 2026-01-15), which never come into force; '
        "they do not come back when this one ends (2028-01-01)",
        'measures[1].supersedes[2]: "Half of what is sold at home": was announced on 2026-01-13, later than "Ban" '
        "(2025-12-10), which ends it all the same",
    ]


def test_a_cap_that_vanishes_is_noted_with_the_reason(tmp_path: Path):
    ended = 'supersedes = ["Half of what is sold at home", "A quarter of the price, section 232"]'
    (tmp_path / "mine.toml").write_text(BAN + ended)
    noted = [line.partition("mine.toml: ")[2] for line in notes(load_experiment(tmp_path / "mine.toml"))]
    assert noted[1:] == [
        'measures[1].supersedes[1]: "Half of what is sold at home": acts in no period: "Ban" ends it on 2026-07-01: a cap '
        "holds in periods it covers by half or more; set periods_per_year = 2"
    ]
    (tmp_path / "mine.toml").write_text((BAN + ended).replace("2026-07-01", "2026-12-01"))
    assert len(notes(load_experiment(tmp_path / "mine.toml"))) == 1


@pytest.mark.parametrize("day", [None, "2026-05-31", "2026-06-01", "2025-12-31"])
def test_a_resolved_file_ends_the_same_on_the_same_day(tmp_path: Path, day: str | None):
    (tmp_path / "mine.toml").write_text(
        BAN + 'supersedes = ["Half of what is sold at home", "A quarter of the price, section 232"]'
    )
    mine = load_experiment(tmp_path / "mine.toml")
    mine = mine if day is None else mine.known_on(dt.date.fromisoformat(day))
    (tmp_path / "again.toml").write_text(mine.resolved_toml())
    again = load_experiment(tmp_path / "again.toml")
    assert again.policy.measures == mine.policy.measures
    assert again.resolved_toml() == mine.resolved_toml()
    expected = {None: dt.date(2026, 7, 1), "2026-06-01": dt.date(2026, 7, 1), "2026-05-31": None}
    if day in expected:
        assert (
            ends(mine.policy)["Half of what is sold at home"]
            == ends(again.policy)["Half of what is sold at home"]
            == expected[day]
        )


def test_as_of_a_day_names_of_what_was_not_known_are_left_out(tmp_path: Path):
    new = dict(NEW, announced=dt.date(2024, 6, 1))
    both = policy(dict(OLD, announced=dt.date(2024, 9, 1), **{"from": dt.date(2025, 1, 1)}), new)
    mine = load_experiment("no-controls")
    then = replace(mine, policy=both).known_on(dt.date(2024, 7, 1))
    assert [one.supersedes for one in then.policy.measures] == [()]
    (tmp_path / "again.toml").write_text(then.resolved_toml())
    assert load_experiment(tmp_path / "again.toml").policy.measures == then.policy.measures


def test_inside_a_retaliation_it_has_no_place():
    inside = {
        "kind": "export_levy",
        "by": "CHN",
        "products": "minerals",
        "destinations": "USA",
        "rate": 0.1,
        "supersedes": ["old"],
    }
    answer = {"kind": "retaliation", "by": "CHN", "against": "USA", "measure": inside, "from": dt.date(2024, 1, 1)}
    _, (fault,) = parse_measures([answer], "mine.toml", NAMES)
    assert (fault.key, fault.value) == ("measures[1].measure.supersedes", ("old",))
    assert fault.remedy.endswith("move it out of the measure inside")

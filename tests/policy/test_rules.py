"""The library of dated rules: every file stands alone, says where it comes from, and counts from the day it was known."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from backfill.commands.new import write_starter
from backfill.commands.run import run_experiment, too_late
from backfill.errors import CommandError, Faults
from backfill.experiments.config import load_experiment
from backfill.policy.library import find, rule_names, shipped_folders

RULES = rule_names()


def raw(name: str) -> dict:
    return tomllib.loads((shipped_folders()[1] / f"{name}.toml").read_text(encoding="utf-8"))


NEWEST = max(dt.date.fromisoformat(one[:10]) for one in RULES if raw(one)["status"] == "in force")
"""When the last rule in force began."""


@pytest.fixture(scope="module")
def current():
    return load_experiment("current-policy")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_loads_alone_and_says_what_it_is(name: str):
    rule, file = load_experiment(name), raw(name)
    assert rule.policy.placed or rule.withdrawn
    assert rule.title
    assert len(rule.purpose.split()) >= 10
    assert all(measure["source"] and measure["name"] for measure in file["measures"])
    assert (file["status"] == "proposed") == name.startswith("proposed-")
    if file["status"] != "proposed":
        named = dt.date.fromisoformat(name[:10])
        assert named in {
            measure[key] for measure in file["measures"] for key in ("announced", "from") if key in measure
        }


@pytest.mark.parametrize("name", RULES)
def test_its_status_agrees_with_its_dates(name: str):
    status, measures = raw(name)["status"], raw(name)["measures"]
    ending = ["until" in measure or "withdrawn" in measure for measure in measures]
    over = [min(measure.get(key, dt.date.max) for key in ("until", "withdrawn")) for measure in measures]
    assert (status == "withdrawn") == all("withdrawn" in measure for measure in measures)
    if status == "ended":
        assert all(ending)
    if status in ("in force", "proposed"):
        assert max(over) > NEWEST or name in AMENDED
    if status == "suspended":
        assert any(ending)
        assert any(measure["from"] > min(over) for measure in measures)
    if status == "enacted":
        assert all(measure["from"] > max(NEWEST, measure["announced"]) for measure in measures)
    if status == "reported":
        assert all("press report" in measure["source"] and "no text published" in measure["source"] for measure in measures)
    for measure in measures:
        days = [measure[key] for key in ("announced", "from", "until") if key in measure]
        assert days == sorted(days)
        if "until_announced" in measure:
            assert measure["announced"] <= measure["until_announced"] <= measure["until"]


AMENDED = {"2023-10-17-advanced-computing"}
"""In force under another's lines: what it says itself has ended."""


APART = {"proposed", "enacted", "reported"}
"""Rules that have not come into force, or of which no text is known."""


def touches_trade(name: str) -> bool:
    return any(measure["kind"] != "industrial_subsidy" for measure in raw(name)["measures"])


def test_current_policy_is_every_rule_on_trade_that_came_into_force():
    listed = tomllib.loads((shipped_folders()[0] / "current-policy.toml").read_text(encoding="utf-8"))
    assert "measures" not in listed
    assert listed["include"] == [name for name in RULES if raw(name)["status"] not in APART and touches_trade(name)]


@pytest.mark.parametrize("name", ["rules/2022-10-07-advanced-computing", "2022-10-07-advanced-computing"])
def test_a_rule_is_found_by_its_name_and_can_be_included(name: str, tmp_path: Path):
    assert find(name, tmp_path) == shipped_folders()[1] / "2022-10-07-advanced-computing.toml"
    (tmp_path / "mine.toml").write_text(f'include = ["{name}"]\n')
    included = load_experiment(tmp_path / "mine.toml").policy.measures
    assert [measure.name for measure in included] == ["Accelerators, October 2022", "Tools, October 2022"]
    assert {measure.included_from for measure in included} == {"2022-10-07-advanced-computing"}


SECOND_TIER = {"Second tier, 790 million TPP", "Second tier, the Gulf", "Second tier, four countries of ASEAN"}

KNOWN = {
    "2022-10-07": {"End-use checks", "Accelerators, October 2022", "Tools, October 2022"},
    "2023-12-31": {
        "China, Micron", "Japan, 23 tool types", "Netherlands, immersion lithography", "China, gallium and germanium licences",
        "A800 and H800, October 2023",
    },
    "2025-03-01": {
        "Netherlands, older immersion lithography", "China, minerals banned to the United States", "HBM, December 2024",
        "HBM, foreign direct product rule", "24 further kinds of tools, December 2024", "Tools, foreign direct product rule",
        "Subsystems, December 2024", "Section 301, chips", "Emergency powers, Mexico and Canada", "Emergency powers, China",
        "Advanced dies of unknown designers", "Advanced dies, foundries abroad", *SECOND_TIER,
    },
    "2025-06-30": {
        "Emergency powers, all partners", "H20, April 2025", "Gulf deal", "China, seven rare earths", "Design software, May 2025",
        "Taiwan, entity list",
    },
    "2025-10-29": {
        "China, twelve rare earths", "Emergency powers, Europe, Japan and Korea",
        "Emergency powers, Taiwan, Malaysia and the rest of ASEAN", "Emergency powers, India",
        "Emergency powers, India for Russian oil", "Malaysia, strategic trade permit", "H20 levy, August 2025",
        "China, import guidance", "Affiliates, autumn 2025", "Foreign-owned fabs in China",
    },
    "2025-11-30": {
        "Affiliates, after the suspension", "Emergency powers, China, after November 2025",
        "China, minerals banned again after the suspension", "China, twelve rare earths, after the suspension",
    },
}  # fmt: skip
"""What each date adds; the framework of January 2025 is gone again by June, China's of October by the end of November."""

WITHDRAWN = {"2025-05-13": SECOND_TIER, "2025-10-30": {"China, twelve rare earths"}}


def test_as_of_a_day_what_had_been_announced_counts_and_the_rest_is_listed(current):
    names: set[str] = set()
    for day, added in KNOWN.items():
        assert not names & added
        names = (names | added).difference(*(gone for last, gone in WITHDRAWN.items() if last <= day))
        known = current.known_on(dt.date.fromisoformat(day))
        assert {placed.label for placed in known.policy.placed} == names
        every = {placed.label for placed in (*current.policy.placed, *current.withdrawn)}
        assert set(known.left_out) == every - names


def test_a_day_on_which_everything_was_known_is_noted(tmp_path):
    text = "[[measures]]\nkind = 'export_control'\nby = 'USA'\nproducts = 'tools'\ndestinations = 'CHN'\nfrom = 2024-01-01\n"
    (tmp_path / "mine.toml").write_text(text)
    mine = load_experiment(tmp_path / "mine.toml")
    day = dt.date(2040, 1, 1)
    assert too_late(mine, mine.known_on(day), day) == [
        "note: backfill run: --as-of: 2040-01-01: changes nothing: the last measure of mine was announced on 2024-01-01"
    ]
    (tmp_path / "mine.toml").write_text(text + "until = 2027-01-01\n")
    mine, before = load_experiment(tmp_path / "mine.toml"), dt.date(2025, 1, 1)
    assert too_late(mine, mine.known_on(before), before) == []


def test_as_of_a_day_only_ends_made_public_by_then_count(current):
    def ends(day: str) -> dict[str, dt.date | None]:
        return {m.name: m.until for m in current.known_on(dt.date.fromisoformat(day)).policy.measures}

    assert ends("2026-02-22")["Section 122"] == dt.date(2026, 7, 24)
    assert ends("2026-02-19")["Emergency powers, all partners"] is None
    assert ends("2026-02-20")["Emergency powers, all partners"] == dt.date(2026, 2, 24)
    assert ends("2024-09-05")["Netherlands, immersion lithography"] is None
    assert ends("2024-09-06")["Netherlands, immersion lithography"] == dt.date(2024, 9, 7)


@pytest.mark.parametrize("day", [None, "2025-06-30"])
def test_a_resolved_file_is_the_same_experiment_on_the_same_day(tmp_path: Path, day: str | None):
    experiment = load_experiment("allied-alignment")
    if day is not None:
        experiment = experiment.known_on(dt.date.fromisoformat(day))
    place = tmp_path / "again.toml"
    place.write_text(experiment.resolved_toml(), encoding="utf-8")
    again = load_experiment(place)
    assert again.policy.measures == experiment.policy.measures
    assert (again.as_of, again.left_out, again.title) == (experiment.as_of, experiment.left_out, experiment.title)
    assert {"current-policy", "2022-10-07-advanced-computing"} <= set(again.includes) <= set(experiment.includes)
    if day is None:
        assert {one.label for one in again.withdrawn} == set().union(*WITHDRAWN.values())
    assert again.resolved_toml() == experiment.resolved_toml()


def test_a_file_can_say_the_day_itself(tmp_path: Path):
    (tmp_path / "mine.toml").write_text('title = "March"\nas_of = 2025-03-01\ninclude = ["current-policy"]\n')
    mine = load_experiment(tmp_path / "mine.toml")
    assert {placed.label for placed in mine.policy.placed} > SECOND_TIER
    assert "H20, April 2025" in mine.left_out
    assert {measure.included_from.split(" > ")[0] for measure in mine.policy.measures} == {"current-policy"}
    (tmp_path / "on.toml").write_text('include = ["mine"]\n')
    with pytest.raises(Faults, match="as_of"):
        load_experiment(tmp_path / "on.toml")


@pytest.mark.parametrize(("day", "told"), [("2025-01-12", "announced on 2025-01-13"), ("2025-05-13", "withdrawn on")])
def test_a_day_on_which_nothing_was_known_is_a_mistake(tmp_path: Path, day: str, told: str):
    with pytest.raises(Faults, match=told):
        run_experiment("2025-01-13-ai-diffusion", tmp_path / "out", None, "csv", None, True, dt.date.fromisoformat(day))
    assert not (tmp_path / "out").exists()


def test_a_new_experiment_cannot_take_the_name_of_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match="shipped"):
        write_starter(RULES[0])

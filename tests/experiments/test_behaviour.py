"""Tariffs that answer measured backfill: a schedule that agrees with behaviour, or the word that there is none."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from backfill.dimensions import Vocabulary, periods
from backfill.errors import UnsolvedError, UserError
from backfill.experiments.behaviour import backfill_rates, conditional, fixed_point, scheduled, told
from backfill.experiments.config import load_experiment
from backfill.policy.measures.secondary_tariff import SecondaryTariff
from backfill.policy.policy import Policy

BLOC = {"USA": "us", "JPN": "ally", "NLD": "ally", "CHN": "adversary"}
NAMES = Vocabulary(tuple(BLOC), BLOC, (), ("tools",), {})
YEARS = periods(2024, 2027)


def tariff(threshold: float = 0.3) -> SecondaryTariff:
    return SecondaryTariff.model_validate(
        {
            "by": "USA",
            "targets": ["JPN", "NLD"],
            "products": "tools",
            "rate": 0.25,
            "name": "threat",
            "trigger": {"backfill_above": threshold, "products": "tools"},
            "from": dt.date(2024, 1, 1),
        }  # fmt: skip
    )


def world(sales: dict[str, list[float]]) -> SimpleNamespace:
    """A solved world in which regions sell so much to the adversary, year by year."""
    rows = [
        {
            "period": period.label, "product": "tools", "origin": seller, "destination": "CHN", "channel": "direct",
            "quantity": sold[n],
        }
        for n, period in enumerate(YEARS)
        for seller, sold in sales.items()
    ]  # fmt: skip
    tables = SimpleNamespace(flows=pl.DataFrame(rows))
    return SimpleNamespace(tables=tables, periods=YEARS, status=SimpleNamespace(name="SOLVED"))


REFERENCE = world({"USA": [100.0] * 4, "JPN": [50.0] * 4, "NLD": [50.0] * 4})


def due(policy: Policy) -> set[tuple[str, str]]:
    (placed,) = policy.placed
    assert isinstance(placed.measure, SecondaryTariff)
    return set(placed.measure.due or ())


def test_a_rate_is_gain_over_loss_and_nothing_where_there_is_no_loss():
    found = backfill_rates(
        tariff(), world({"USA": [60.0, 60.0, 99.5, 100.0], "JPN": [70.0, 40.0, 60.0, 60.0]}), REFERENCE, NAMES
    )
    assert found["2024"]["JPN"] == pytest.approx(0.5)
    assert found["2025"]["JPN"] == pytest.approx(-0.25)
    assert found["2026"]["JPN"] == found["2027"]["JPN"] == 0.0


def test_the_tariff_falls_due_in_the_period_after():
    answers = world({"USA": [60.0] * 4, "JPN": [50.0, 70.0, 70.0, 50.0], "NLD": [51.0] * 4})
    policy, rounds = fixed_point(Policy.of([tariff()]), lambda _: (answers, REFERENCE), NAMES)
    assert due(policy) == {("JPN", "2026"), ("JPN", "2027")}
    assert rounds == 2


def test_behaviour_that_answers_is_followed_until_it_agrees():
    """Threatened for 2025, Japan sells less in 2026 and is free in 2027."""

    def solve(policy: Policy):
        last = 50.0 if ("JPN", "2025") in due(policy) else 70.0
        return world({"USA": [60.0] * 4, "JPN": [70.0, 70.0, last, last], "NLD": [50.0] * 4}), REFERENCE

    policy, _ = fixed_point(Policy.of([tariff()]), solve, NAMES)
    assert due(policy) == {("JPN", "2025"), ("JPN", "2026")}


def test_a_circle_is_told_with_who_and_when():
    """Japan backfills in 2024 unless it expects the tariff of 2025."""

    def solve(policy: Policy):
        first = 50.0 if ("JPN", "2025") in due(policy) else 70.0
        return world({"USA": [60.0] * 4, "JPN": [first, 50.0, 50.0, 50.0], "NLD": [50.0] * 4}), REFERENCE

    with pytest.raises(UnsolvedError, match="threat: JPN in 2025"):
        fixed_point(Policy.of([tariff()]), solve, NAMES)


def test_a_failed_world_is_left_to_say_so():
    failed = SimpleNamespace(status=SimpleNamespace(name="MARKETS_FAILED"))
    policy, rounds = fixed_point(Policy.of([tariff()]), lambda _: (failed, REFERENCE), NAMES)
    assert (due(policy), rounds) == (set(), 1)


def test_what_answers_alignment_is_not_solved_for():
    aligned = tariff().model_copy(update={"trigger": tariff().trigger.model_copy(update={"backfill_above": None})})
    assert conditional(Policy.of([aligned])) == ()
    policy = Policy.of([tariff()])
    (placed,) = conditional(policy)
    again = scheduled(policy, {f"{placed.file} {placed.key}": (("JPN", "2025"),)})
    assert due(again) == {("JPN", "2025")}


ANSWERING = """\
name = "answer"
[[measures]]
kind = "export_control"
by = "USA"
products = "tools"
destinations = "CHN"
coverage = 0.6
[[measures]]
kind = "secondary_tariff"
by = "USA"
targets = ["JPN", "NLD"]
rate = 0.25
trigger = { backfill_above = 0.3, products = "tools" }
"""


@pytest.mark.parametrize("due", [(), (("JPN", "2025"), ("NLD", "2026"))])
def test_what_was_run_is_read_back_with_the_schedule_it_found(due: tuple[tuple[str, str], ...], tmp_path: Path):
    file = tmp_path / "answer.toml"
    file.write_text(ANSWERING)
    asked = load_experiment(file)
    (placed,) = conditional(asked.policy)
    run = dataclasses.replace(asked, policy=scheduled(asked.policy, {f"{placed.file} {placed.key}": due}))
    resolved = tmp_path / "resolved.toml"
    resolved.write_text(run.resolved_toml())
    again = load_experiment(resolved)
    assert again.policy.measures == run.policy.measures
    assert again.resolved_toml() == run.resolved_toml()
    (read,) = conditional(again.policy)
    assert isinstance(read.measure, SecondaryTariff)
    assert read.measure.due == due


def test_a_schedule_that_is_none_is_one_line(tmp_path: Path):
    file = tmp_path / "answer.toml"
    file.write_text(ANSWERING + 'due = ["JPN"]\n')
    with pytest.raises(UserError) as caught:
        load_experiment(file)
    (line,) = caught.value.lines
    assert "measures[2].due" in line


def test_it_falls_due_in_force_only_and_says_on_whom():
    short = tariff().model_copy(update={"begin": dt.date(2025, 1, 1), "authority_days": 150, "name": "threat"})
    always = {"USA": [60.0] * 4, "JPN": [90.0] * 4, "NLD": [50.0] * 4}
    policy, _ = fixed_point(Policy.of([short]), lambda _: (world(always), REFERENCE), NAMES)
    assert due(policy) == {("JPN", "2025")}
    assert told(policy) == {"threat": "falls due on JPN in 2025"}
    idle, _ = fixed_point(Policy.of([short]), lambda _: (REFERENCE, REFERENCE), NAMES)
    assert told(idle) == {"threat": "falls due on nobody"}

"""Which measure moved what: on worlds worked out by hand, then on a small economy against runs of single measures."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import backfill.experiments.explain as module
from backfill.cli import main
from backfill.errors import UnsolvedError
from backfill.experiments.config import Experiment
from backfill.experiments.explain import KEYS, SCHEMA, Explanation, explain
from backfill.experiments.setting import Setting
from backfill.experiments.worlds import Batch
from backfill.policy.measures.secondary_tariff import SecondaryTariff
from backfill.policy.policy import Policy
from tests.effects.hand_made import PERIODS, VOCABULARY, everyone, world
from tests.experiments.test_groups import ALIGNED, CHIPS, DUTY, TOOLS

DENIED = ("compute denied", "adversary", "2022-2023", "H100e")
US_TOOLS = ("sales of tools by US", "adversary", "2022-2023", "million USD")


class Worked(Setting):
    """A setting whose worlds are worked out from coverages: chips denied, tools denied, and own chips that need tools."""

    batches: list[int] = []
    failing = False

    def solved(self, needed: Batch, progress=None):
        type(self).batches.append(len(needed.wedges))
        return {name: self.answer(needed.wedges[place]) for name, place in needed.position.items()}

    def answer(self, wedges):
        p, r = VOCABULARY.products.index, VOCABULARY.regions.index
        chips = wedges.coverage[0, p("frontier"), r("USA"), r("CHN")]
        tools = wedges.coverage[0, p("lithography"), r("USA"), r("CHN")]
        korea = wedges.coverage[0, p("lithography"), r("KOR"), r("CHN")]
        duty = wedges.tariff[0, p("ascend"), r("CHN"), r("USA")]
        year = {
            "us to china": 20 * (1 - chips),
            "own": 8 * (1 + chips) * (1 - tools) * (1 - korea) + 2 * duty,
            "us at home": 100,
            "us tools": 50 * (1 - tools),
            "korean tools": 30 * (1 - korea) * (1 + tools),
            "own tools": 5,
        }
        status = "MARKETS_FAILED" if self.failing and tools and not chips else "SOLVED"
        return SimpleNamespace(
            tables=world(everyone({"2022": year, "2023": year})),
            periods=PERIODS,
            discount=0.94,
            checks={},
            status=SimpleNamespace(name=status),
            message="Periods: 2022.",
        )


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> type[Worked]:
    economy = SimpleNamespace(periods=PERIODS)
    setting = Worked(economy, VOCABULARY, "fixed", lambda *_: True, None)  # type: ignore[arg-type]
    monkeypatch.setattr(module.Setting, "of", lambda *_: setting)
    monkeypatch.setattr(Worked, "batches", [])
    monkeypatch.setattr(Worked, "failing", False)
    return Worked


def experiment(name: str, *measures) -> Experiment:
    return Experiment(name=name, policy=Policy.of(measures), foresight="fixed")


def shares(found: Explanation | None, row: tuple[str, ...]) -> dict[str, float]:
    assert found is not None
    chosen = found.table.filter(pl.all_horizontal(pl.col(key) == part for key, part in zip(KEYS, row, strict=True)))
    return dict(chosen.select("group", "contribution").iter_rows())


def test_two_measures_share_what_they_do_together(worked):
    """Denied, in H100e over two years: chips alone 2 (10 - 4) 1000, tools alone 2 * 4 * 1000, both 2 (10 + 2) 1000."""
    found = explain(experiment("both", CHIPS, TOOLS), experiment("none"), by="measure")
    assert found is not None
    assert (found.solved, found.orders, found.left_out) == (4, None, ())
    assert shares(found, DENIED) == pytest.approx({"chips": 14_000, "tools": 10_000})
    assert shares(found, US_TOOLS) == pytest.approx({"chips": 0, "tools": -50}, abs=1e-9)


def test_every_number_adds_up_and_the_table_says_what_belongs_where(worked):
    found = explain(experiment("all", CHIPS, TOOLS, ALIGNED, DUTY), experiment("none"), by="kind")
    assert found is not None
    assert dict(found.table.schema) == SCHEMA
    assert [group.name for group in found.groups] == ["export_control", "alignment", "tariff"]
    sums = found.table.group_by(KEYS).agg(pl.col("contribution").sum(), pl.col("total").first())
    np.testing.assert_allclose(sums["contribution"], sums["total"], rtol=1e-12, atol=1e-9)
    assert found.table["standard_error"].is_null().all()
    told = dict(found.table.select("group", "measures").iter_rows())
    assert told == {"export_control": "chips; tools", "alignment": "korea", "tariff": "duty"}


def test_a_measure_that_needs_another_shares_with_it(worked):
    """Korea aligns with a control of tools: without that it does nothing, so that both get half of what it adds."""
    found = explain(experiment("aligned", TOOLS, ALIGNED), experiment("none"), by="measure")
    alone = explain(experiment("tools", TOOLS), experiment("none"), by="measure")
    added = sum(shares(found, DENIED).values()) - sum(shares(alone, DENIED).values())
    assert added > 0
    assert shares(found, DENIED) == pytest.approx(
        {"tools": shares(alone, DENIED)["tools"] + added / 2, "korea": added / 2}
    )


def test_against_another_policy_what_both_have_stays(worked):
    found = explain(experiment("wide", CHIPS, TOOLS), experiment("narrow", CHIPS, DUTY), by="measure")
    assert found is not None
    assert [group.name for group in found.groups] == ["tools", "without duty"]
    assert shares(found, DENIED) == pytest.approx({"tools": 12_000, "without duty": 2_000})


def test_nothing_to_tell_apart(worked):
    assert explain(experiment("one", CHIPS), experiment("other", CHIPS)) is None


def many(count: int):
    names = [f"chips {n}" for n in range(count)]
    return [CHIPS.model_copy(update={"name": name, "coverage": 0.1 + 0.05 * n}) for n, name in enumerate(names)]


def test_above_eight_groups_orders_are_drawn_and_the_error_stated(worked):
    measures = [*many(7), TOOLS, DUTY]
    found = explain(experiment("many", *measures), experiment("none"), by="measure", orders=8, seed=1)
    assert found is not None
    assert found.orders == 8
    assert found.solved <= 2 + 8 * 8
    sums = found.table.group_by(KEYS).agg(pl.col("contribution").sum(), pl.col("total").first())
    np.testing.assert_allclose(sums["contribution"], sums["total"], rtol=1e-12, atol=1e-9)
    errors = found.table.filter(pl.col("quantity") == "compute denied")["standard_error"]
    assert errors.is_not_null().all()
    assert errors.max() > 0  # type: ignore[operator]
    again = explain(experiment("many", *measures), experiment("none"), by="measure", orders=8, seed=1)
    assert again is not None
    assert again.table.equals(found.table)


def test_drawn_orders_come_near_the_exact_values(worked, monkeypatch: pytest.MonkeyPatch):
    both = experiment("five", *many(3), TOOLS, DUTY), experiment("none")
    exact = explain(*both, by="measure")
    monkeypatch.setattr(module, "MOST_EXACT", 4)
    drawn = explain(*both, by="measure", orders=60)
    assert exact is not None
    assert drawn is not None
    gap = (drawn.table["contribution"] - exact.table["contribution"]).abs()
    assert (gap <= 5 * drawn.table["standard_error"] + 1e-9).all()


def test_worlds_are_solved_in_batches_and_the_whole_change_is_told_first(worked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "TOGETHER", 4)
    told: list[tuple[int, float]] = []
    explain(
        experiment("four", CHIPS, TOOLS, ALIGNED, DUTY),
        experiment("none"),
        by="measure",
        checked=lambda numbers: told.append((len(worked.batches), numbers[DENIED])),
    )
    assert len(worked.batches) == 4
    assert max(worked.batches) <= 4
    assert told == [(1, pytest.approx(2 * 1000 * (20 + 8 - 10 - 8 * 1.5 * 0.25 - 2 * 0.5)))]


def test_a_combination_that_cannot_be_solved_is_named(worked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worked, "failing", True)
    with pytest.raises(UnsolvedError, match="The world with tools alone cannot be solved. Periods: 2022."):
        explain(experiment("both", CHIPS, TOOLS), experiment("none"), by="measure")


def test_tariffs_that_answer_backfilling_find_their_schedule_in_every_combination(worked, monkeypatch):
    threat = SecondaryTariff.model_validate(
        {
            "by": "USA", "targets": ["KOR"], "products": "ascend", "rate": 0.25, "name": "threat",
            "trigger": {"backfill_above": 0.3, "products": "lithography"},
        }
    )  # fmt: skip
    asked: list[set[str]] = []

    def found(policy, solve, vocabulary):
        assert vocabulary is VOCABULARY
        world, reference = solve(policy)
        assert world.tables["flows"].height == reference.tables["flows"].height
        asked.append({placed.label for placed in policy.placed})
        return policy, 1

    monkeypatch.setattr(module, "fixed_point", found)
    assert explain(experiment("threatened", CHIPS, TOOLS, threat), experiment("none"), by="measure") is not None
    assert sorted(map(sorted, asked)) == [
        ["chips", "threat"], ["chips", "threat", "tools"], ["threat"], ["threat", "tools"],
    ]  # fmt: skip


TWO = """\
[economy]
tables = "."
[horizon]
last = 2023
"""
CONTROL = """\
[[measures]]
kind = "export_control"
name = "control"
by = "United States"
products = "electronics"
destinations = "China"
coverage = 0.7
"""
LEVIED = """\
[[measures]]
kind = "tariff"
name = "duty"
by = "United States"
origins = "China"
products = "electronics"
rate = 0.3
"""


@pytest.mark.slow
def test_shares_are_those_of_runs_of_each_measure_alone(repository: Path, tmp_path: Path, monkeypatch, capsys):
    for name in ("trade.csv", "elasticities.csv", "regions.csv"):
        shutil.copy(repository / "docs" / "your-own-data" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, measures in {"both": CONTROL + LEVIED, "control": CONTROL, "duty": LEVIED}.items():
        Path(f"{name}.toml").write_text(TWO + measures)
        assert main(["run", name, "--quiet"]) == 0
    assert main(["explain", "both", "--by", "measure"]) == 0
    assert "what each measure adds" in capsys.readouterr().out
    table = pl.read_csv("results/both/explain.csv")
    worth = {
        name: {tuple(r[k] for k in KEYS): r["change"] for r in pl.read_csv(f"results/{name}/summary.csv").to_dicts()}
        for name in ("both", "control", "duty")
    }
    compared = 0
    for row in table.filter(pl.col("group") == "control").to_dicts():
        key = tuple(row[k] for k in KEYS)
        # Revenue lost is counted on the policy's own routes, which the runs of single measures do not share.
        if key not in worth["both"] or key[0].startswith("revenue lost"):
            continue
        both, control, duty = (float(worth[name][key]) for name in ("both", "control", "duty"))
        assert row["contribution"] == pytest.approx((control + both - duty) / 2, rel=1e-6, abs=1e-6), key
        compared += abs(both) > 1e-3
    assert compared >= 5

"""Policies at many values are what compiling each of them gives, bit for bit."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

import numpy as np
import pytest

from backfill.experiments.config import Experiment, load_experiment
from backfill.experiments.levers import field_of, numeric_fields
from backfill.experiments.sweep.at_once import AT_ONCE, one_period
from backfill.experiments.sweep.file import SweepLever
from backfill.experiments.sweep.policies import Compiled, last, policy_at
from backfill.policy.averages import MADE_OF
from backfill.policy.compile import compile_policy
from backfill.policy.kinds import kinds
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.wedges import Wedges, some
from backfill.policy.writing import existing_flows

LEVERS = (
    SweepLever(measure=("Checks",), field="budget"),
    SweepLever(measure=("Location verification",), field="coverage"),
    SweepLever(measure=("Subsystems and tools, country-wide",), field="coverage"),
    SweepLever(measure=("Japan, the Netherlands and Korea align",), field="level"),
)
DATE = 5
"""A year in which rules begin and end: 2027 and those around it have none."""


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load_experiment("action-plan")


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    rng = np.random.default_rng(4)
    rows = np.column_stack([rng.uniform(1, 5, 6), *rng.uniform(0.05, 1, (3, 6))])
    return np.concatenate([rows, rows[:, [0, 1, 2, 3]][::-1]])


def compiled(experiment: Experiment, values: Sequence[float], periods: tuple) -> Wedges:
    return compile_policy(
        policy_at(experiment.policy, LEVERS, values), experiment.vocabulary(), periods,
        flow_exists=experiment.flow_exists(), facts=experiment.facts(), inert_allowed=True,
    )  # fmt: skip


def same(one: Wedges, other: Wedges) -> None:
    for name in MADE_OF:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    limits = [
        {x.name: (x.entries, x.quantity.tolist()) for x in wedges.limits if np.isfinite(x.quantity).any()}
        for wedges in (one, other)
    ]
    assert limits[0] == limits[1]


@pytest.mark.parametrize("at", [2, DATE])
def test_one_period(experiment: Experiment, drawn: np.ndarray, at: int):
    periods = experiment.periods
    ends = [drawn.min(0), drawn.max(0)]
    found = one_period(
        experiment.policy,
        LEVERS,
        experiment.vocabulary(),
        periods,
        at,
        experiment.flow_exists(),
        experiment.facts(),
        ends,
    )
    for values in drawn[:6:2]:
        same(found.one(values), last(compiled(experiment, values, periods[: at + 1])))


def test_all_periods(experiment: Experiment, drawn: np.ndarray):
    periods = experiment.periods[:5]
    vocabulary = experiment.vocabulary()
    exists = existing_flows(vocabulary, experiment.flow_exists())
    found = Compiled(experiment.policy, LEVERS, vocabulary, periods, exists, experiment.facts())
    for values in drawn[:6:3]:
        same(found.wedges(values), compiled(experiment, values, periods))


def test_what_one_scenario_writes_another_does_not_see(experiment: Experiment, drawn: np.ndarray):
    periods = experiment.periods
    about = (
        experiment.vocabulary(),
        periods,
        DATE,
        experiment.flow_exists(),
        experiment.facts(),
        [drawn.min(0), drawn.max(0)],
    )
    found = one_period(experiment.policy, LEVERS, *about)
    before = [found.one(values) for values in drawn]
    again = one_period(experiment.policy, LEVERS, *about)
    for values, one in zip(drawn[::-1], before[::-1], strict=True):
        same(again.one(values), one)


@pytest.mark.parametrize("count", [1, 5, AT_ONCE + 3])
def test_many_choices_written_at_once(experiment: Experiment, drawn: np.ndarray, count: int):
    about = (experiment.vocabulary(), experiment.periods, DATE, experiment.flow_exists(), experiment.facts(), drawn[:2].tolist())
    found = one_period(experiment.policy, LEVERS, *about)
    assert found.at_once is not None
    values = np.resize(drawn, (count, drawn.shape[1]))
    many = found.many(values)
    assert len(many.coverage) == count
    for n, choice in enumerate(values):
        same(some(many, slice(n, n + 1)), found.one(choice))


ONE_BY_ONE = {
    ("domestic_mandate", "share"), ("export_promotion", "us_content_floor"), ("share_cap", "share"),
    *(("redesign", field) for field in ("lag", "cost", "reopened")),
}  # fmt: skip
"""Fields that are coefficients of limits, decide which products are eligible, or look back."""


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_each_kind_at_once(experiment: Experiment, kind: str):
    text = f"[[measures]]\nname = 'moved'\n{kinds()[kind].example}\n{kinds()[kind].beside}"
    placed, wrong = parse_measures(tomllib.loads(text)["measures"], "example", experiment.vocabulary())
    assert not wrong
    measure = placed[0].measure
    for field in numeric_fields(measure):
        value = field_of(measure, field)
        if value is None:
            continue
        about = (experiment.vocabulary(), experiment.periods, DATE, experiment.flow_exists(), experiment.facts())
        lever = SweepLever(measure=("moved",), field=field)
        found = one_period(Policy(tuple(placed)), [lever], *about, [[0.5 * value], [value]])
        assert (found.at_once is None) == ((kind, field) in ONE_BY_ONE), field
        choices = np.linspace(0.4, 1.0, 5)[:, None] * value
        many = found.many(choices)
        for n, choice in enumerate(choices):
            same(some(many, slice(n, n + 1)), found.one(choice))


PARTS = """
[[measures]]
kind = "export_control"
name = "gallium"
part = "gallium"
by = "CHN"
products = "minerals"
destinations = ["USA", "JPN"]
coverage = 0.1

[[measures]]
kind = "export_control"
name = "rare earths"
part = "rare earths"
by = "CHN"
products = "minerals"
destinations = "USA"
coverage = 0.2

[[measures]]
kind = "retaliation"
by = "CHN"
against = "USA"

[measures.measure]
kind = "export_control"
by = "CHN"
products = "minerals"
destinations = "JPN"
part = "rare earths"
coverage = 0.3

[[measures]]
kind = "export_control"
name = "tools"
by = "USA"
products = "tools"
destinations = "CHN"
coverage = 0.5
"""


def test_parts_that_levers_move(experiment: Experiment):
    placed, wrong = parse_measures(tomllib.loads(PARTS)["measures"], "example", experiment.vocabulary())
    assert not wrong
    policy = Policy(tuple(placed))
    levers = [SweepLever(measure=(name,), field="coverage") for name in ("rare earths", "gallium")]
    flows, facts, vocabulary = experiment.flow_exists(), experiment.facts(), experiment.vocabulary()
    choices = np.array([[0.3, 0.1], [0.0, 0.4], [0.7, 0.2], [0.3, 0.1]])
    found = one_period(policy, levers, vocabulary, experiment.periods, DATE, flows, facts, choices[:2].tolist())
    assert found.at_once is not None
    every = Compiled(policy, levers, vocabulary, experiment.periods, existing_flows(vocabulary, flows), facts)
    many = found.many(choices)
    for n, choice in enumerate(choices.tolist()):
        moved = policy_at(policy, levers, choice)
        whole = compile_policy(moved, vocabulary, experiment.periods, flow_exists=flows, facts=facts, inert_allowed=True)
        same(every.wedges(choice), whole)
        same(found.one(choice), some(whole, slice(DATE, DATE + 1)))
        same(some(many, slice(n, n + 1)), found.one(choice))

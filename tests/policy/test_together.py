"""Policies compiled together are those compiled one by one, bit by bit."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace

import numpy as np
import pytest

from backfill.dimensions import Vocabulary, periods
from backfill.economy.tables import load_vocabulary
from backfill.experiments.config import load_experiment
from backfill.policy.benchmark import benchmark_flows
from backfill.policy.compile import compile_policies, compile_policy
from backfill.policy.kinds import example, kinds
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.technology import benchmark_facts
from backfill.policy.wedges import Wedges

YEARS = periods(2024, 2027)
NAMES: Vocabulary = load_vocabulary()
SETTING = {"flow_exists": benchmark_flows(), "facts": benchmark_facts()}


def assert_equal(one: Wedges, other: Wedges) -> None:
    for field in fields(Wedges):
        if field.name != "limits":
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)
    told = [[replace(limit, quantity=np.zeros(0)) for limit in w.limits] for w in (one, other)]
    assert [str(limit) for limit in told[0]] == [str(limit) for limit in told[1]]
    for mine, yours in zip(one.limits, other.limits, strict=True):
        np.testing.assert_array_equal(mine.quantity, yours.quantity)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Policy]:
    """Current policy, and with each kind of measure after it and before it, as a game, an explanation or a design asks for."""
    base = load_experiment("current-policy").policy
    folder, policies = tmp_path_factory.mktemp("kinds"), [base, Policy()]
    for name, measure in kinds().items():
        path = folder / f"{name}.toml"
        path.write_text(example(measure))
        added = load_experiment(path).policy.placed
        policies += [Policy((*base.placed, *added)), Policy((*added, *base.placed))]
    return policies


@pytest.mark.parametrize("which", [slice(None), slice(2, None, 2)], ids=["with nothing in common", "after the same measures"])
def test_wedges_and_limits_are_the_same(many: list[Policy], which: slice):
    together = compile_policies(many[which], NAMES, YEARS, **SETTING)
    for policy, wedges in zip(many[which], together, strict=True):
        assert_equal(wedges, compile_policy(policy, NAMES, YEARS, **SETTING, inert_allowed=True))


def test_what_one_writes_is_not_on_the_others():
    table = {"kind": "tariff", "by": "USA", "origins": "CHN", "products": "logic_mature", "from": dt.date(2025, 1, 1)}
    made = []
    for rate in (0.1, 0.2, 0.3):
        placed, wrong = parse_measures([{**table, "rate": 0.05}, {**table, "rate": rate}], "mine.toml", NAMES)
        assert not wrong
        made.append(Policy(tuple(placed)))
    found = compile_policies(made, NAMES, YEARS, **SETTING)
    place = (2, NAMES.products.index("logic_mature"), NAMES.regions.index("CHN"), NAMES.regions.index("USA"))
    np.testing.assert_allclose([wedges.tariff[place] for wedges in found], [0.15, 0.25, 0.35])
    assert compile_policies([], NAMES, YEARS, **SETTING) == []

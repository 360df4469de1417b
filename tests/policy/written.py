"""Measures written as tables of a file, and the wedges they make over the shipped benchmark."""

from __future__ import annotations

import datetime as dt

from backfill.dimensions import Vocabulary, periods
from backfill.economy.tables import load_vocabulary
from backfill.policy.benchmark import benchmark_flows
from backfill.policy.compile import compile_policy
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.technology import benchmark_facts
from backfill.policy.wedges import Wedges

YEARS = periods(2024, 2027)
START = dt.date(2024, 1, 1)
NAMES: Vocabulary = load_vocabulary()
EXISTS, FACTS = benchmark_flows(), benchmark_facts()


def written(**table: object):
    """Measures of one table, as a file would have it."""
    placed, wrong = parse_measures([{"from": START, **table}], "mine.toml", NAMES)
    assert not wrong
    return placed


def wedges(*tables: dict, allowed: bool = True) -> Wedges:
    placed = [one for table in tables for one in written(**table)]
    return compile_policy(Policy(tuple(placed)), NAMES, YEARS, flow_exists=EXISTS, facts=FACTS, inert_allowed=allowed)


def at(*names: str) -> tuple:
    """Index of products and regions by name, over all periods."""
    found = [NAMES.products.index(n) if n in NAMES.products else NAMES.regions.index(n) for n in names]
    return (slice(None), *found)

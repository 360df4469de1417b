"""Things to draw, worked out by hand, so that nothing is solved here."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import polars as pl
import pytest

from backfill.experiments.align.result import SUMMARY, AlignResult
from backfill.experiments.align.result import table as align_table
from backfill.experiments.beside import SideBySide
from backfill.experiments.design.result import DesignResult
from backfill.experiments.levels import levels
from backfill.experiments.results import Result
from tests.design.test_result import made
from tests.effects.hand_made import REFERENCE
from tests.effects.test_results import make, solved

PLAYERS = ("NLD", "JPN")
SHARE = "share of GDP"


@pytest.fixture(scope="session")
def result() -> Result:
    """A policy beside two references."""
    return make(second=True)


@pytest.fixture(scope="session")
def idle() -> Result:
    """A policy that changes nothing."""
    return make(policy=solved(REFERENCE))


@pytest.fixture(scope="session")
def ranged(result: Result) -> Result:
    """The result with ranges of a tenth around every number."""
    wide = result.summary.with_columns(
        low=pl.col("change") - pl.col("change").abs() / 10, high=pl.col("change") + pl.col("change").abs() / 10
    )
    swings = [
        {
            **{key: row[key] for key in ("quantity", "where", "period", "unit")},
            "parameter": name,
            "low": low,
            "high": high,
        }
        for row in result.summary.iter_rows(named=True)
        if row["change"] is not None
        for name, low, high in (
            ("sigma_family", 0.9 * row["change"], 1.3 * row["change"]),
            ("diversion_slope", 1.1 * row["change"], 0.95 * row["change"]),
            ("discount_factor", row["change"], row["change"]),
        )
    ]
    keys = ("scenario", "quantity", "where", "product", "period", "unit")
    bands = [
        {**dict(zip(keys, key, strict=True)), "low": 0.9 * v, "high": 1.2 * v}
        for key, v in levels(result.tables).items()
    ]
    record = {"ranges": {"swings": swings, "bands": bands}, "date": "2026-03-05T10:00:00+00:00"}
    return dataclasses.replace(result, summary=wide, provenance={**result.provenance, **record})


@pytest.fixture(scope="session")
def comparison(result: Result) -> SideBySide:
    """Two worlds beside each other."""
    columns = ["quantity", "where", "period", "unit", "reference"]
    mine = result.summary.select(*columns, pl.col("policy").alias("one: level"), pl.col("change").alias("one: change"))
    other = mine.with_columns(
        (pl.col("one: level") * 0.8).alias("two: level"), (pl.col("one: change") * 2).alias("two: change")
    )
    return SideBySide("no-controls", ("one", "two"), other, {"of": {"one": {"date": "2026-03-05"}}})


@pytest.fixture(scope="session")
def game() -> AlignResult:
    """Two players with two levels each; both align in the only equilibrium."""
    profiles = [f"NLD {n}, JPN {j}" for n in (0, 1) for j in (0, 1)]
    payoffs = [
        (profile, player, "total", 1e-4 * (n + 1) * (1 if player == "NLD" else -2), SHARE)
        for n, profile in enumerate(profiles)
        for player in PLAYERS
    ]
    deterrence = [
        (player, others, quantity, 0.5, value, None if value is None else 0.8 * value, None, SHARE, "")
        for player, value in (("NLD", 0.26), ("JPN", None))
        for others in ("as asked", "as today")
        for quantity in ("deterring tariff", "offer")
    ]
    curves = [
        (player, others, rate, 1e-4 * (rate * 10 - n), SHARE)
        for n, player in enumerate(PLAYERS)
        for others in ("as asked", "as today")
        for rate in (0.0, 0.5, 1.0)
    ]
    coalitions = [
        (name, members, quantity, value, unit)
        for name, members, value in (("nobody", 0, 0.0), ("NLD", 1, -4000.0), ("NLD, JPN", 2, 9000.0))
        for quantity, unit in (("compute denied", "H100e"), ("welfare of USA", "million USD"))
    ]
    rows = {
        "payoffs": payoffs,
        "equilibria": [(1, profiles[-1], player, 1.0, 1e-4, SHARE, True) for player in PLAYERS],
        "path": [],
        "stability": [],
        "coalitions": coalitions,
        "shapley": [],
        "deterrence": deterrence,
        "curves": curves,
        "execution": [],
        "incentives": [],
    }
    return AlignResult(
        name="mine",
        title="Mine",
        players=PLAYERS,
        profiles=(profiles[0], profiles[-1]),
        tables={name: align_table(name, part) for name, part in rows.items()},
        summary=pl.DataFrame([("equilibria", "all", 1.0, None, None, "count", "")], schema=SUMMARY, orient="row"),
        sentences=("One equilibrium: NLD 1, JPN 1.",),
        checks={"converged": 1.0},
        provenance={"reference": "no-controls", "date": "2026-03-05T10:00:00+00:00"},
        resolved='name = "mine"\n',
    )


@pytest.fixture(scope="session")
def design() -> DesignResult:
    """A best package with a frontier."""
    return made()


@pytest.fixture(scope="session")
def sweep() -> SimpleNamespace:
    """Six by three scenarios of two levers; one was not solved."""
    levers = [(f"s{n}", n, "SOLVED" if n != 17 else "FAILED", "", 0.1 * (n % 6), float(n // 6)) for n in range(18)]
    scenarios = pl.DataFrame(
        levers, schema=["scenario", "number", "status", "reason", "coverage", "budget"], orient="row"
    )
    effects = []
    for name, _, status, _, coverage, budget in levers:
        if status != "SOLVED":
            continue
        effects += [
            (
                name,
                "2022-2030",
                "compute denied",
                "adversary",
                "accelerators",
                "H100e",
                1e6 * (coverage + 0.1 * budget),
            ),
            (name, "2022-2030", "welfare, present value", "US", "all", "million USD", -1e4 * coverage * coverage),
            (name, "2030", "compute denied", "adversary", "accelerators", "H100e", 1e5 * coverage),
        ]
    schema = ["scenario", "period", "quantity", "where", "product", "unit", "value"]
    return SimpleNamespace(
        scenarios=scenarios.lazy(), effects=pl.DataFrame(effects, schema=schema, orient="row").lazy(), provenance={}
    )

"""Speed of worlds in hats, for `make bench`: three sizes of random tables with a fifth of the flows zero."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import backfill  # noqa: E402
from backfill.hats import market  # noqa: E402
from backfill.hats.base import size_of  # noqa: E402
from tests.hats.tables import random_tables, routes  # noqa: E402
from tests.plain_engine import fastest  # noqa: E402

SIZES = ((31, 40, True, 4.0), (81, 28, True, 25.0), (194, 1, False, 4.0))
"""Regions, products, whether producers buy from one another, and the time aimed at in milliseconds."""


def milliseconds(function: Callable[[], object], times: int = 15) -> float:
    """Median time of a call, after one that compiles."""
    function()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        function()
        taken.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(taken)


def rows() -> list[tuple[str, str, str]]:
    """Measure, value, and the ratio to what is aimed at or to a solve."""
    return [row for size in SIZES for row in measured(*size)]


def measured(regions: int, products: int, inputs: bool, aim: float) -> list[tuple[str, str, str]]:
    """The rows of one size."""
    economy = backfill.Economy.from_tables(**random_tables(regions, products, 1, inputs=inputs))
    rng, accounts = np.random.default_rng(0), economy.accounts
    rates = accounts.tariff + rng.choice([0.0, 0.1, 0.25], size=accounts.tariff.shape) * (accounts.flow > 0)
    table = routes(rates, "rate", list(accounts.regions), list(accounts.products))
    shock = economy.shock({"tariffs": rates})
    lane = market.Shock(*(np.asarray(part)[None] for part in shock))
    start = np.zeros((1, size_of(economy.setting, economy.base)))
    solved = market.solve(economy.setting, economy.base, lane, start, 1e-9)
    assert solved.converged.all()
    plain, plain_steps = fastest(economy.base, rates, 1e-9)
    real_wage = solved.vector[0, :regions] - solved.outcome.final_price[0]
    np.testing.assert_allclose(plain()[0], real_wage, atol=1e-8)
    textbook = milliseconds(plain, 5)
    one = milliseconds(lambda: market.solve(economy.setting, economy.base, lane, start, 1e-9))
    weights = np.eye(regions)[0]
    slope = milliseconds(lambda: market.gradient(economy.setting, economy.base, shock, solved.vector[0], weights))
    whole = milliseconds(lambda: economy.solve(tariffs=table).welfare)
    step = milliseconds(lambda: market.solve(economy.setting, economy.base, lane, solved.vector, 1e-9), 30)
    name = f"{regions} regions x {products} products"
    return [
        (f"{name}, to 1e-9", f"{one:.1f} ms", f"{aim / one:.1f} x faster than aimed at; {int(solved.steps[0])} steps"),
        (
            f"{name}, a plain implementation: full arrays, powers and damped wages in JAX",
            f"{textbook:.1f} ms",
            f"{textbook / one:.1f} x the engine's; {plain_steps} steps",
        ),
        (f"{name}, already solved: the call and one evaluation", f"{step:.1f} ms", ""),
        (f"{name}, gradient of welfare by all tariffs", f"{slope:.1f} ms", f"{slope / one:.1f} solves"),
        (f"{name}, from a table of {table.height:,} tariffs to welfare", f"{whole:.1f} ms", ""),
    ]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))

"""GSIM's worked example: a free-trade area of the US and the EU (Francois and Hall, Global Simulation Analysis of
Industry-Level Trade Policy, version 3.0, 21 April 2003).

GSIM is linear in changes of prices and partial: exports of each region are supplied with elasticity 1.5, demand for the composite
has elasticity -1.25, origins are substitutes with elasticity 5. The same industry is made here as a small part of a general
equilibrium: makers work more for a higher wage in terms of a good whose price does not move, and users are mills without value
added of their own whose product competes with a large rest of the world. Both must agree to first order.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

import backfill

REGIONS = ("USA", "JPN", "EUR", "ROW")
FLOWS = np.array([[0, 50, 200, 300], [500, 0, 150, 200], [300, 100, 200, 200], [50, 100, 110, 20]], float)
"""Trade at world prices, origins in rows."""
TARIFFS = np.array([[1.00, 1.21, 1.41, 1.22], [1.37, 1.00, 1.31, 1.23], [1.32, 1.36, 1.00, 1.18], [1.57, 1.41, 1.25, 1.15]])
"""One plus the rate."""
DEMAND, SUPPLY, SUBSTITUTION = -1.25, 1.5, 5.0
PUBLISHED = np.array([0.0792, -0.0316, 0.0480, -0.0184])
"""Changes of world prices."""


@pytest.fixture(scope="module")
def change() -> np.ndarray:
    """Relative change of one plus the rate: free trade between the US and the EU."""
    free = np.zeros((4, 4))
    free[0, 2], free[2, 0] = 1 / TARIFFS[0, 2] - 1, 1 / TARIFFS[2, 0] - 1
    return free


def linear(change: np.ndarray) -> np.ndarray:
    """GSIM's own system: supply of each origin's good equals demand for it, in changes."""
    bought = FLOWS * TARIFFS / (FLOWS * TARIFFS).sum(0)
    sold = FLOWS / FLOWS.sum(1, keepdims=True)
    matrix, right = SUPPLY * np.eye(4), np.zeros(4)
    for origin, buyer, other in product(range(4), repeat=3):
        cross = bought[other, buyer] * (DEMAND + SUBSTITUTION)
        elasticity = cross - SUBSTITUTION if other == origin else cross
        matrix[origin, other] -= sold[origin, buyer] * elasticity
        right[origin] += sold[origin, buyer] * elasticity * change[other, buyer]
    return np.linalg.solve(matrix, right)


def test_the_linear_system_gives_the_published_prices(change: np.ndarray):
    np.testing.assert_allclose(linear(change), PUBLISHED, atol=6e-5)


def industry(rest: float = 1e9, made: float = 1e-7):
    """The example as part of a large world: makers ``m``, users ``u`` and the rest, ``REST``."""
    names = ("goods", *(f"use {c}" for c in REGIONS), "other")
    trade: list[tuple[str, str, str, float]] = [("REST", "REST", "other", rest)]
    inputs: list[tuple[str, str, str, float]] = []
    rates: list[tuple[str, str, str, float]] = []
    for n, region in enumerate(REGIONS):
        spent = (FLOWS * TARIFFS)[:, n].sum()
        trade += [(f"m {o}", f"u {region}", "goods", FLOWS[i, n]) for i, o in enumerate(REGIONS) if FLOWS[i, n]]
        rates += [(f"m {o}", f"u {region}", "goods", TARIFFS[i, n] - 1) for i, o in enumerate(REGIONS)]
        trade += [(f"u {region}", "REST", f"use {region}", spent / (1 - made)), ("REST", "REST", f"use {region}", rest)]
        inputs.append((f"u {region}", f"use {region}", "goods", 1 - made))
        trade.append(("REST", f"m {region}", "other", FLOWS[n].sum()))
        trade.append(("REST", f"u {region}", "other", (FLOWS * (TARIFFS - 1))[:, n].sum() + made * spent / (1 - made)))
    route = ["origin", "destination", "product"]
    economy = backfill.Economy.from_tables(
        trade=pl.DataFrame(trade, schema=[*route, "value"], orient="row"),
        tariffs=pl.DataFrame(rates, schema=[*route, "rate"], orient="row"),
        inputs=pl.DataFrame(inputs, schema=["region", "product", "input", "share"], orient="row"),
        elasticities=pl.DataFrame(
            {"product": names, "trade_elasticity": [SUBSTITUTION - 1, *[-DEMAND - 1] * 4, 4.0]}
        ),
        labour=backfill.ElasticLabour({f"m {region}": SUPPLY for region in REGIONS}),
    )
    return economy, pl.DataFrame(rates, schema=[*route, "rate"], orient="row")


def test_general_equilibrium_agrees_with_the_published_prices_to_first_order(change: np.ndarray):
    economy, rates = industry()
    step = 1e-4
    moved = rates.with_columns(
        rate=pl.Series(
            [
                (1 + rate) * (1 + step * change[REGIONS.index(o[2:]), REGIONS.index(d[2:])]) - 1
                for o, d, _, rate in rates.iter_rows()
            ]
        )
    )
    world = economy.solve(tariffs=moved)
    wages = dict(world.real_wage.iter_rows())
    found = np.array([np.log(wages[f"m {region}"]) / step for region in REGIONS])
    np.testing.assert_allclose(found, linear(change), atol=2e-4)
    np.testing.assert_allclose(found, PUBLISHED, atol=3e-4)

"""The solver in hats against plain equations in levels, and against the solver of coupled worlds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import backfill
from tests.hats import oracle
from tests.hats.tables import random_tables, routes

REGIONS, PRODUCTS = 4, 3


def shocks(accounts, seed: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = accounts.flow.shape
    return {
        "tariff": rng.choice([0.0, 0.1, 0.5], size=shape),
        "cost": np.exp(rng.normal(0, 0.2, shape)),
        "productivity": np.exp(rng.normal(0, 0.2, shape[:2])),
        "availability": np.where((rng.random(shape) < 0.3) & ~np.eye(shape[1], dtype=bool), 0.4, 1.0),
    }


def tables(accounts, arrays: dict[str, np.ndarray]) -> dict[str, pl.DataFrame]:
    names = list(accounts.regions), list(accounts.products)
    found = {}
    for key, table, column, absent in (
        ("tariff", "tariffs", "rate", 0.0),
        ("cost", "trade_costs", "trade_cost", 1.0),
        ("availability", "export_controls", "availability", 1.0),
    ):
        if key in arrays:
            found[table] = routes(arrays[key], column, *names, absent=absent)
    if "productivity" in arrays:
        rows = [
            (region, product, arrays["productivity"][k, n])
            for k, product in enumerate(names[1])
            for n, region in enumerate(names[0])
        ]
        found["productivity"] = pl.DataFrame(rows, schema=["region", "product", "productivity"], orient="row")
    return found


def agree(world, answer, tolerance: float = 1e-8) -> None:
    assert answer.size < 1e-10
    np.testing.assert_allclose(world.welfare["hat"], answer.welfare, rtol=tolerance)
    np.testing.assert_allclose(world.real_wage["hat"], answer.real_wage, rtol=tolerance)
    np.testing.assert_allclose(world.flow, answer.flow, rtol=10 * tolerance, atol=1e-12)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("closure", ["fixed", "proportional"])
@pytest.mark.parametrize("which", ["tariff", "cost", "productivity", "availability", "all"])
def test_every_shock_agrees(closure: str, which: str, seed: int):
    made = backfill.Economy.from_tables(**random_tables(REGIONS, PRODUCTS, seed), closure=closure)
    arrays = shocks(made.accounts, seed)
    arrays = arrays if which == "all" else {which: arrays[which]}
    agree(made.solve(**tables(made.accounts, arrays)), oracle.solve(made.accounts, closure=closure, **arrays))


def test_balanced_base_has_no_deficits_and_is_the_oracle_world_without_them():
    given = random_tables(REGIONS, PRODUCTS, 4)
    raw = backfill.Economy.from_tables(**given)
    made = backfill.Economy.from_tables(**given, closure="balanced")
    np.testing.assert_allclose(made.accounts.deficit, 0.0, atol=1e-9)
    answer = oracle.solve(raw.accounts, deficit=np.zeros(REGIONS))
    np.testing.assert_allclose(made.accounts.flow, answer.flow, rtol=1e-7, atol=1e-12)
    arrays = shocks(made.accounts)
    agree(made.solve(**tables(made.accounts, arrays)), oracle.solve(made.accounts, deficit=np.zeros(REGIONS), **arrays))


@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_scale_economies_agree(strength: float):
    made = backfill.Economy.from_tables(**random_tables(REGIONS, PRODUCTS, 6), scale=backfill.ScaleEconomies(strength))
    arrays = {"tariff": shocks(made.accounts)["tariff"]}
    agree(made.solve(**tables(made.accounts, arrays)), oracle.solve(made.accounts, strength=strength, **arrays))


@pytest.mark.parametrize("revenue", ["rebated", "replaces income tax"])
def test_elastic_labour_agrees(revenue: str):
    labour = backfill.ElasticLabour(0.6, income_tax=0.2, revenue=revenue)
    made = backfill.Economy.from_tables(**random_tables(REGIONS, PRODUCTS, 7), labour=labour)
    arrays = {"tariff": shocks(made.accounts)["tariff"]}
    answer = oracle.solve(made.accounts, supply=0.6, tax=0.2, replaces=revenue != "rebated", **arrays)
    agree(made.solve(**tables(made.accounts, arrays)), answer)

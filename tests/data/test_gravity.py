"""PPML finds the elasticity that made the trade, and gives what the documents print on the shipped tables."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backfill.economy.gravity import POOLED, estimates, ppml, shipped_trade

pytest.importorskip("pyfixest", reason="the extra [gravity] is not installed")


def simulated(sigma: float, seed: int = 3) -> pl.DataFrame:
    """Gravity with effects of sellers, buyers and pairs, duties that go with the pair, and multiplicative noise."""
    rng = np.random.default_rng(seed)
    names = [f"R{n:02d}" for n in range(16)]
    size = {(n, k): rng.normal(0, 1) for n in names for k in "ab"}
    need = {(n, k): rng.normal(0, 1) for n in names for k in "ab"}
    closeness = {frozenset(p): rng.normal(0, 1) for p in itertools.combinations(names, 2)}
    rows = []
    for k, i, j in itertools.product("ab", names, names):
        if i == j:
            continue
        near = closeness[frozenset((i, j))]
        tariff = float(np.clip(0.06 - 0.03 * near + rng.normal(0, 0.05), 0, 0.4))
        mean = np.exp(5 + size[i, k] + need[j, k] + near - sigma * np.log1p(tariff))
        rows.append((i, j, k, mean * rng.lognormal(-0.02, 0.2), tariff))
    return pl.DataFrame(rows, schema=["exporter", "importer", "sector", "value", "tariff"], orient="row")


@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_pair_effects_recover_the_elasticity_that_made_the_trade(sigma: float):
    found = ppml(simulated(sigma), "pair")
    assert abs(found.elasticity - sigma) < 3 * found.error
    assert found.error < 0.6


def test_without_pair_effects_duties_that_are_low_among_neighbours_pass_for_elastic_trade():
    assert ppml(simulated(2.0), "none").elasticity > 2.0 + 3 * ppml(simulated(2.0), "pair").error


@pytest.mark.slow
def test_the_table_in_the_documents_is_what_the_shipped_trade_gives(repository: Path):
    text = (repository / "docs" / "elasticities.md").read_text(encoding="utf-8")
    for one in estimates(shipped_trade()):
        assert f"| {one.sector} | {one.effects} | {one.elasticity:.2f} | {one.error:.2f} | {one.cells} |" in text
    assert POOLED in text

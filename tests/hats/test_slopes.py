"""Slopes in closed form against the map's own derivatives, and what following levels is worth."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backfill
from backfill.hats import market
from backfill.hats.base import no_shock, size_of
from tests.hats.tables import random_tables, routes

REGIONS, PRODUCTS = 5, 4


def directions(base: market.Base) -> tuple[np.ndarray, np.ndarray]:
    """``Z``, wages and levels of prices and spending of each region as changes of the unknowns, and ``W``, their means."""
    count = REGIONS * PRODUCTS
    out, mean = np.zeros((REGIONS + 2 * count, 3 * REGIONS)), np.zeros((3 * REGIONS, REGIONS + 2 * count))
    weight = base.spending / base.spending.sum(0)
    out[:REGIONS, :REGIONS] = mean[:REGIONS, :REGIONS] = np.eye(REGIONS)
    for kind in range(2):
        for k in range(PRODUCTS):
            rows = slice(REGIONS + kind * count + k * REGIONS, REGIONS + kind * count + (k + 1) * REGIONS)
            columns = slice((kind + 1) * REGIONS, (kind + 2) * REGIONS)
            out[rows, columns], mean[columns, rows] = np.eye(REGIONS), np.diag(weight[k])
    return out, mean


@pytest.mark.parametrize("closure", ["fixed", "proportional"])
def test_levels_are_those_of_the_maps_derivative(closure: str):
    economy = backfill.Economy.from_tables(**random_tables(REGIONS, PRODUCTS, 1), closure=closure)
    setting, base, shock = economy.setting, economy.base, no_shock(economy.accounts)
    walls = market.walls_of(base, shock)
    with jax.enable_x64(True):
        at = jnp.zeros(size_of(setting, base))
        slope = jax.jit(jax.jacfwd(lambda point: market.evaluate(setting, base, shock, walls, point)[0]))(at)
        out, mean = directions(base)
        one = np.eye(3 * REGIONS)
        np.testing.assert_allclose(base.levels, np.linalg.inv(one - mean @ np.asarray(slope) @ out) - one, atol=1e-12)
        moved = np.random.default_rng(0).normal(size=(2, len(out)))
        whole = np.eye(len(out)) + out @ base.levels @ mean
        np.testing.assert_allclose(market._in_levels(base, jnp.asarray(moved)), moved @ whole.T, atol=1e-12)
        np.testing.assert_allclose(
            market._in_levels(base, jnp.asarray(moved), transposed=True), moved @ whole, atol=1e-12
        )


def test_levels_spare_half_of_the_evaluations_and_change_no_answer():
    economy = backfill.Economy.from_tables(**random_tables(8, 12, 2))
    setting, base = economy.setting, economy.base
    shock = economy.shock({"tariffs": economy.accounts.tariff + 0.2 * (economy.accounts.flow > 0)})
    lane = market.Shock(*(np.asarray(part)[None] for part in shock))
    start = np.zeros((1, size_of(setting, base)))
    with_, without = (market.solve(setting, one, lane, start) for one in (base, base._replace(levels=np.zeros((0, 0)))))
    assert with_.converged.all()
    assert without.converged.all()
    assert with_.steps[0] <= 0.7 * without.steps[0]
    np.testing.assert_allclose(with_.vector, without.vector, atol=1e-8)


def test_a_closed_region_has_slopes():
    flow = np.array([[[4.0, 0.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 5.0]]])
    given = random_tables(3, 1, 1)
    names = [f"r{n}" for n in range(3)], ["p0"]
    economy = backfill.Economy.from_tables(
        trade=routes(flow, "value", *names), inputs=given["inputs"], elasticities=given["elasticities"]
    )
    assert np.isfinite(economy.base.levels).all()
    assert np.abs(economy.base.levels).max() < 1e3
    world = economy.solve(tariffs=routes(0.5 * (1 - np.eye(3))[None], "rate", *names))
    assert dict(world.welfare.iter_rows())["r0"] == pytest.approx(1.0, abs=1e-10)

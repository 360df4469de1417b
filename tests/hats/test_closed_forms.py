"""Worlds whose answer is known in closed form, and what must hold in every world."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backfill
from backfill.errors import UnsolvedError
from tests.hats.tables import random_tables, routes


def one_sector(flow: np.ndarray, theta: float, **options):
    """An economy of one product, made from labour alone."""
    regions = [f"r{n}" for n in range(len(flow))]
    return backfill.Economy.from_tables(
        trade=routes(flow[None], "value", regions, ["goods"]),
        elasticities=pl.DataFrame({"product": ["goods"], "trade_elasticity": [theta]}),
        **options,
    )


def change(economy, column: str, value: float, *, origin: str | None = None, destination: str | None = None):
    """A table of international routes with one value."""
    regions = economy.structure.regions
    rows = [
        (i, n, product, value)
        for product in economy.structure.products
        for i in regions
        for n in regions
        if i != n and origin in (None, i) and destination in (None, n)
    ]
    return pl.DataFrame(rows, schema=["origin", "destination", "product", column], orient="row")


SYMMETRIC = np.array([[0.8, 0.2], [0.2, 0.8]])


@pytest.mark.parametrize("theta", [0.5, 4.0, 65.0])
def test_two_symmetric_countries_that_halve_their_trade_costs(theta: float):
    """``P = (home + (1 - home) d^-theta)^(-1/theta)``; wages stay equal."""
    world = one_sector(SYMMETRIC, theta).solve(trade_costs=change(one_sector(SYMMETRIC, theta), "trade_cost", 0.5))
    expected = (0.8 + 0.2 * 0.5**-theta) ** (1 / theta)
    np.testing.assert_allclose(world.welfare["hat"], expected, rtol=1e-9)


def test_welfare_is_the_home_share_to_the_power_of_minus_one_over_theta():
    """Arkolakis, Costinot and Rodriguez-Clare (2012): without tariffs and deficits."""
    flow = np.array([[5.0, 1.0, 0.5], [0.7, 8.0, 1.2], [0.8, 0.9, 3.0]])
    economy = one_sector(flow, 5.0, closure="balanced")
    rng = np.random.default_rng(1)
    cost = np.exp(rng.normal(0, 0.3, (1, 3, 3))) * (1 - np.eye(3)) + np.eye(3)
    names = list(economy.structure.regions), ["goods"]
    world = economy.solve(trade_costs=routes(cost, "trade_cost", *names, absent=1.0))
    home = np.diagonal(world.flow[0]) / world.flow[0].sum(0)
    before = np.diagonal(economy.accounts.share[0])
    np.testing.assert_allclose(world.welfare["hat"], (home / before) ** (-1 / 5.0), rtol=1e-9)


def test_a_small_country_closed_to_the_world_loses_what_its_home_share_says():
    economy = one_sector(SYMMETRIC, 4.0)
    world = economy.solve(export_controls=change(economy, "availability", 0.0))
    np.testing.assert_allclose(world.welfare["hat"], 0.8 ** (1 / 4.0), rtol=1e-9)


def test_a_tariff_in_two_symmetric_countries():
    """Both levy ``t``: ``I = wL / (1 - t/(1+t) (1 - home))`` with ``home = .8 / (.8 + .2 (1+t)^-theta)``."""
    theta, t = 4.0, 0.3
    economy = one_sector(SYMMETRIC, theta)
    world = economy.solve(tariffs=change(economy, "rate", t))
    spread = 0.8 + 0.2 * (1 + t) ** -theta
    income = 1 / (1 - t / (1 + t) * (1 - 0.8 / spread))
    np.testing.assert_allclose(world.welfare["hat"], income * spread ** (1 / theta), rtol=1e-9)
    np.testing.assert_allclose(world.real_wage["hat"], spread ** (1 / theta), rtol=1e-9)


def test_controls_on_a_share_of_buyers_raise_the_mean_price_paid():
    """Half of the buyers lose the foreign origin: ``P = 1/2 + 1/2 home^(-1/theta)``; in symmetry wages stay equal."""
    economy = one_sector(SYMMETRIC, 4.0)
    world = economy.solve(export_controls=change(economy, "availability", 0.5))
    np.testing.assert_allclose(world.welfare["hat"], 1 / (0.5 + 0.5 * 0.8 ** (-1 / 4.0)), rtol=1e-9)


def test_productivity_everywhere_is_welfare_everywhere():
    economy = backfill.Economy.from_tables(**random_tables(4, 3, 1, inputs=False))
    rows = [(r, p, 1.3) for r in economy.structure.regions for p in economy.structure.products]
    world = economy.solve(productivity=pl.DataFrame(rows, schema=["region", "product", "productivity"], orient="row"))
    np.testing.assert_allclose(world.welfare["hat"], 1.3, rtol=1e-9)


def test_scale_economies_without_strength_are_none_and_with_one_sector_change_nothing():
    """With one sector and fixed labour the number of firms is fixed (Krugman 1980)."""
    given_ = random_tables(4, 3, 2)
    plain = backfill.Economy.from_tables(**given_)
    none = backfill.Economy.from_tables(**given_, scale=backfill.ScaleEconomies(0.0))
    tariffs = change(plain, "rate", 0.2)
    np.testing.assert_allclose(
        none.solve(tariffs=tariffs).welfare["hat"], plain.solve(tariffs=tariffs).welfare["hat"], rtol=1e-9
    )
    flow = np.array([[5.0, 1.0, 0.5], [0.7, 8.0, 1.2], [0.8, 0.9, 3.0]])
    one, krugman = one_sector(flow, 4.0), one_sector(flow, 4.0, scale=backfill.ScaleEconomies(1.0))
    tariffs = change(one, "rate", 0.2)
    np.testing.assert_allclose(
        krugman.solve(tariffs=tariffs).welfare["hat"], one.solve(tariffs=tariffs).welfare["hat"], rtol=1e-9
    )


def test_elastic_labour_without_elasticity_is_fixed_labour():
    given_ = random_tables(4, 3, 2)
    plain = backfill.Economy.from_tables(**given_)
    labour = backfill.ElasticLabour(0.0, income_tax=0.3, revenue="replaces income tax")
    none = backfill.Economy.from_tables(**given_, labour=labour)
    tariffs = change(plain, "rate", 0.2)
    np.testing.assert_allclose(
        none.solve(tariffs=tariffs).welfare["hat"], plain.solve(tariffs=tariffs).welfare["hat"], rtol=1e-9
    )


def test_labour_supply_in_symmetry():
    """``L = (w/P)^e`` with trade costs halved: real expenditure rises by ``(w/P)^(1+e)``."""
    economy = one_sector(SYMMETRIC, 4.0, labour=backfill.ElasticLabour(0.7))
    world = economy.solve(trade_costs=change(economy, "trade_cost", 0.5))
    real = (0.8 + 0.2 * 0.5**-4.0) ** (1 / 4.0)
    np.testing.assert_allclose(world.real_wage["hat"], real, rtol=1e-9)
    np.testing.assert_allclose(world.welfare["hat"], real**1.7, rtol=1e-9)


def test_first_order_decomposition_is_exact_for_small_changes_and_not_for_large_ones():
    economy = backfill.Economy.from_tables(**random_tables(5, 3, 3), closure="balanced")
    rates = economy.accounts.tariff
    names = list(economy.structure.regions), list(economy.structure.products)

    def gap(by: float) -> float:
        parts = economy.solve(tariffs=routes(rates * (1 - by), "rate", *names)).decomposition
        return float((parts["first_order"] - parts["exact"]).abs().max() / parts["exact"].abs().max())

    assert gap(1e-3) < 5e-3 < 0.05 < gap(1.0)


def test_gradient_agrees_with_differences():
    economy = backfill.Economy.from_tables(**random_tables(4, 3, 5))
    names = list(economy.structure.regions), list(economy.structure.products)
    rates = economy.accounts.tariff + 0.1 * (economy.accounts.flow > 0)
    world = economy.solve(tariffs=routes(rates, "rate", *names))
    slopes = world.welfare_gradient("r1")
    for row in slopes.sample(6, seed=1).iter_rows(named=True):
        place = (names[1].index(row["product"]), names[0].index(row["origin"]), names[0].index(row["destination"]))
        both = []
        for step in (1e-4, -1e-4):
            moved = rates.copy()
            moved[place] += step
            both.append(np.log(economy.solve(tariffs=routes(moved, "rate", *names)).welfare["hat"][1]))
        assert row["derivative"] == pytest.approx((both[0] - both[1]) / 2e-4, rel=1e-5, abs=1e-9)


@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(2, 1), (4, 3), (6, 4)]),  # few, for every size is compiled
    st.sampled_from(["fixed", "proportional", "balanced"]),
    st.floats(0.5, 65),
    st.sampled_from([0.0, 0.25, 10.0]),
)
def test_random_worlds_clear_or_say_why(seed: int, size: tuple[int, int], closure: str, theta: float, rate: float):
    tables = random_tables(*size, seed)
    tables["elasticities"] = tables["elasticities"].with_columns(trade_elasticity=pl.lit(theta))
    world, why = None, ""
    try:
        economy = backfill.Economy.from_tables(**tables, closure=closure)
        world = economy.solve(tariffs=change(economy, "rate", rate, destination="r0"))
    except UnsolvedError as refused:
        why = refused.sentence
    if world is None:
        assert "would have to" in why
        return
    checks = dict(world.checks.iter_rows())
    assert checks["converged"] == 1
    assert max(checks[name] for name in ("goods", "labour", "revenue", "budget")) < 1e-8
    assert (world.welfare["hat"] > 0).all()
    absent = economy.accounts.flow == 0
    assert (world.flow[absent] == 0).all()


def test_units_do_not_matter():
    tables = random_tables(4, 3, 8)
    economy = backfill.Economy.from_tables(**tables)
    tariffs = change(economy, "rate", 0.2)
    plain = economy.solve(tariffs=tariffs)
    for unit in (1e-9, 1e9):
        scaled = tables | {"trade": tables["trade"].with_columns(value=unit * pl.col("value"))}
        world = backfill.Economy.from_tables(**scaled).solve(tariffs=tariffs)
        np.testing.assert_allclose(world.welfare["hat"], plain.welfare["hat"], rtol=1e-9)
        np.testing.assert_allclose(world.trade["value"], unit * plain.trade["value"], rtol=1e-8)


def test_what_is_not_given_stays_and_what_is_given_is_complete():
    tables = random_tables(4, 3, 8)
    economy = backfill.Economy.from_tables(**tables)
    np.testing.assert_allclose(economy.solve().welfare["hat"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(economy.solve(tariffs=tables["tariffs"]).welfare["hat"], 1.0, rtol=1e-9)
    free = economy.solve(tariffs=tables["tariffs"].clear())
    assert free.income["tariff_revenue"].abs().max() < 1e-12
    assert (free.welfare["hat"] - 1).abs().max() > 1e-3


def test_closing_every_source_of_some_buyers_is_refused():
    flow = np.array([[0.0, 1.0], [1.0, 1.0]])
    economy = one_sector(flow, 4.0)
    with pytest.raises(UnsolvedError, match="No origin is left to some buyers of goods in r0"):
        economy.solve(export_controls=change(economy, "availability", 0.5))


def test_autarky_with_a_fixed_deficit_is_refused_with_the_reason():
    economy = one_sector(np.array([[3.0, 1.0], [2.0, 4.0]]), 4.0)
    with pytest.raises(UnsolvedError, match='would have to .* abroad .* use closure = "balanced"'):
        economy.solve(export_controls=change(economy, "availability", 0.0))


def test_a_tariff_on_sales_at_home_is_an_excise_whose_revenue_stays_in_the_region():
    """In autarky with one product the price rises by the rate and so does income, so that nothing real changes."""
    economy = one_sector(np.eye(2), 4.0)
    home = pl.DataFrame({"origin": ["r0"], "destination": ["r0"], "product": ["goods"], "rate": [0.25]})
    world = economy.solve(tariffs=home)
    np.testing.assert_allclose(world.welfare["hat"], 1.0, rtol=1e-9)
    np.testing.assert_allclose(world.real_wage["hat"], [0.8, 1.0], rtol=1e-9)

"""Two symmetric countries that sell one product to each other: the textbook gravity model, solved on paper.

With ``theta`` the trade elasticity, ``l`` the share bought at home and ``d`` the change of the iceberg cost of trade, symmetric
countries keep equal wages, so that ``l' = l / (l + (1 - l) d^-theta)``, and welfare changes by ``(l' / l)^(-1/theta)``
(Arkolakis, Costinot and Rodriguez-Clare, American Economic Review 102, 2012).
"""

from __future__ import annotations

import polars as pl
import pytest

import backfill

HOME = 0.7
COUNTRIES = ("A", "B")


def economy(theta: float) -> backfill.Economy:
    """Both countries spend 100, a share ``HOME`` of it on their own product."""
    trade = [(i, j, "good", 100 * (HOME if i == j else 1 - HOME)) for i in COUNTRIES for j in COUNTRIES]
    return backfill.Economy.from_tables(
        trade=pl.DataFrame(trade, schema=["origin", "destination", "product", "value"], orient="row"),
        elasticities=pl.DataFrame({"product": ["good"], "trade_elasticity": [theta]}),
        closure="fixed",
    )


def cost(value: float) -> pl.DataFrame:
    rows = [("A", "B", "good", value), ("B", "A", "good", value)]
    return pl.DataFrame(rows, schema=["origin", "destination", "product", "trade_cost"], orient="row")


@pytest.mark.parametrize("theta", [1.5, 4.0, 9.0])
@pytest.mark.parametrize("change", [0.8, 1.0, 1.3, 3.0])
def test_welfare_follows_from_the_share_bought_at_home(theta: float, change: float):
    home = HOME / (HOME + (1 - HOME) * change**-theta)
    expected = (home / HOME) ** (-1 / theta)
    world = economy(theta).solve(trade_costs=cost(change))
    assert world.welfare["hat"].to_list() == pytest.approx([expected, expected], rel=1e-9)
    assert world.real_wage["hat"].to_list() == pytest.approx([expected, expected], rel=1e-9)


@pytest.mark.parametrize("theta", [1.5, 4.0])
def test_without_trade_welfare_falls_to_the_home_share(theta: float):
    controls = [("A", "B", "good", 0.0), ("B", "A", "good", 0.0)]
    shut = pl.DataFrame(controls, schema=["origin", "destination", "product", "availability"], orient="row")
    world = economy(theta).solve(export_controls=shut)
    assert world.welfare["hat"].to_list() == pytest.approx([HOME ** (1 / theta)] * 2, rel=1e-9)


@pytest.mark.parametrize("theta", [1.5, 4.0])
def test_equal_tariffs_waste_and_one_tariff_takes_from_the_other(theta: float):
    """Tariffs at the same rate on both sides leave wages equal: ``l' = l / (l + (1 - l)(1 + t)^-theta)`` at buyer prices, and
    welfare is the real wage with the revenue, ``1 / (1 - t (1 - l') / (1 + t))`` times the wage.
    """
    rate = 0.25
    both = pl.DataFrame(
        [("A", "B", "good", rate), ("B", "A", "good", rate)], schema=["origin", "destination", "product", "rate"], orient="row"
    )
    home = HOME / (HOME + (1 - HOME) * (1 + rate) ** -theta)
    wage = (home / HOME) ** (-1 / theta)
    expected = wage / (1 - rate * (1 - home) / (1 + rate))
    world = economy(theta).solve(tariffs=both)
    assert world.welfare["hat"].to_list() == pytest.approx([expected, expected], rel=1e-9)
    assert expected < 1
    mine, theirs = economy(theta).solve(tariffs=both.filter(pl.col("destination") == "A")).welfare["hat"]
    assert theirs < 1
    assert mine > theirs

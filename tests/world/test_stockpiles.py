"""Buying ahead of measures on the small economy: when anything is stored, by whom, and that nothing appears or vanishes."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from backfill.coupling import Coupling
from backfill.policy.wedges import Limit, Wedges
from backfill.reference import economy as calibrate
from backfill.supply.foresight import Perfect
from backfill.supply.orders import COMPUTE, Seen
from backfill.supply.stockpile import Stockholders
from backfill.trade.barriers import access_to, lanes
from backfill.world import Status, solve_world
from tests.support import small

START = 2
LOSS = 0.12


@pytest.fixture(scope="module")
def economy():
    return calibrate(small.tables(), small.vocabulary(), last_year=2027)


def closing(
    economy, *products: str, share: float = 0.9, origins=("USA", "TWN", "SGP"), start: int = START, known=1.0
) -> Wedges:
    """Everybody abroad closes products to CHN from a period on, known for a share of each period before."""
    names = economy.structure.vocabulary
    wedges = Wedges.none(names, economy.periods)
    coverage = wedges.coverage.copy()
    for product in products:
        for origin in origins:
            coverage[start:, names.products.index(product), names.regions.index(origin), names.regions.index("CHN")] = (
                share
            )
    foreseen = np.full(len(economy.periods), float(known))
    return dataclasses.replace(wedges, coverage=coverage, foreseen=foreseen)


def stock(world, product: str, kind: str) -> np.ndarray:
    rows = world.tables.stocks.filter((pl.col("product") == product) & (pl.col("region") == "CHN")).sort("period")
    return rows[kind].to_numpy()


@pytest.fixture(scope="module")
def worlds(economy):
    return solve_world(
        economy,
        [
            Wedges.none(economy.structure.vocabulary, economy.periods),
            closing(economy, *small.TOOLS),
            closing(economy, *small.TOOLS, known=0.0),
            closing(economy, *small.TOOLS, start=0),
        ],
    )


def test_every_world_is_solved_and_balances(worlds):
    for world in worlds:
        assert world.status is Status.SOLVED, world.message
        assert world.checks["walras"] <= 1e-8
        assert world.checks["volume"] <= 1e-9
        assert world.checks["coupling_optimality"] <= 1e-6
        assert world.rounds <= 15


def test_nothing_is_stored_without_news_or_without_time(worlds):
    none, announced, sudden, at_once = worlds
    for world in (none, sudden, at_once):
        assert world.tables.stocks.select(pl.col("bought", "used", "held").abs().max()).sum_horizontal().sum() == 0
    assert announced.tables.stocks["bought"].max() > 0


def changed(economy, **parameters):
    """The economy with other costs of keeping stocks."""
    capacity = dataclasses.replace(economy.capacity, **{name: np.asarray(x) for name, x in parameters.items()})
    return dataclasses.replace(economy, capacity=capacity)


@pytest.fixture(scope="module")
def cheap(economy):
    """Worlds in which stocks last: compute and high-bandwidth memory become dearer, by a tenth at most."""
    return solve_world(
        changed(economy, stock_loss=0.0),
        [closing(economy, "hbm", share=1.0), closing(economy, "accelerators_frontier")],
    )


@pytest.mark.slow
def test_stocks_are_bought_before_the_effect_and_used_after(worlds, cheap):
    kinds = [(worlds[1], tool) for tool in small.TOOLS] + [(cheap[0], "hbm"), (cheap[1], COMPUTE)]
    for world, product in kinds:
        assert world.status is Status.SOLVED
        bought, used, held = (stock(world, product, kind) for kind in ("bought", "used", "held"))
        assert bought[START - 1] > 0
        assert bought[START:].sum() <= 0.05 * bought.sum()
        assert used[:START].max() == 0
        assert used[START] > 0
        assert held[-1] < held[START - 1]
        assert world.checks["walras"] <= 1e-8
        assert world.checks["volume"] <= 1e-9


def test_what_is_bought_is_used_or_lost(economy):
    """Every unit used was bought, less what a stock loses a year: over all solved periods nothing is left."""
    for loss, products in ((LOSS, small.TOOLS), (0.02, ("hbm",))):
        coupling = Coupling(changed(economy, stock_loss=loss), [closing(economy, *products, share=1.0)], Perfect())
        coupling.solve()
        point = coupling.points[0]
        assert any(one.bought.max() > 0 for one in coupling.holders[0].stocks(point.orders, point.additions))
        for one in coupling.holders[0].stocks(point.orders, point.additions):
            held = np.zeros(coupling.periods)
            for t in range(coupling.periods):
                before = held[t - 1] * (1 - loss) if t else 0.0
                held[t] = before - one.used[t] + one.bought[t]
            np.testing.assert_allclose(one.held, held, atol=1e-9 * max(1.0, one.bought.max()))
            assert abs(held[-1]) <= 1e-9 * max(1.0, one.bought.max())


def test_stocks_let_builders_add_more(worlds):
    """The same control, known two years before or not at all: with stocks more is built in the years after it."""
    _, announced, sudden, _ = worlds

    def added(world) -> float:
        chosen = (pl.col("product") == "logic_advanced") & (pl.col("region") == "CHN")
        return world.tables.capacity.filter(chosen).sort("period")["addition"].to_numpy()[START : START + 2].sum()

    assert added(announced) > added(sudden)


def test_makers_abroad_sell_more_before(worlds):
    _, announced, sudden, _ = worlds

    def sold(world) -> float:
        label = world.periods[START - 1].label
        flows = world.tables.flows.filter(pl.col("product").is_in(small.TOOLS) & (pl.col("period") == label))
        return flows.filter((pl.col("origin") != "CHN") & (pl.col("destination") == "CHN"))["quantity"].sum()

    stored = sum(stock(announced, tool, "bought")[START - 1] for tool in small.TOOLS)
    assert sold(announced) - sold(sudden) > 0.25 * stored > 0


def holders_of(economy, wedges, **parameters) -> Stockholders:
    economy = changed(economy, **parameters)
    barriers = lanes(economy.structure, [wedges])
    return Stockholders(economy, wedges, access_to(economy.structure, barriers, economy.structure.tools), barriers.builder_share)


def prices(economy, holders: Stockholders, dearer: float) -> Seen:
    """Prices of one, and from `START` on ``dearer``."""
    shape, periods = economy.structure, len(economy.periods)
    path = np.where(np.arange(periods) < START, 1.0, dearer)
    goods = np.ones((periods, len(shape.products), len(shape.regions))) * path[:, None, None]
    by_class = np.repeat(goods[:, :, None], holders.classes, 2)
    nodes = np.zeros((periods, len(shape.nodes), len(holders.pairs)))
    return Seen(by_class, goods, 10 * np.ones(goods.shape), goods[:, 0], 10 * np.ones(goods[:, 0].shape), *2 * [nodes])


def test_a_holder_minimises_cost(economy):
    """With one period to buy in, orders are those of the cheapest mixture of stored and new units."""
    wedges = closing(economy, "hbm", start=START)
    wedges = dataclasses.replace(wedges, foreseen=np.where(np.arange(len(economy.periods)) == START - 1, 1.0, 0.0))
    holders = holders_of(economy, wedges)
    seen = prices(economy, holders, 2.0)
    orders, _ = holders.answer(seen, np.asarray(economy.capacity.additions).T[:, None, :])
    place = holders.goods.index(("hbm", economy.structure.region("CHN")))
    kept = float(economy.capacity.discount) * (1 - LOSS)
    kappa = float(economy.capacity.stock_mismatch)
    haste = np.exp(-20 * 1 / kept / 2) / sum(np.exp(-20 * min(c, 2.0)) for c in (1 / kept**2 / 2, 1 / kept / 2))

    def cost(x):
        return x[0] / kept + 2.0 * (1 - (x[0] - kappa / 2 * x[0] ** 2))

    best = minimize(cost, [0.1], bounds=[(0, 1)], tol=1e-14).x[0]
    assert orders.goods[place, START - 1, START] / 10 == pytest.approx(best * haste, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(dearer=st.floats(1.0, 20.0), more=st.floats(1.01, 2.0), loss=st.floats(0.0, 0.5), mismatch=st.floats(1.0, 5.0))
def test_orders_grow_with_the_price_to_come_and_fall_with_what_stocks_cost(economy, dearer, more, loss, mismatch):
    wedges = closing(economy, *small.TOOLS, "hbm")
    additions = np.asarray(economy.capacity.additions).T[:, None, :]

    def ordered(price, **parameters) -> float:
        holders = holders_of(economy, wedges, **({"stock_loss": loss, "stock_mismatch": mismatch} | parameters))
        spread = additions * np.ones((1, holders.classes, 1)) / holders.classes
        orders, _ = holders.answer(prices(economy, holders, price), spread)
        assert (orders.kits >= 0).all()
        assert (orders.kits.sum((1, 2)) <= 1 / parameters.get("stock_mismatch", mismatch) + 1e-12).all()
        return float(orders.goods.sum())

    assert ordered(dearer * more) >= ordered(dearer) - 1e-12
    assert ordered(dearer, stock_loss=min(loss + 0.1, 0.9)) * 0.9 <= ordered(dearer) + 1e-9
    if dearer <= 1 / (float(economy.capacity.discount) * (1 - loss)):
        assert ordered(dearer) == 0


@pytest.mark.slow
def test_a_world_that_departs_holds_what_was_bought_before(economy):
    """Stocks bought before later news are used after it, even if the measure they were meant for is withdrawn."""
    announced = closing(economy, *small.TOOLS)
    withdrawn = dataclasses.replace(announced, coverage=np.zeros_like(announced.coverage))
    coupling = Coupling(economy, [announced, withdrawn], Perfect(), {1: (0, START)})
    coupling.solve()
    assert not coupling.failures
    first, second = (
        {s.product: s for s in h.stocks(p.orders, p.additions)}
        for h, p in zip(coupling.holders, coupling.points, strict=True)
    )
    for tool in small.TOOLS:
        np.testing.assert_allclose(second[tool].bought[:START], first[tool].bought[:START])
        assert second[tool].bought[START:].max() == 0
        assert second[tool].used[START:].sum() > 0


def test_only_measures_that_tighten_call_for_stocks(economy):
    names = economy.structure.vocabulary
    none = Wedges.none(names, economy.periods)
    assert not holders_of(economy, none)
    assert not holders_of(economy, closing(economy, *small.TOOLS, start=0))
    tariff = none.tariff.copy()
    tariff[START:, names.products.index("hbm"), names.regions.index("USA"), names.regions.index("CHN")] = 0.2
    assert holders_of(economy, dataclasses.replace(none, tariff=tariff)).goods == [("hbm", names.regions.index("CHN"))]
    quantity = np.where(np.arange(len(economy.periods)) < START, np.inf, 1.0)
    quota = Limit(
        "quota", "USA", "exporter", (("accelerators_frontier", "USA", "CHN", 1.0),), quantity, "thousand H100e"
    )
    limited = holders_of(economy, dataclasses.replace(none, limits=(quota,)))
    assert (COMPUTE, names.regions.index("CHN")) in limited.goods

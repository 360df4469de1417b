"""A solved world as long tables: flows, prices, incomes, capacities, limits (units in every row)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from backfill.arrays import Array
from backfill.economy.economy import DIVERSION, Economy, Structure
from backfill.supply.nodes import Nodes, capacity_path
from backfill.supply.orders import COMPUTE, Stock
from backfill.trade.barriers import Barriers
from backfill.trade.market import Outcome

MUSD, KH100E = "million USD of 2022", "thousand H100e"


@dataclass(frozen=True)
class Tables:
    """The tables of a world; every frame is long and carries its units.

    Attributes:
        flows: who sends what to whom, by channel.
        prices: mill and buyer prices.
        income: incomes and outlays by region, with the price index and real absorption.
        capacity: planned capacities, their use, additions and rents.
        limits: quantity limits, their use and rents.
        stocks: what is bought ahead of measures, used from stock and held.
        terminal: worth of capacity left after the last reported period, by owner.
    """

    flows: pl.DataFrame
    prices: pl.DataFrame
    income: pl.DataFrame
    capacity: pl.DataFrame
    limits: pl.DataFrame
    stocks: pl.DataFrame
    terminal: pl.DataFrame

    def __getitem__(self, name: str) -> pl.DataFrame:
        return getattr(self, name)


def _melt(labels: dict[str, Sequence[str]], **values: Array) -> pl.DataFrame:
    """A long frame from arrays whose axes are ``labels``."""
    shape = [len(axis) for axis in labels.values()]
    grid = np.indices(shape).reshape(len(shape), -1)
    columns = {
        name: np.asarray(axis, dtype=object)[at].tolist() for (name, axis), at in zip(labels.items(), grid, strict=True)
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        *(pl.Series(name, np.broadcast_to(v, shape).reshape(-1)) for name, v in values.items())
    )


def flow_table(
    shape: Structure, labels: Sequence[str], barriers: Barriers, outcome: Outcome, base_tariff: np.ndarray
) -> pl.DataFrame:
    """Armington flows and acquisitions of accelerators, with what each pays to exporters and treasuries."""
    mill = outcome.buying.mill[:, :, :, None]
    quantity = outcome.flows.quantity
    fob = quantity * mill
    tariff = (1 + base_tariff) * (1 + barriers.tariff) - 1
    real = barriers.real_cost * fob
    levy = barriers.levy * fob
    goods = _melt(
        {"period": labels, "product": shape.products, "origin": shape.regions, "destination": shape.regions},
        quantity=quantity,
        mill_price=np.broadcast_to(mill, quantity.shape),
        fob_value=fob,
        levy_revenue=levy,
        tariff_revenue=tariff * (fob + levy + real),
        real_cost=real,
    ).filter(pl.col("quantity") > 0)
    goods = goods.with_columns(
        user=pl.col("destination"), channel=pl.lit("direct"), quantity_unit=pl.lit(MUSD), shipped=pl.col("quantity"),
        premium=pl.lit(0.0),
    )
    maker = np.array([leaf.maker for leaf in shape.leaves], int)
    site = np.array([leaf.site for leaf in shape.leaves], int)
    price = outcome.delivered.mill[:, maker]
    shipped = outcome.handling.shipped
    fob = price * shipped
    levy = barriers.maker_levy[:, maker, site] * fob
    real = barriers.maker_real_cost[:, maker, site] * fob
    names = {
        "product": [shape.makers[leaf.maker][0] for leaf in shape.leaves],
        "origin": [shape.makers[leaf.maker][1] for leaf in shape.leaves],
        "destination": [shape.regions[leaf.site] for leaf in shape.leaves],
        "user": [shape.regions[leaf.user] for leaf in shape.leaves],
        "channel": [leaf.channel for leaf in shape.leaves],
    }
    rows = _melt(
        {"period": labels, "leaf": [str(n) for n in range(len(shape.leaves))]},
        quantity=outcome.leaf,
        shipped=shipped,
        mill_price=price,
        fob_value=fob,
        levy_revenue=levy,
        tariff_revenue=barriers.maker_tariff[:, maker, site] * (fob + levy + real),
        real_cost=real,
        premium=outcome.handling.premium * np.array([leaf.channel == DIVERSION for leaf in shape.leaves]),
    )
    leaves = {"leaf": [str(n) for n in range(len(shape.leaves))], **names}
    lookup = pl.DataFrame(leaves, schema=dict.fromkeys(leaves, pl.String))
    physical = rows.join(lookup, on="leaf").with_columns(quantity_unit=pl.lit(KH100E))
    order = [
        "period", "product", "origin", "destination", "user", "channel", "quantity", "quantity_unit", "shipped",
        "mill_price", "fob_value", "levy_revenue", "tariff_revenue", "real_cost", "premium",
    ]
    return pl.concat([goods.select(order), physical.select(order)])


def price_table(shape: Structure, labels: Sequence[str], outcome: Outcome) -> pl.DataFrame:
    """Mill and buyer prices of every product, and of the composites compute and absorption."""
    goods = {"period": labels, "product": shape.products, "region": shape.regions}
    mill = _melt(goods, value=outcome.buying.mill).with_columns(quantity=pl.lit("mill price"), unit=pl.lit("2022 = 1"))
    buyer = _melt(goods, value=outcome.buying.mean).with_columns(
        quantity=pl.lit("buyer price"), unit=pl.lit("2022 = 1")
    )
    makers = [
        _melt({"period": labels, "product": [product], "region": [region]}, value=outcome.delivered.mill[:, n, None, None])
        .with_columns(quantity=pl.lit("mill price"), unit=pl.lit("thousand USD per H100e"))
        for n, (product, region) in enumerate(shape.makers)
    ]
    composites = [
        _melt({"period": labels, "product": [name], "region": shape.regions}, value=value[:, None, :]).with_columns(
            quantity=pl.lit("buyer price"), unit=pl.lit("thousand USD per H100e")
        )
        for name, value in (
            ("compute_services", outcome.compute_price),
            ("datacentre_compute", outcome.compute_value),
        )
    ]
    order = ["period", "region", "product", "quantity", "unit", "value"]
    return pl.concat([frame.select(order) for frame in (mill, buyer, *makers, *composites)])


def income_table(shape: Structure, labels: Sequence[str], outcome: Outcome) -> pl.DataFrame:
    """Incomes and outlays; real absorption is absorption at the benchmark's price index."""
    items = {name: getattr(outcome.income, name) for name in outcome.income._fields}
    index = outcome.absorption.index
    absorption = outcome.state.absorption
    axes = {"period": labels, "region": shape.regions}
    frames = [
        _melt(axes, value=value).with_columns(item=pl.lit(name), unit=pl.lit("million USD"))
        for name, value in {**items, "absorption": absorption}.items()
    ]
    frames.append(_melt(axes, value=index).with_columns(item=pl.lit("price_index"), unit=pl.lit("index")))
    frames.append(
        _melt(axes, value=absorption / index).with_columns(item=pl.lit("real_absorption"), unit=pl.lit("million USD / index"))
    )
    return pl.concat(frames).select("period", "region", "item", "unit", "value")


def capacity_table(
    economy: Economy, labels: Sequence[str], capacity: np.ndarray, use: np.ndarray, additions: np.ndarray,
    rent: np.ndarray, mill: np.ndarray, replacement_cost: np.ndarray, skill: np.ndarray, subsidy: np.ndarray,
) -> pl.DataFrame:
    """Planned capacities ``[period, node]``: the rent is the shadow price of a unit, ``skill`` as in `supply.past`, ``subsidy``
    what the treasury of the site pays for additions, million USD.
    """
    shape = economy.structure
    nodes = [str(n) for n in range(len(shape.nodes))]
    rows = _melt(
        {"period": labels, "node": nodes}, capacity=capacity, use=use, addition=additions, rent=rent,
        rent_share=rent / mill, replacement_cost_value=replacement_cost * capacity,
        learned=1 - np.exp(-skill), subsidy=subsidy,
    )
    lookup = pl.DataFrame(
        {"node": nodes, "product": [p for p, _ in shape.nodes], "region": [r for _, r in shape.nodes], "owner": shape.owners},
        schema=dict.fromkeys(("node", "product", "region", "owner"), pl.String),
    )
    return rows.join(lookup, on="node").select(
        "period", "product", "region", "owner", "capacity", "use", "addition", "rent", "rent_share",
        "replacement_cost_value", "learned", "subsidy", unit=pl.lit(MUSD),
    )


def limit_table(
    labels: Sequence[str], names: Sequence[str], owners: Sequence[str], units: Sequence[str], barriers: Barriers,
    outcome: Outcome,
) -> pl.DataFrame:
    """Quantity limits in force, their use and their rent as a share of the mill price, importers' of the duty-paid price."""
    schema = {
        "period": pl.String, "limit": pl.String, "owner": pl.String, "use": pl.Float64, "quantity": pl.Float64,
        "rent_share": pl.Float64, "unit": pl.String,
    }
    rows = [
        (labels[t], name, owners[n], float(outcome.limit_use[t, n]), float(outcome.limit_room[t, n]),
         float(outcome.state.limit_rent[t, n]), units[n])
        for t in range(len(labels))
        for n, name in enumerate(names)
        if np.isfinite(barriers.limit_quantity[t, n])
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def stock_table(shape: Structure, labels: Sequence[str], stocks: Sequence[Stock]) -> pl.DataFrame:
    """Stocks of those who hold any: bought in a period, taken from it, and held at its end."""
    schema = {
        "period": pl.String, "product": pl.String, "region": pl.String, "bought": pl.Float64, "used": pl.Float64,
        "held": pl.Float64, "unit": pl.String,
    }  # fmt: skip
    rows = [
        (label, stock.product, shape.regions[stock.region], *(float(part[t]) for part in (stock.bought, stock.used, stock.held)),
         KH100E if stock.product == COMPUTE else MUSD)
        for stock in stocks
        for t, label in enumerate(labels)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def terminal_value(economy: Economy, nodes: Nodes, additions: np.ndarray) -> np.ndarray:
    """Present value, at the first period, of what capacity decided on in reported periods earns after them, ``[node]``.

    ``sum_{s > T} beta^s r0_s K_s`` with ``K_s`` what is left of inherited capacity and of additions up to ``T``, those under way
    included, and ``r0`` the reference's rents, the last one paid for ever: a unit decided on is worth what it cost, and what
    a policy does to rents after ``T``, a transfer between owners and users, is left out on both sides.

    Args:
        economy: the calibrated economy.
        nodes: the world's capacities.
        additions: ``[node, class, period]``, all solved periods.
    """
    last = economy.reported - 1
    decided = np.where(np.arange(nodes.periods) <= last, additions, 0.0)
    rent = np.asarray(economy.capacity.rent).T
    return (nodes.rent_weights * rent * capacity_path(nodes, decided))[:, last + 1 :].sum(1)


def terminal_table(economy: Economy, nodes: Nodes, additions: np.ndarray) -> pl.DataFrame:
    """`terminal_value` by region of the owners, million USD."""
    frame = pl.DataFrame(
        {"region": list(economy.structure.owners), "value": terminal_value(economy, nodes, additions)},
        schema={"region": pl.String, "value": pl.Float64},
    )
    regions = pl.DataFrame({"region": list(economy.structure.regions)})
    return (
        regions.join(frame.group_by("region").agg(pl.col("value").sum()), on="region", how="left")
        .with_columns(pl.col("value").fill_null(0.0), unit=pl.lit("million USD"))
        .sort("region")
    )

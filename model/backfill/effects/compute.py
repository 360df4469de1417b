"""Compute: who acquires it by which route, and ratios of US to adversary compute (economics, section 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from backfill.dimensions import Period, Vocabulary
from backfill.effects.comparison import H100E, WorldTables, bloc_of

STOCK_DEPRECIATION = 0.2
"""Share of installed accelerators that retires in a year (assumed: a service life of about five years)."""

OWN, REMOTE, DIVERTED = "own bloc", "remote", "diverted"
EVERYWHERE = "all"
RATIO = "us/adversary"


def acquisitions(flows: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    """Accelerators acquired, in H100e, by route.

    The route is how a unit reaches its user: ``"diverted"`` through a hub; ``"remote"``, rented where it stands outside
    the user's bloc; ``"own bloc"``, designed inside the user's bloc; else ``"from us"``, ``"from ally"``,
    ``"from partner"`` or ``"from adversary"``, by the designer's bloc.

    Args:
        flows: the flows table of a world, or of several with further key columns.
        vocabulary: blocs, and the group ``accelerators``.

    Returns:
        the key columns, period, product, origin, destination (where delivered), user, channel, route, value (H100e).
    """
    own = bloc_of(vocabulary, "origin") == bloc_of(vocabulary, "user")
    away = bloc_of(vocabulary, "destination") != bloc_of(vocabulary, "user")
    route = (
        pl.when(pl.col("channel") == "diversion")
        .then(pl.lit(DIVERTED))
        .when((pl.col("channel") == "cloud") & away)
        .then(pl.lit(REMOTE))
        .when(own)
        .then(pl.lit(OWN))
        .otherwise(pl.lit("from ") + bloc_of(vocabulary, "origin"))
    )
    units = flows.filter(pl.col("product").is_in(list(vocabulary.groups["accelerators"])))
    extra = ["scenario"] if "scenario" in flows.columns else []
    return units.with_columns(route=route, value=pl.col("quantity") * 1000).select(
        *extra, "period", "product", "origin", "destination", "user", "channel", "route", "value"
    )


def compute(
    worlds: Mapping[str, WorldTables],
    vocabulary: Vocabulary,
    periods: Sequence[Period],
    *,
    depreciation: float = STOCK_DEPRECIATION,
) -> pl.DataFrame:
    """Acquisitions by user and route, stocks by bloc, and the ratios of US to adversary compute.

    Three ratios that are never mixed: the flow acquired in the period; the owned stock, of units that users bought
    openly for themselves; the accessible stock, of owned, rented and smuggled units. Stocks count what was acquired
    since the first reported period, ``S_t = (1-delta) S_{t-1} + A_t``.

    Args:
        worlds: scenario name to tables.
        vocabulary: blocs, and the group ``accelerators``.
        periods: reported periods, in order.
        depreciation: ``delta`` per year, 0 to 1.

    Returns:
        scenario, period, origin, destination, region (the user; a bloc for stocks; ``"us/adversary"`` for ratios), bloc,
        product, route, quantity, unit, value.
    """
    if not 0 <= depreciation <= 1:
        raise ValueError(f"depreciation is {depreciation}; it is a share of the stock per year, 0 to 1")
    units = pl.concat(
        [
            acquisitions(tables["flows"], vocabulary).select(pl.lit(name).alias("scenario"), pl.all())
            for name, tables in worlds.items()
        ]
    )
    detail = (
        units.group_by("scenario", "period", "origin", "destination", "user", "product", "route", maintain_order=True)
        .agg(pl.col("value").sum())
        .rename({"user": "region"})
        .with_columns(quantity=pl.lit("acquired"), unit=pl.lit(H100E), bloc=bloc_of(vocabulary, "region"))
    )
    held = _by_bloc(units, vocabulary, list(worlds), periods, depreciation)
    place = {"origin": EVERYWHERE, "destination": EVERYWHERE, "product": "accelerators", "route": EVERYWHERE}
    order = [
        "scenario",
        "period",
        "origin",
        "destination",
        "region",
        "bloc",
        "product",
        "route",
        "quantity",
        "unit",
        "value",
    ]
    stocks = held.with_columns(**{k: pl.lit(v) for k, v in place.items()}, unit=pl.lit(H100E), bloc=pl.col("region"))
    ratio = ratios(held).with_columns(
        **{k: pl.lit(v) for k, v in place.items()}, unit=pl.lit("ratio"), region=pl.lit(RATIO), bloc=pl.lit(RATIO)
    )
    return pl.concat([detail.select(order), stocks.select(order), ratio.select(order)])


def _by_bloc(
    units: pl.DataFrame, vocabulary: Vocabulary, scenarios: list[str], periods: Sequence[Period], depreciation: float
) -> pl.DataFrame:
    """Flow, owned stock and accessible stock by bloc: scenario, period, region, quantity, value."""
    order = pl.DataFrame({"period": [p.label for p in periods], "t": range(len(periods))}).cast({"t": pl.Int64})
    survival = [(1 - depreciation) ** p.years for p in periods]
    bought = pl.when(~pl.col("route").is_in([DIVERTED, REMOTE])).then(pl.col("value")).otherwise(0.0)
    flows = (
        units.with_columns(region=bloc_of(vocabulary, "user"))
        .group_by("scenario", "period", "region")
        .agg(pl.col("value").sum().alias("accessible"), bought.sum().alias("owned"))
    )
    grid = (
        pl.DataFrame({"scenario": scenarios})
        .join(order, how="cross")
        .join(pl.DataFrame({"region": sorted(set(vocabulary.bloc.values()))}), how="cross")
        .join(flows, on=["scenario", "period", "region"], how="left")
        .with_columns(pl.col("accessible", "owned").fill_null(0.0))
        .sort("scenario", "region", "t")
    )
    rows = []
    for (scenario, region), part in grid.group_by(["scenario", "region"], maintain_order=True):
        stock = {"owned": 0.0, "accessible": 0.0}
        for row in part.iter_rows(named=True):
            stock = {kind: stock[kind] * survival[row["t"]] + row[kind] for kind in stock}
            rows.append((scenario, row["period"], region, "flow", row["accessible"]))
            rows += [(scenario, row["period"], region, f"{kind} stock", value) for kind, value in stock.items()]
    return pl.DataFrame(rows, schema=["scenario", "period", "region", "quantity", "value"], orient="row")


def ratios(held: pl.DataFrame) -> pl.DataFrame:
    """US over adversary for each quantity of ``held`` (columns scenario, period, region, quantity, value).

    Where the adversary has none the value is null.
    """
    keys = ["scenario", "period", "quantity"]
    us, adversary = (held.filter(pl.col("region") == bloc).drop("region") for bloc in ("us", "adversary"))
    joined = us.join(adversary, on=keys, suffix="_adversary", maintain_order="left")
    quotient = pl.when(pl.col("value_adversary") > 0).then(pl.col("value") / pl.col("value_adversary"))
    return joined.select(*keys, quotient.alias("value")).with_columns(pl.col("quantity") + " ratio")

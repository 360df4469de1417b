"""Who exports what to whom, in each world; capacities, limits and prices beside it as long tables."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from backfill.dimensions import Vocabulary
from backfill.effects.comparison import MUSD, WorldTables, bloc_of, levels

SUBSIDY = "subsidy paid for additions"
NOTHING = 1e-9
"""Subsidies and stocks below this, million USD or thousand H100e, are rounding."""


def exports(worlds: Mapping[str, WorldTables], vocabulary: Vocabulary) -> pl.DataFrame:
    """Trade between regions by product: exporter's value net of levy, and volume.

    A diverted accelerator counts as an export to the hub where it is delivered; its origin is its designer's region.
    Sales at home are left out.

    Returns:
        scenario, period, origin, destination, origin_bloc, destination_bloc, product, quantity (``"FOB value"`` or
        ``"volume"``), unit, value. Volumes are thousand H100e for accelerators, otherwise values at the mill prices of
        the base year.
    """
    keys = ["scenario", "period", "origin", "destination", "product", "quantity_unit"]
    shipped = pl.col("shipped") if "shipped" in next(iter(worlds.values()))["flows"].columns else pl.col("quantity")
    trade = (
        levels(worlds, "flows")
        .filter(pl.col("origin") != pl.col("destination"))
        .group_by(keys, maintain_order=True)
        .agg(pl.col("fob_value").sum().alias("FOB value"), shipped.sum().alias("volume"))
    )
    return (
        trade.unpivot(["FOB value", "volume"], index=keys, variable_name="quantity", value_name="value")
        .with_columns(
            unit=pl.when(pl.col("quantity") == "volume").then(pl.col("quantity_unit")).otherwise(pl.lit(MUSD)),
            origin_bloc=bloc_of(vocabulary, "origin"),
            destination_bloc=bloc_of(vocabulary, "destination"),
        )
        .select(
            "scenario",
            "period",
            "origin",
            "destination",
            "origin_bloc",
            "destination_bloc",
            "product",
            "quantity",
            "unit",
            "value",
        )
        .sort("scenario", "period", "product", "origin", "destination", "quantity")
    )


def capacities(worlds: Mapping[str, WorldTables], vocabulary: Vocabulary) -> pl.DataFrame:
    """Planned capacities: what exists, is used and is added (per period), the rent of a unit and its share of the price, what
    makers have learned beyond the reference path, and what the treasury pays of additions where it pays anything.

    Returns:
        scenario, period, region, bloc, owner, product, quantity, unit, value.
    """
    units = {
        "capacity": MUSD,
        "use": MUSD,
        "addition": MUSD,
        "replacement_cost_value": MUSD,
        "rent": "USD per USD of 2022",
        "rent_share": "share of the mill price",
        "learned": "share of cost",
        "subsidy": MUSD,
    }
    names = {
        "replacement_cost_value": "replacement cost",
        "rent_share": "rent share",
        "learned": "cost lowered by experience beyond the reference's",
        "subsidy": SUBSIDY,
    }
    table = levels(worlds, "capacity").with_columns(bloc=bloc_of(vocabulary, "region"))
    long = _long(table, ["region", "bloc", "owner", "product"], units, names)
    return long.filter((pl.col("quantity") != SUBSIDY) | (pl.col("value").abs() > NOTHING))


def limits(worlds: Mapping[str, WorldTables]) -> pl.DataFrame:
    """Quantity limits in force: the cap, its use, and its rent.

    Returns:
        scenario, period, region (the owner of the rent), limit, quantity, unit, value.
    """
    table = levels(worlds, "limits").rename({"owner": "region", "quantity": "cap"})
    rent = [name for name in ("rent", "rent_share") if name in table.columns]
    rent_unit = {"rent": "USD per unit", "rent_share": "share of the mill price"}
    values = ["cap", "use", *rent]
    long = table.unpivot(values, index=["scenario", "period", "region", "limit", "unit"], variable_name="quantity")
    unit = pl.col("quantity").replace_strict(rent_unit, default=pl.col("unit"), return_dtype=pl.String)
    return long.with_columns(unit=unit).select("scenario", "period", "region", "limit", "quantity", "unit", "value")


def stockpiles(worlds: Mapping[str, WorldTables], vocabulary: Vocabulary) -> pl.DataFrame:
    """What is bought ahead of measures, what is used from stock, and what is held at the end of each period.

    Returns:
        scenario, period, region, bloc, product, quantity, unit, value; products in which nothing is stored are left out.
    """
    table = levels(worlds, "stocks").with_columns(bloc=bloc_of(vocabulary, "region"))
    names = {"bought": "bought for stock", "used": "used from stock", "held": "held at the end"}
    keys = ["scenario", "period", "region", "bloc", "product", "unit"]
    long = table.unpivot(list(names), index=keys, variable_name="quantity", value_name="value")
    ever = pl.col("value").abs().max().over("scenario", "region", "product") > NOTHING
    return long.filter(ever).with_columns(quantity=pl.col("quantity").replace(names)).select(
        "scenario", "period", "region", "bloc", "product", "quantity", "unit", "value"
    )


def prices(worlds: Mapping[str, WorldTables]) -> pl.DataFrame:
    """Mill and buyer prices; scenario, period, region, product, quantity, unit, value."""
    return levels(worlds, "prices").select("scenario", "period", "region", "product", "quantity", "unit", "value")


def _long(table: pl.DataFrame, places: list[str], units: Mapping[str, str], names: Mapping[str, str]) -> pl.DataFrame:
    keys = ["scenario", "period", *places]
    long = table.select(*keys, *units).unpivot(list(units), index=keys, variable_name="quantity", value_name="value")
    return long.with_columns(
        unit=pl.col("quantity").replace_strict(dict(units), return_dtype=pl.String),
        quantity=pl.col("quantity").replace(dict(names)),
    ).select(*keys, "quantity", "unit", "value")

"""Who sells what the US no longer sells: backfill rates by seller (economics, section 11)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from backfill.dimensions import Vocabulary
from backfill.effects.comparison import Comparison, WorldTables, bloc_of, with_whole
from backfill.effects.rates import note, rate

MEASURES = {
    "benchmark value": "at the reference's mill prices of the period",
    "current value": "FOB value net of levies",
    "quality units": "H100e for accelerators, otherwise volume at the mill prices of the base year",
}
GROUPS = ("tools", "chips", "accelerators")
OTHERS = "all but the US"
FALL = "the fall in US sales to the destination"

_AMOUNTS = list(MEASURES)
_PLACE = ("period", "origin", "destination", "product")


def sales(tables: WorldTables, reference: WorldTables, vocabulary: Vocabulary) -> pl.DataFrame:
    """Deliveries to every adversary region by seller and product in three measures (million USD, million USD, units).

    Goods that stop at a hub are not deliveries to the destination: diversion is a channel of leakage, not a seller.

    Returns:
        period, origin, destination, product and one column for each measure.
    """
    keys = ["period", "product", "origin"]
    adversaries = list(vocabulary.expand_regions("adversary"))
    price = (
        reference["flows"].group_by(keys).agg((pl.col("fob_value").sum() / _shipped(reference).sum()).alias("price0"))
    )
    own = tables["flows"].filter(pl.col("destination").is_in(adversaries) & (pl.col("channel") != "diversion"))
    with_price = own.join(price, on=keys, how="left").with_columns(
        price0=pl.col("price0").fill_null(pl.col("mill_price")).fill_nan(pl.col("mill_price"))
    )
    return with_price.group_by("period", "origin", "destination", "product").agg(
        (pl.col("price0") * _shipped(tables)).sum().alias("benchmark value"),
        pl.col("fob_value").sum().alias("current value"),
        _shipped(tables).sum().alias("quality units"),
    )


def backfilling(comparison: Comparison) -> pl.DataFrame:
    """Backfill rates ``sum_S (XP - X0) / (X_US0 - X_USP)`` on flows to the denied destination.

    Sellers are every region but the US, the blocs, and all but the US together (the destination's own makers included, as
    part of the adversary bloc). Products are those under control on the way to an adversary, and the groups tools,
    chips and accelerators that contain one. A rate may be negative or above one; where US sales fall by less than
    `rates.SMALLEST` of the reference's it is null, with a note. Beside the rates stand numerators and denominators: the
    changes of sales, those of the US included, and US sales in the reference.

    Returns:
        scenario, reference, period, origin (seller), destination, product, quantity, unit, value, note.
    """
    vocabulary = comparison.vocabulary
    under_control = _controlled_products(comparison)
    both = [sales(t, comparison.reference, vocabulary) for t in (comparison.reference, comparison.policy)]
    change = _change(*both).join(under_control, on="product")
    change = change.drop("product").rename({"label": "product"})
    change = _with_destinations(change)
    keys = ["period", "origin", "destination", "product"]
    change = change.group_by(keys).agg(pl.all().sum())
    values = [name for name in change.columns if name not in keys]
    change = with_whole(change, values)
    us = vocabulary.expand_regions("us")
    market = ["period", "destination", "product"]
    fall = (
        change.filter(pl.col("origin").is_in(us))
        .group_by(market)
        .agg(
            *[(-pl.col(m).sum()).alias(f"fall {m}") for m in _AMOUNTS],
            *[pl.col(f"reference {m}").sum().alias(f"us {m}") for m in _AMOUNTS],
        )
    )
    others = change.filter(~pl.col("origin").is_in(us)).select(*keys, *_AMOUNTS)
    named = _with_sellers(others, vocabulary)
    everywhere = fall.select(market).join(
        pl.DataFrame({"origin": sorted({*vocabulary.bloc.values(), OTHERS} - {"us"})}), how="cross"
    )
    missing = everywhere.join(named, on=[*market, "origin"], how="anti").with_columns(
        pl.lit(0.0).alias(measure) for measure in _AMOUNTS
    )
    sellers = pl.concat([named, missing.select(named.columns)]).join(fall, on=market, how="left")
    us_sales = fall.with_columns(
        pl.lit("us").alias("origin"), *[(-pl.col(f"fall {measure}")).alias(measure) for measure in _AMOUNTS]
    )
    rows = [
        part
        for measure in _AMOUNTS
        for part in (
            _rates(sellers, measure),
            _amounts(sellers, "change in sales", measure, measure),
            _amounts(us_sales, "change in sales", measure, measure),
            _amounts(us_sales, "reference sales", measure, f"us {measure}"),
        )
    ]
    long = pl.concat(rows).sort("period", "destination", "product", "origin", "quantity")
    return comparison.label(long)


def _shipped(tables: WorldTables) -> pl.Expr:
    return pl.col("shipped" if "shipped" in tables["flows"].columns else "quantity")


def _controlled_products(comparison: Comparison) -> pl.DataFrame:
    """Product to label: each controlled product under its own name, and every member of a group that has one."""
    adversaries = list(comparison.adversaries)
    controlled = set(comparison.controlled.filter(pl.col("destination").is_in(adversaries))["product"].to_list())
    groups: Mapping[str, tuple[str, ...]] = comparison.vocabulary.groups
    pairs = {(product, product) for product in controlled}
    for group in GROUPS:
        members = groups.get(group, ())
        if controlled & set(members):
            pairs |= {(product, group) for product in members}
    return pl.DataFrame(sorted(pairs), schema={"product": pl.String, "label": pl.String}, orient="row")


def _change(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    keys = ["period", "origin", "destination", "product"]
    joined = before.join(after, on=keys, how="full", coalesce=True, suffix="_P").with_columns(
        pl.col(*_AMOUNTS, *[f"{m}_P" for m in _AMOUNTS]).fill_null(0.0)
    )
    return joined.select(
        *keys,
        *[(pl.col(f"{m}_P") - pl.col(m)).alias(m) for m in _AMOUNTS],
        *[pl.col(m).alias(f"reference {m}") for m in _AMOUNTS],
    )


def _with_destinations(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.with_columns(destination=pl.lit("adversary"))])


def _with_sellers(frame: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    keys = ["period", "origin", "destination", "product"]
    named = [
        frame.with_columns(origin=place).group_by(keys).agg(pl.col(_AMOUNTS).sum())
        for place in (bloc_of(vocabulary, "origin"), pl.lit(OTHERS))
    ]
    return pl.concat([frame.select(*keys, *_AMOUNTS), *[part.select(*keys, *_AMOUNTS) for part in named]])


def _rates(sellers: pl.DataFrame, measure: str) -> pl.DataFrame:
    fall, before = pl.col(f"fall {measure}"), pl.col(f"us {measure}")
    return sellers.select(
        *_PLACE,
        quantity=pl.lit(f"backfill rate, {measure}"),
        unit=pl.lit("share of the fall in US sales"),
        value=rate(pl.col(measure), fall, before),
        note=note(fall, before, FALL),
    )


def _amounts(rows: pl.DataFrame, quantity: str, measure: str, column: str) -> pl.DataFrame:
    units = {"benchmark value": "million USD", "current value": "million USD", "quality units": "units of the product"}
    return rows.select(
        *_PLACE,
        quantity=pl.lit(f"{quantity}, {measure}"),
        unit=pl.lit(units[measure]),
        value=pl.col(column),
        note=pl.lit(""),
    )

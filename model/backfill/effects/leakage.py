"""Gross denial, compute denied, and the channels that make up the difference (economics, section 11)."""

from __future__ import annotations

import polars as pl

from backfill.effects.comparison import H100E, ROUTE, WHOLE, Comparison, WorldTables, with_whole
from backfill.effects.compute import DIVERTED, OWN, REMOTE, acquisitions
from backfill.effects.rates import note, rate

CONTROLLED = "controlled"
DOMESTIC = "domestic"
CHANNELS = ("ally", "third country", "diversion", "cloud", "other tier", DOMESTIC)
"""Channels of leakage: uncontrolled routes from allies, from third countries, through hubs, rented, uncontrolled products of
the US, and the adversary's own output answering what it can no longer buy."""

FALL = "gross denial"

_CHANNEL_OF_ROUTE = {
    DIVERTED: "diversion",
    REMOTE: "cloud",
    OWN: DOMESTIC,
    "from ally": "ally",
    "from partner": "third country",
    "from us": "other tier",
}


def acquired_by_channel(tables: WorldTables, comparison: Comparison) -> pl.DataFrame:
    """What the adversary bloc acquires (H100e) by period and channel; controlled routes are the channel ``"controlled"``.

    Every period has every channel, so that differences need no filling. Own output is never a controlled route.
    """
    units = acquisitions(tables["flows"], comparison.vocabulary).filter(
        pl.col("user").is_in(list(comparison.adversaries))
    )
    marked = units.join(comparison.controlled.with_columns(listed=True), on=list(ROUTE), how="left")
    channel = (
        pl.when(pl.col("listed").fill_null(False) & (pl.col("route") != OWN))
        .then(pl.lit(CONTROLLED))
        .otherwise(pl.col("route").replace_strict(_CHANNEL_OF_ROUTE, return_dtype=pl.String))
    )
    sums = marked.with_columns(channel=channel).group_by("period", "channel").agg(pl.col("value").sum())
    grid = pl.DataFrame({"period": [p.label for p in comparison.periods]}).join(
        pl.DataFrame({"channel": [CONTROLLED, *CHANNELS]}), how="cross"
    )
    return grid.join(sums, on=["period", "channel"], how="left", maintain_order="left").fill_null(0.0)


def denial(comparison: Comparison) -> pl.DataFrame:
    """Denial and leakage in H100e by period and for all periods.

    ``GD = sum_controlled (A0 - AP) + [A_dom(P_d) - A_dom(P)]``; ``CD = sum (A0 - AP)``; channel ``AP - A0`` on
    uncontrolled routes and ``A_dom(P_d) - A0_dom`` at home. The channels sum to ``GD - CD``.

    Returns:
        period, reference (``sum A0``), direct, upstream (the two parts of GD), gross, denied, and a column for each
        channel.
    """
    wide = {
        name: acquired_by_channel(tables, comparison).pivot("channel", index="period", values="value")
        for name, tables in (
            ("0", comparison.reference),
            ("P", comparison.policy),
            ("d", comparison.downstream),
        )
    }
    joined = (
        wide["0"]
        .join(wide["P"], on="period", suffix="_P", maintain_order="left")
        .join(wide["d"].select("period", pl.col(DOMESTIC).alias("domestic_d")), on="period", maintain_order="left")
    )
    every = [CONTROLLED, *CHANNELS]
    abroad = [c for c in CHANNELS if c != DOMESTIC]
    table = joined.select(
        "period",
        pl.sum_horizontal(every).alias("reference"),
        (pl.col(CONTROLLED) - pl.col(f"{CONTROLLED}_P")).alias("direct"),
        (pl.col("domestic_d") - pl.col(f"{DOMESTIC}_P")).alias("upstream"),
        pl.sum_horizontal([pl.col(c) - pl.col(f"{c}_P") for c in every]).alias("denied"),
        *[(pl.col(f"{c}_P") - pl.col(c)).alias(c) for c in abroad],
        (pl.col("domestic_d") - pl.col(DOMESTIC)).alias(DOMESTIC),
    )
    whole = with_whole(table, table.columns[1:])
    return whole.with_columns(gross=pl.col("direct") + pl.col("upstream"))


def leakage(comparison: Comparison) -> pl.DataFrame:
    """Denial, leakage by channel, and the leakage rate ``L = 1 - CD/GD``, the sum of its channels ``(AP - A0)/GD``.

    Rates are null, with a note, where ``GD`` is under `rates.SMALLEST` of ``sum A0``.

    Returns:
        scenario, reference, period, region (``"adversary"``), product (``"accelerators"``), channel, quantity
        (``"acquired in the reference"``, ``"gross denial"``, ``"compute denied"``, ``"leakage"``, ``"leakage rate"``), unit,
        value, note.
    """
    table = denial(comparison)
    gross, before = pl.col("gross"), pl.col("reference")

    def amount(column: str, quantity: str, channel: str) -> pl.DataFrame:
        return table.select(
            "period",
            channel=pl.lit(channel),
            quantity=pl.lit(quantity),
            unit=pl.lit(H100E),
            value=pl.col(column),
            note=pl.lit(""),
        )

    def leaked(value: pl.Expr, channel: str) -> pl.DataFrame:
        return table.select(
            "period",
            channel=pl.lit(channel),
            quantity=pl.lit("leakage rate"),
            unit=pl.lit("share of gross denial"),
            value=rate(value, gross, before),
            note=note(gross, before, FALL),
        )

    parts = [
        amount("reference", "acquired in the reference", WHOLE),
        amount("gross", "gross denial", WHOLE),
        amount("direct", "gross denial", "controlled routes"),
        amount("upstream", "gross denial", "own output lost for want of inputs"),
        amount("denied", "compute denied", WHOLE),
        *[amount(channel, "leakage", channel) for channel in CHANNELS],
        *[leaked(pl.col(channel), channel) for channel in CHANNELS],
        leaked(gross - pl.col("denied"), WHOLE),
    ]
    long = pl.concat(parts).select(
        "period",
        pl.lit("adversary").alias("region"),
        pl.lit("accelerators").alias("product"),
        "channel",
        "quantity",
        "unit",
        "value",
        "note",
    )
    return comparison.label(long)


def leakage_sum(comparison: Comparison) -> float:
    """The check ``max_t |sum of channels - (GD - CD)|`` over the world's acquisitions in the reference (same period)."""
    world = with_whole(
        acquisitions(comparison.reference["flows"], comparison.vocabulary)
        .group_by("period")
        .agg(pl.col("value").sum().alias("world")),
        ["world"],
    )
    table = denial(comparison).join(world, on="period", how="left")
    gap = (pl.sum_horizontal(CHANNELS) - (pl.col("gross") - pl.col("denied"))).abs()
    relative = pl.when(pl.col("world") > 0).then(gap / pl.col("world")).otherwise(gap)
    return float(table.select(relative.max()).item() or 0.0)

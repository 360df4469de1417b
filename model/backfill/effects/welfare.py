"""Who pays: equivalent variation, its present value, exporters' revenue and rents, the treasury (economics, section 11)."""

from __future__ import annotations

import polars as pl

from backfill.effects.comparison import WHOLE, Comparison, WorldTables, with_blocs, with_whole
from backfill.effects.leakage import denial
from backfill.effects.rates import note, rate

MUSD = "million USD"
RENTS = ("profits", "capacity_rents", "limit_rents")
REVENUE = ("tariff_revenue", "levy_revenue", "fines")
EARNED = ("labour", *RENTS, *REVENUE, "hub_rents")
"""What a region's GDP is made of: everything it earns at home, before transfers."""
GAIN = "below nothing: denial comes with a gain of the US and allies"
"""What a negative cost per unit denied says."""
UNSETTLED = (
    "controls on tools raise the adversary's welfare, for reasons of which docs/validity.md knows some; "
    "do not quote the sign of a gain"
)
"""What a gain of the adversary's says."""

_SHAPE = ["period", "region", "product", "quantity", "unit", "value", "note"]


def _item(tables: WorldTables, *items: str) -> pl.DataFrame:
    """Sum of income items by period and region."""
    return tables["income"].filter(pl.col("item").is_in(items)).group_by("period", "region").agg(pl.col("value").sum())


def equivalent_variation(comparison: Comparison) -> pl.DataFrame:
    """Yearly equivalent variation by region, ``EV = P0 (U_P - U_0)``, period, region, value.

    Preferences are homothetic: real absorption ``U`` is what a region absorbs over its price index ``P``. One period alone
    says little: building is a cost now and a gain later.
    """
    keys = ["period", "region"]
    index = _item(comparison.reference, "price_index").rename({"value": "index"})
    before = _item(comparison.reference, "real_absorption").rename({"value": "before"})
    after = _item(comparison.policy, "real_absorption").rename({"value": "after"})
    joined = before.join(after, on=keys).join(index, on=keys)
    return joined.select(*keys, (pl.col("index") * (pl.col("after") - pl.col("before"))).alias("value"))


def present_values(comparison: Comparison) -> pl.DataFrame:
    """``W = sum_t beta**t EV_t + change in the terminal value of capacity``, by region, bloc and for the world.

    Returns:
        region, flow (the sum), terminal (the change), value (``W``), base (the reference's discounted absorption), all
        million USD at the first period.
    """
    weighted = equivalent_variation(comparison).join(comparison.weights(), on="period")
    flow = weighted.group_by("region").agg((pl.col("value") * pl.col("weight")).sum().alias("flow"))
    spending = _item(comparison.reference, "absorption").join(comparison.weights(), on="period")
    base = spending.group_by("region").agg((pl.col("value") * pl.col("weight")).sum().alias("base"))
    ends = [
        t["terminal"].group_by("region").agg(pl.col("value").sum()) for t in (comparison.reference, comparison.policy)
    ]
    terminal = (
        ends[1]
        .join(ends[0], on="region", suffix="_0")
        .select("region", (pl.col("value") - pl.col("value_0")).alias("terminal"))
    )
    table = (
        flow.join(terminal, on="region", how="left")
        .join(base, on="region", how="left")
        .with_columns(pl.col("terminal").fill_null(0.0))
        .select("region", "flow", "terminal", "base")
        .sort("region")
    )
    table = with_blocs(table, comparison.vocabulary, ["flow", "terminal", "base"])
    return table.with_columns(value=pl.col("flow") + pl.col("terminal"))


def discounted_denial(comparison: Comparison) -> tuple[float, float]:
    """Compute denied and compute acquired in the reference, both ``sum_t beta**t x_t`` in H100e."""
    weighted = denial(comparison).filter(pl.col("period") != WHOLE).join(comparison.weights(), on="period")
    denied, acquired = weighted.select((pl.col("denied", "reference") * pl.col("weight")).sum()).row(0)
    return float(denied), float(acquired)


def exporter_revenue(comparison: Comparison) -> pl.DataFrame:
    """Revenue that exporters lose, current FOB value net of levies, by region and product: period, region, product, quantity,
    value.

    ``"revenue lost, gross"``: on controlled routes. ``"revenue lost, net of resale"``: on the same products to every
    buyer, home included, so that units sold elsewhere and price changes count.
    """
    keys = ["period", "origin", "product"]
    route = ["product", "origin", "destination", "channel"]
    chosen = comparison.controlled.select("product", "origin").unique()

    def revenue(tables: WorldTables) -> pl.DataFrame:
        flows = tables["flows"].join(chosen, on=["product", "origin"])
        gross = (
            flows.join(comparison.controlled, on=route, how="semi")
            .group_by(keys)
            .agg(pl.col("fob_value").sum().alias("gross"))
        )
        net = flows.group_by(keys).agg(pl.col("fob_value").sum().alias("net"))
        return net.join(gross, on=keys, how="left").with_columns(pl.col("gross").fill_null(0.0))

    joined = revenue(comparison.reference).join(
        revenue(comparison.policy), on=keys, how="full", coalesce=True, suffix="_P"
    )
    filled = joined.with_columns(pl.col("gross", "net", "gross_P", "net_P").fill_null(0.0))
    lost = filled.select(
        "period",
        pl.col("origin").alias("region"),
        "product",
        (pl.col("gross") - pl.col("gross_P")).alias("revenue lost, gross"),
        (pl.col("net") - pl.col("net_P")).alias("revenue lost, net of resale"),
    )
    return lost.unpivot(
        ["revenue lost, gross", "revenue lost, net of resale"],
        index=["period", "region", "product"],
        variable_name="quantity",
        value_name="value",
    )


def _change(comparison: Comparison, *items: str) -> pl.DataFrame:
    before, after = (_item(t, *items) for t in (comparison.reference, comparison.policy))
    joined = after.join(before, on=["period", "region"], how="full", coalesce=True, suffix="_0")
    return joined.select(
        "period", "region", (pl.col("value").fill_null(0.0) - pl.col("value_0").fill_null(0.0)).alias("value")
    )


def _everywhere(comparison: Comparison, frame: pl.DataFrame, quantity: str) -> pl.DataFrame:
    """Rows by region, bloc and world, by period and for all periods, of one quantity in million USD."""
    if "product" not in frame.columns:
        frame = frame.with_columns(product=pl.lit(WHOLE))
    summed = with_whole(frame.select("period", "region", "product", "value"), ["value"])
    return with_blocs(summed, comparison.vocabulary, ["value"]).select(
        "period", "region", "product", quantity=pl.lit(quantity), unit=pl.lit(MUSD), value="value", note=pl.lit("")
    )


def welfare(comparison: Comparison) -> pl.DataFrame:
    """Every measure of cost: equivalent variation, present values, cost per unit denied, revenue, rents, the treasury.

    Rents lost are profits, capacity rents and licence rents of the region; fiscal revenue is tariffs, levies and fines.

    Returns:
        scenario, reference, period, region (regions, blocs, ``"world"``), product, quantity, unit, value, note.
    """
    yearly = with_blocs(equivalent_variation(comparison), comparison.vocabulary, ["value"])
    rows = [
        yearly.select(
            "period",
            "region",
            product=pl.lit(WHOLE),
            quantity=pl.lit("equivalent variation"),
            unit=pl.lit(MUSD),
            value="value",
            note=pl.lit(""),
        ),
        *_present_rows(present_values(comparison)),
        _unit_cost(comparison),
    ]
    revenue = exporter_revenue(comparison)
    for quantity in ("revenue lost, gross", "revenue lost, net of resale"):
        part = revenue.filter(pl.col("quantity") == quantity).drop("quantity")
        summed = part.group_by("period", "region").agg(pl.col("value").sum())
        rows += [_everywhere(comparison, part, quantity), _everywhere(comparison, summed, quantity)]
    rents = _change(comparison, *RENTS).with_columns(-pl.col("value"))
    rows += [
        _everywhere(comparison, rents, "rents lost"),
        _everywhere(comparison, _change(comparison, *REVENUE), "change in fiscal revenue"),
    ]
    return comparison.label(pl.concat([row.select(_SHAPE) for row in rows]))


def _present_rows(table: pl.DataFrame) -> list[pl.DataFrame]:
    def row(value: pl.Expr, quantity: str, unit: str) -> pl.DataFrame:
        return table.select(
            period=pl.lit(WHOLE),
            region="region",
            product=pl.lit(WHOLE),
            quantity=pl.lit(quantity),
            unit=pl.lit(unit),
            value=value,
            note=pl.lit(""),
        )

    share = pl.when(pl.col("base") > 0).then(pl.col("value") / pl.col("base"))
    return [
        row(pl.col("value"), "welfare, present value", MUSD),
        row(pl.col("flow"), "equivalent variation, present value", MUSD),
        row(pl.col("terminal"), "change in terminal value of capacity", MUSD),
        row(share, "welfare, share of absorption", "share"),
    ]


def _unit_cost(comparison: Comparison) -> pl.DataFrame:
    """``-(W_US + W_allies) / CD`` in USD per H100e, both discounted alike, and its denominator."""
    denied, acquired = discounted_denial(comparison)
    blocs = present_values(comparison).filter(pl.col("region").is_in(["us", "ally"]))
    spent = -float(blocs["value"].sum()) * 1e6
    known = pl.DataFrame({"spent": [spent], "denied": [denied], "acquired": [acquired]})
    fall, before = pl.col("denied"), pl.col("acquired")

    def row(region: str, quantity: str, unit: str, value: pl.Expr, why: pl.Expr) -> pl.DataFrame:
        return known.select(
            period=pl.lit(WHOLE),
            region=pl.lit(region),
            product=pl.lit("accelerators"),
            quantity=pl.lit(quantity),
            unit=pl.lit(unit),
            value=value,
            note=why,
        )

    return pl.concat(
        [
            row("adversary", "compute denied, discounted", "H100e", fall, pl.lit("")),
            row(
                "us+ally",
                "cost per unit denied",
                "USD per H100e",
                rate(pl.col("spent"), fall, before),
                pl.when(rate(pl.col("spent"), fall, before) < 0)
                .then(pl.lit(GAIN))
                .otherwise(note(fall, before, "compute denied")),
            ),
        ]
    )

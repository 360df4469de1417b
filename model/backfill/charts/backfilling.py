"""Who fills the gap: changes of sales to the adversary by seller, and by route for compute, and rates of backfilling."""

from __future__ import annotations

import altair as alt
import polars as pl

from backfill.charts.panel import NothingToDraw, Panel, bar_labels, placard
from backfill.charts.places import BLOC_ORDER, GROUP_ORDER, product_name, region_name
from backfill.charts.routes import acquired
from backfill.charts.theme import (
    BLOC_COLOURS,
    BLOC_NAMES,
    HEIGHT,
    ROUTE_COLOURS,
    WIDTH,
    colours,
    columns,
    rule_at_zero,
)
from backfill.charts.words import capital, measure, people
from backfill.effects.rates import SMALLEST
from backfill.units import format_share

SELLERS = {"ally": "US allies", "partner": "third countries", "adversary": "adversary's own makers"}
SELLER_COLOURS = {name: BLOC_COLOURS[bloc] for bloc, name in SELLERS.items()}
LONGEST = 250.0
"""Bars of rates beyond this many per cent are cut there and keep their true label."""
SALES = "change in sales, current value"
COMPUTE = "accelerators"
_KEYS = ["scenario", "reference", "period", "origin", "destination", "product", "quantity", "value"]
ROW = 24
"""Height of a bar with what lies between two, in pixels."""


def rates(table: pl.DataFrame, policy: str, reference: str, width: float = WIDTH) -> Panel:
    """Who sells more, and who less, to the adversary than without the policy: rates by product group and bloc.

    Bars beyond `LONGEST` per cent are cut there and keep their true label: where the US sold little a rate can be anything.
    """
    every = _rates(table, policy, reference)
    shown = [name for name in GROUP_ORDER if name in set(every["product"].to_list())]
    data = every.filter(pl.col("product").is_in(shown), pl.col("value").is_not_null()).with_columns(
        product=pl.col("product").map_elements(product_name, return_dtype=pl.String)
    )
    names = [name for group in shown if (name := product_name(group)) in set(data["product"].to_list())]
    hidden = [name for group in shown if (name := product_name(group)) not in names]
    subtitle = f"Change in sales to the adversary, % of the fall in US sales: {policy} against {reference}"
    if (100 * data["value"].abs() > LONGEST).any():
        subtitle += f"; cut at {LONGEST:.0f}%"
    if hidden:
        subtitle += f". Not shown, as US sales fall by less than {SMALLEST:.0%} or rise: {', '.join(hidden)}"
    if data.is_empty():
        why = "US sales to the adversary hardly fall, so nobody backfills."
        return placard("No bars", why, subtitle, "There is no fall in US sales that others could fill.", width)
    most = data.sort("money")[-1].to_dicts()[0]
    gains = "gain" if most["seller"].endswith("s") else "gains"
    sentence = (
        f"{capital(most['seller'])} {gains} most: {people(most['money'], 'million USD')} of {most['product']}, "
        f"{format_share(most['value'], 0)} of what the US loses there."
        if most["money"] > 0
        else "Nobody replaces what the US no longer sells."
    )
    base = alt.Chart(columns(data, ["product", "seller", "percent", "value", "label", "ahead"]))
    y = alt.Y("product:N").sort(names).title(None).axis(ticks=False, labelPadding=8)
    offset = alt.YOffset("seller:N").sort(list(SELLER_COLOURS))
    bar = base.mark_bar(height={"band": 0.85}).encode(
        x=alt.X("percent:Q").title(None).axis(tickCount=6).scale(padding=40, nice=True),
        y=y,
        yOffset=offset,
        color=alt.Color("seller:N").scale(colours(SELLER_COLOURS, data["seller"].to_list())),
        tooltip=["product:N", "seller:N", alt.Tooltip("label:N", title="of the fall in US sales")],
    )
    texts = bar_labels(base, "percent:Q", y, yOffset=offset)
    drawing = alt.layer(bar, *texts, rule_at_zero()).properties(width=width, height=HEIGHT)
    told = "; ".join(f"{r['product']}, {r['seller']}: {r['label']}" for r in data.iter_rows(named=True))
    return Panel(drawing, "Diverging bars", sentence, subtitle, told)


def _rates(table: pl.DataFrame, policy: str, reference: str) -> pl.DataFrame:
    """Rates by product and seller bloc with the money behind them (million USD)."""
    chosen = columns(table, _KEYS).filter(
        pl.col("scenario") == policy,
        pl.col("reference") == reference,
        pl.col("period") == "all",
        pl.col("destination") == "adversary",
        pl.col("origin").is_in(list(SELLERS)),
    )
    money = chosen.filter(pl.col("quantity") == SALES)
    found = chosen.filter(pl.col("quantity") == "backfill rate, current value")
    joined = found.join(
        money.select("origin", "product", pl.col("value").alias("money")),
        on=["origin", "product"],
        maintain_order="left",
    )
    return joined.with_columns(
        seller=pl.col("origin").replace(SELLERS),
        percent=(100 * pl.col("value")).clip(-LONGEST, LONGEST),
        ahead=pl.col("value") >= 0,
        label=pl.col("value").map_elements(lambda v: format_share(v, 0).replace("-", "−"), return_dtype=pl.String),
    )


def sales(
    backfilling: pl.DataFrame, compute: pl.DataFrame, policy: str, reference: str, group: str, width: float = WIDTH
) -> Panel:
    """Who sells more and who less of a product to the adversary: by seller, and for accelerators by route.

    Args:
        backfilling: the result's table; sales in million USD.
        compute: the result's table; accelerators in H100e.
        policy, reference: worlds compared.
        group: a product or group of `backfilling`.
        width: in pixels.

    Raises:
        ValueError: there is no such product.
    """
    data, unit = (
        _by_route(compute, policy, reference) if group == COMPUTE else _by_seller(backfilling, policy, reference, group)
    )
    name = "compute" if group == COMPUTE else product_name(group)
    how = measure(unit, data["value"])
    across = "by route" if group == COMPUTE else "by seller"
    subtitle = f"Change over all periods {across}, {how.unit}: {policy} against {reference}"
    if (data["value"].abs() < 1e-9).all():
        return placard(
            "No bars", f"Nobody sells more or less {name} to the adversary.", subtitle, "Every change is zero.", width
        )
    falls = -float(data.filter(pl.col("bloc") == "us")["value"].sum())
    others = data.filter(pl.col("bloc") != "us")
    gains = float(others.filter(pl.col("value") > 0)["value"].sum())
    net = float(others["value"].sum())
    if falls > 0 and net > 0:
        sentence = (
            f"US sellers lose {people(falls, unit)} of {name}; others add {people(net, unit)}, {net / falls:.0%} of it."
        )
    elif falls > 0:
        sentence = f"US sellers lose {people(falls, unit)} of {name}, and others do not fill the gap: "
        sentence += f"they lose {people(-net, unit)} too." if net < 0 else "they sell as much as before."
    else:
        sentence = f"US sellers sell {people(-falls, unit)} more {name}; what others gain is {people(gains, unit)}."
    data = data.with_columns(
        scaled=pl.col("value") * how.factor,
        ahead=pl.col("value") >= 0,
        label=pl.col("value").map_elements(lambda v: how.label(v, 2, signed=True), return_dtype=pl.String),
    )
    base = alt.Chart(columns(data, ["seller", "colour", "scaled", "ahead", "label"]))
    y = alt.Y("seller:N").sort(data["seller"].to_list()).title(None).axis(ticks=False, domain=False, labelPadding=8)
    bar = base.mark_bar(height={"band": 0.78}).encode(
        x=alt.X("scaled:Q").title(None).axis(tickCount=6, format=",.6~g").scale(padding=44, nice=True),
        y=y,
        color=alt.Color("colour:N").scale(None),
        tooltip=["seller:N", alt.Tooltip("label:N", title=how.unit)],
    )
    texts = bar_labels(base, "scaled:Q", y)
    drawing = alt.layer(bar, *texts, rule_at_zero()).properties(width=width, height=max(ROW * data.height, 96))
    told = "; ".join(f"{row['seller']} {row['label']}" for row in data.iter_rows(named=True))
    return Panel(drawing, "Diverging bars", sentence, subtitle, f"In {how.unit}: {told}")


def _by_route(compute: pl.DataFrame, policy: str, reference: str) -> tuple[pl.DataFrame, str]:
    sums = acquired(compute, [reference, policy]).group_by("scenario", "route").agg(pl.col("value").sum())
    wide = sums.pivot("scenario", index="route", values="value").with_columns(
        pl.col(name).fill_null(0.0) if name in sums["scenario"] else pl.lit(0.0).alias(name)
        for name in (policy, reference)
    )
    order = {name: n for n, name in enumerate(ROUTE_COLOURS)}
    return wide.select(
        seller="route",
        bloc=pl.when(pl.col("route") == "from the US").then(pl.lit("us")).otherwise(pl.lit("")),
        colour=pl.col("route").replace_strict(ROUTE_COLOURS),
        value=pl.col(policy) - pl.col(reference),
        order=pl.col("route").replace_strict(order, return_dtype=pl.Int64),
    ).sort("order"), "H100e"


def _by_seller(table: pl.DataFrame, policy: str, reference: str, group: str) -> tuple[pl.DataFrame, str]:
    every = columns(table, _KEYS).filter(
        pl.col("scenario") == policy,
        pl.col("reference") == reference,
        pl.col("period") == "all",
        pl.col("destination") == "adversary",
        pl.col("quantity") == SALES,
    )
    known = sorted(set(every["product"].to_list()))
    if group not in known:
        raise NothingToDraw(f"no sales of {group!r} to draw; there are {', '.join(known) or 'none'}")
    mine = every.filter(pl.col("product") == group)
    regions = {region: bloc for region, bloc in _blocs().items() if region in set(mine["origin"])}
    # The sending bloc stands in the table as a whole; so do all where regions are a person's own.
    blocs = {**regions, **{bloc: bloc for bloc in BLOC_ORDER if bloc not in regions.values()}}
    rows = mine.filter(pl.col("origin").is_in(list(blocs)))
    least = 0.01 * float(rows["value"].abs().max() or 0.0)  # type: ignore[arg-type]
    rows = rows.with_columns(bloc=pl.col("origin").replace_strict(blocs, return_dtype=pl.String))
    small = rows.filter(pl.col("value").abs() < least, pl.col("bloc") != "us")
    big = rows.filter((pl.col("value").abs() >= least) | (pl.col("bloc") == "us")).select(
        pl.col("origin")
        .map_elements(lambda o: BLOC_NAMES.get(o) or region_name(o), return_dtype=pl.String)
        .alias("seller"),
        "bloc",
        "value",
    )
    if abs(float(small["value"].sum())) > 1e-9:
        rest = pl.DataFrame({"seller": ["all others"], "bloc": ["rest"], "value": [float(small["value"].sum())]})
        big = pl.concat([big, rest])
    rank = {bloc: n for n, bloc in enumerate((*BLOC_ORDER, "rest"))}
    shade = {**BLOC_COLOURS, "rest": "#7d8791"}
    return (
        big.with_columns(
            order=pl.col("bloc").replace_strict(rank, return_dtype=pl.Int64),
            colour=pl.col("bloc").replace_strict(shade, return_dtype=pl.String),
        ).sort("order", -pl.col("value")),
        "million USD",
    )


def _blocs() -> dict[str, str]:
    """Bloc of every region of the shipped benchmark."""
    from backfill.economy.tables import load_vocabulary

    return dict(load_vocabulary().bloc)

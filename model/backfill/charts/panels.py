"""The panels of the overview besides the waterfall."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import polars as pl

from backfill.charts.theme import (
    BLOC_COLOURS,
    HEADER,
    HEIGHT,
    INK,
    ROUTE_COLOURS,
    RULE,
    SOFT,
    WIDTH,
    colours,
    columns,
    title,
)
from backfill.effects.rates import SMALLEST
from backfill.units import format_change, format_money, format_number, format_share

ROUTES = {
    "from us": "from the US",
    "from ally": "from US allies",
    "from partner": "from third countries",
    "diverted": "smuggled through hubs",
    "remote": "rented abroad",
    "own bloc": "own makers",
}
SELLERS = {"ally": "US allies", "partner": "third countries", "adversary": "adversary's own makers"}
SELLER_COLOURS = {name: BLOC_COLOURS[bloc] for bloc, name in SELLERS.items()}


def compute_by_route(table: pl.DataFrame, policy: str, reference: str, second: str | None = None) -> alt.FacetChart:
    """What the adversary acquires each period by route: the references beside the policy."""
    shown_worlds = [reference, *([second] if second else []), policy]
    acquired = columns(table, ["scenario", "period", "bloc", "route", "quantity", "value"])
    adversary = acquired.filter(pl.col("quantity") == "acquired", pl.col("bloc") == "adversary")
    sums = (
        adversary.with_columns(route=pl.col("route").replace(ROUTES), value=pl.col("value") / 1000)
        .group_by("scenario", "period", "route")
        .agg(pl.col("value").sum())
        .filter(pl.col("scenario").is_in(shown_worlds))
    )
    total = dict(sums.group_by("scenario").agg(pl.col("value").sum()).iter_rows())
    before, after = total.get(reference, 0.0), total.get(policy, 0.0)
    change = after / before - 1 if before > 0 else 0.0
    sentence = (
        f"The adversary acquires {format_share(abs(change))} {'less' if change < 0 else 'more'} compute over the period."
        if abs(change) > 5e-4
        else f"The adversary acquires as much compute over the period ({format_change(change, 2)})."
    )
    order = {name: n for n, name in enumerate(ROUTE_COLOURS)}
    data = columns(sums, ["scenario", "period", "route", "value"]).with_columns(
        order=pl.col("route").replace_strict(order, return_dtype=pl.Int64)
    )
    shown = data.filter(pl.col("value").sum().over("route") > 1e-9 * max(before, after, 1e-12))
    bars = (
        alt.Chart(shown)
        .mark_bar(width={"band": 0.82})
        .encode(
            x=alt.X("period:O").title(None).axis(labelAngle=-45, ticks=False, labelOverlap=True),
            y=alt.Y("value:Q").title(None).axis(format=",.6~g", tickCount=5),
            color=alt.Color("route:N").scale(colours(ROUTE_COLOURS, shown["route"].to_list())),
            order="order:Q",
            tooltip=[
                "scenario:N",
                "period:N",
                "route:N",
                alt.Tooltip("value:Q", format=",.4~r", title="thousand H100e"),
            ],
        )
        .properties(width=(WIDTH - 20 * (len(shown_worlds) - 1)) / len(shown_worlds), height=HEIGHT)
    )
    return bars.facet(
        column=alt.Column("scenario:N").sort(shown_worlds).header(title=None),
        spacing=20,
        title=title(sentence, "Accelerators acquired per period by route, thousand H100e", header=HEADER),
    )


def backfilling_by_seller(table: pl.DataFrame, policy: str, reference: str) -> alt.LayerChart | alt.FacetChart:
    """Who sells more, and who less, to the adversary than without the policy: rates by product group and bloc.

    Bars beyond `LONGEST` per cent are cut there and keep their true label: where the US sold little a rate can be anything.
    """
    every = _rates(table, policy, reference)
    shown = [name for name in GROUP_ORDER if name in set(every["product"].to_list())]
    data = every.filter(pl.col("product").is_in(shown), pl.col("value").is_not_null()).with_columns(
        product=pl.col("product").replace(PRODUCT_NAMES)
    )
    names = [name for group in shown if (name := PRODUCT_NAMES.get(group, group)) in set(data["product"].to_list())]
    hidden = [name for group in shown if (name := PRODUCT_NAMES.get(group, group)) not in names]
    subtitle = "Change in sales to the adversary, % of the fall in US sales"
    if (100 * data["value"].abs() > LONGEST).any():
        subtitle += f", cut at {LONGEST:.0f}%"
    if hidden:
        subtitle += f". Not shown, as US sales fall by less than {SMALLEST:.0%} or rise: {', '.join(hidden)}"
    if data.is_empty():
        return _nothing("US sales to the adversary hardly fall, so nobody backfills.", subtitle)
    most = data.sort("money")[-1].to_dicts()[0]
    sentence = (
        f"{_capital(most['seller'])} gain most: {format_money(most['money'])} of {most['product']}, "
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
        tooltip=["product:N", "seller:N", alt.Tooltip("value:Q", format=".1%", title="of the fall in US sales")],
    )
    right = base.transform_filter("datum.ahead").mark_text(align="left", dx=4, fontSize=10.5, color=INK)
    left = base.transform_filter("!datum.ahead").mark_text(align="right", dx=-4, fontSize=10.5, color=INK)
    texts = [mark.encode(x="percent:Q", y=y, yOffset=offset, text="label:N") for mark in (right, left)]
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=SOFT).encode(x="zero:Q")
    return alt.layer(bar, *texts, zero).properties(width=WIDTH, height=HEIGHT, title=title(sentence, subtitle))


LONGEST = 250.0


def _rates(table: pl.DataFrame, policy: str, reference: str) -> pl.DataFrame:
    """Rates by product and seller bloc with the money behind them (million USD)."""
    chosen = columns(
        table, ["scenario", "reference", "period", "origin", "destination", "product", "quantity", "value"]
    ).filter(
        pl.col("scenario") == policy,
        pl.col("reference") == reference,
        pl.col("period") == "all",
        pl.col("destination") == "adversary",
        pl.col("origin").is_in(list(SELLERS)),
    )
    money = chosen.filter(pl.col("quantity") == "change in sales, current value")
    rates = chosen.filter(pl.col("quantity") == "backfill rate, current value")
    joined = rates.join(
        money.select("origin", "product", pl.col("value").alias("money")),
        on=["origin", "product"],
        maintain_order="left",
    )
    return joined.with_columns(
        seller=pl.col("origin").replace(SELLERS),
        percent=(100 * pl.col("value")).clip(-LONGEST, LONGEST),
        ahead=pl.col("value") >= 0,
        label=pl.col("value").map_elements(lambda v: format_share(v, 0), return_dtype=pl.String),
    )


GROUP_ORDER = (
    "tools",
    "subsystems",
    "wafers_materials",
    "eda_ip",
    "minerals",
    "chips",
    "hbm",
    "logic_advanced",
    "accelerators",
)
PRODUCT_NAMES = {
    "tools": "chip-making tools",
    "subsystems": "tool subsystems",
    "wafers_materials": "wafers and materials",
    "eda_ip": "design software",
    "hbm": "HBM",
    "logic_advanced": "advanced logic",
}


def advanced_capacity(
    table: pl.DataFrame, policy: str, reference: str, second: str | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The adversary's advanced-logic capacity over time, with the policy and in its references."""
    worlds = [reference, *([second] if second else []), policy]
    data = (
        columns(table, ["scenario", "period", "bloc", "product", "quantity", "value"])
        .filter(
            pl.col("quantity") == "capacity",
            pl.col("product") == "logic_advanced",
            pl.col("bloc") == "adversary",
            pl.col("scenario").is_in(worlds),
        )
        .group_by("scenario", "period", maintain_order=True)
        .agg(pl.col("value").sum() / 1000)
        .sort("period")
    )
    subtitle = "Yearly capacity in billion USD of output at 2022 prices"
    if data.is_empty():
        return _nothing("The adversary has no planned capacity for advanced logic.", subtitle)
    last = data["period"].max()
    ends = dict(data.filter(pl.col("period") == last).select("scenario", "value").iter_rows())
    before, after = ends.get(reference, 0.0), ends.get(policy, 0.0)
    change = after / before - 1 if before > 0 else 0.0
    sentence = (
        f"By {last} the adversary's advanced-logic capacity is {format_share(abs(change))} {'lower' if change < 0 else 'higher'}."
        if abs(change) > 5e-4
        else f"The adversary's advanced-logic capacity in {last} is unchanged ({format_change(change, 2)})."
    )
    base = alt.Chart(columns(data, ["scenario", "period", "value"]))
    paint = {reference: SOFT, policy: BLOC_COLOURS["us"]} | ({second: BLOC_COLOURS["partner"]} if second else {})
    scale = alt.Scale(domain=worlds, range=[paint[name] for name in worlds])
    dashes = alt.Scale(domain=worlds, range=[[2, 3], [6, 3]][: len(worlds) - 1] + [[1, 0]])
    top = 1.1 * max(*data["value"].to_list(), 1e-12)
    line = base.mark_line(strokeWidth=2.5).encode(
        x=alt.X("period:O").title(None).axis(labelAngle=-45, ticks=False, labelOverlap=True),
        y=alt.Y("value:Q").title(None).axis(tickCount=5, format="~r").scale(domain=[0, top], nice=False),
        color=alt.Color("scenario:N").scale(scale).legend(None),
        strokeDash=alt.StrokeDash("scenario:N").scale(dashes).legend(None),
        tooltip=["scenario:N", "period:N", alt.Tooltip("value:Q", format=",.3~r", title="billion USD")],
    )
    end = data.filter(pl.col("period") == last).with_columns(
        label=pl.col("value").map_elements(format_number, return_dtype=pl.String) + "  " + pl.col("scenario")
    )
    placed = apart(dict(end.select("scenario", "value").iter_rows()), LABEL * top / HEIGHT)
    end = end.with_columns(at=pl.col("scenario").replace_strict(placed, return_dtype=pl.Float64))
    text = (
        alt.Chart(columns(end, ["scenario", "period", "at", "label"]))
        .mark_text(align="left", dx=6, fontSize=11)
        .encode(x="period:O", y="at:Q", text="label:N", color=alt.Color("scenario:N").scale(scale).legend(None))
    )
    room = LETTER * max(len(label) for label in end["label"])
    return alt.layer(line, text).properties(width=WIDTH - room, height=HEIGHT, title=title(sentence, subtitle))


LABEL, LETTER = 14, 6
"""Height of a label and width of a letter in pixels."""


def apart(values: Mapping[str, float], least: float) -> dict[str, float]:
    """Heights near the values, in their order, no two closer than ``least``."""
    placed: dict[str, float] = {}
    floor = -float("inf")
    for name, value in sorted(values.items(), key=lambda one: one[1]):
        placed[name] = floor = max(value, floor + least)
    return placed


def footer() -> alt.Chart:
    """Source and unit, under the page."""
    lines = [
        "Source: backfill, a coupled model of compute markets and suppliers; baseline data and their sources in data/baseline, "
        "versions and parameters in provenance.json.",
        "H100e: accelerators weighted by operations and memory bandwidth relative to one NVIDIA H100.",
    ]
    return (
        alt.Chart(pl.DataFrame({"text": ["\n".join(lines)]}))
        .mark_text(align="left", baseline="top", lineBreak="\n", fontSize=10.5, color=SOFT, lineHeight=15)
        .encode(text="text:N", x=alt.value(0), y=alt.value(0))
        .properties(width=2 * WIDTH, height=32)
    )


def _nothing(sentence: str, subtitle: str) -> alt.LayerChart | alt.FacetChart:
    blank = alt.Chart(pl.DataFrame({"text": ["nothing to draw"]})).mark_text(color=RULE).encode(text="text:N")
    return alt.layer(blank).properties(width=WIDTH, height=HEIGHT, title=title(sentence, subtitle))


def _capital(text: str) -> str:
    return text if text.startswith("US") else text[:1].upper() + text[1:]

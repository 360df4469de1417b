"""What the adversary acquires each period, by route."""

from __future__ import annotations

import altair as alt
import polars as pl

from backfill.charts.panel import Panel
from backfill.charts.theme import HEADER, HEIGHT, PAPER, ROUTE_COLOURS, WIDTH, colours, columns
from backfill.charts.words import measure, people
from backfill.units import format_change, format_share

ROUTES = {
    "from us": "from the US",
    "from ally": "from US allies",
    "from partner": "from third countries",
    "diverted": "smuggled through hubs",
    "remote": "rented abroad",
    "own bloc": "own makers",
}
SAME = 5e-4
"""A relative change smaller than this is told as none."""


def acquired(table: pl.DataFrame, worlds: list[str]) -> pl.DataFrame:
    """What the adversary acquires by scenario, period and route (H100e)."""
    every = columns(table, ["scenario", "period", "bloc", "route", "quantity", "value"])
    return (
        every.filter(pl.col("quantity") == "acquired", pl.col("bloc") == "adversary", pl.col("scenario").is_in(worlds))
        .with_columns(route=pl.col("route").replace(ROUTES))
        .group_by("scenario", "period", "route", maintain_order=True)
        .agg(pl.col("value").sum())
    )


def compute_by_route(
    table: pl.DataFrame, policy: str, reference: str, second: str | None = None, width: float = WIDTH
) -> Panel:
    """What the adversary acquires each period by route: the references beside the policy."""
    worlds = [reference, *([second] if second else []), policy]
    sums = acquired(table, worlds)
    total = dict(sums.group_by("scenario").agg(pl.col("value").sum()).iter_rows())
    before, after = total.get(reference, 0.0), total.get(policy, 0.0)
    change = after / before - 1 if before > 0 else 0.0
    sentence = (
        f"The adversary acquires {format_share(abs(change), 0)} {'less' if change < 0 else 'more'} compute over the period."
        if abs(change) > SAME
        else f"The adversary acquires as much compute over the period ({format_change(change, 2)})."
    )
    order = {name: n for n, name in enumerate(ROUTE_COLOURS)}
    stacks = sums.group_by("scenario", "period").agg(pl.col("value").sum())["value"]
    how = measure("H100e", stacks)
    data = columns(sums, ["scenario", "period", "route", "value"]).with_columns(
        order=pl.col("route").replace_strict(order, return_dtype=pl.Int64), value=pl.col("value") * how.factor
    )
    shown = data.filter(pl.col("value").sum().over("route") > 1e-9 * max(before, after, 1e-12) * how.factor)
    bars = (
        alt.Chart(shown)
        .mark_bar(width={"band": 0.86}, stroke=PAPER, strokeWidth=0.6)
        .encode(
            x=alt.X("period:O").title(None).axis(labelAngle=-45, ticks=False, labelOverlap=True),
            y=alt.Y("value:Q").title(None).axis(format=",.6~g", tickCount=5),
            color=alt.Color("route:N").scale(colours(ROUTE_COLOURS, shown["route"].to_list())),
            order="order:Q",
            tooltip=["scenario:N", "period:N", "route:N", alt.Tooltip("value:Q", format=",.3~r", title=how.unit)],
        )
        .properties(width=(width - 20 * (len(worlds) - 1)) / len(worlds), height=HEIGHT)
    )
    drawing = bars.facet(column=alt.Column("scenario:N").sort(worlds).header(title=None), spacing=20)
    subtitle = f"Accelerators acquired per period by route, {how.unit}: {policy} against {reference}"
    told = "; ".join(f"{world}: {people(total.get(world, 0.0), 'H100e')} in all" for world in worlds)
    return Panel(drawing, "Stacked bars", sentence, subtitle, told, HEADER)

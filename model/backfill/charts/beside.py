"""One page for several results: how much compute the adversary acquires in each world, and what each changes."""

from __future__ import annotations

from typing import Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panels import footer
from backfill.charts.theme import (
    GAIN,
    INK,
    LOSS,
    ROUTE_COLOURS,
    SOFT,
    TOTAL,
    WIDTH,
    colours,
    columns,
    themed,
    wrap,
)
from backfill.units import format_accelerators, format_number

ROUTE = "compute acquired, "
ROW = 26
"""Height of a bar with what lies between two, in pixels."""

CHANGES = {
    ("compute denied", "adversary"): ("Compute denied to the adversary", 1e-3, "thousand H100e", 1),
    ("capacity, logic_advanced", "adversary"): (
        "The adversary's advanced-logic capacity",
        1e-3,
        "billion USD of 2022",
        -1,
    ),
    ("welfare, present value", "US"): ("Welfare of the US", 1e-3, "billion USD, present value", 1),
    ("welfare, present value", "US allies"): ("Welfare of US allies", 1e-3, "billion USD, present value", 1),
    ("welfare, present value", "third countries"): (
        "Welfare of third countries",
        1e-3,
        "billion USD, present value",
        1,
    ),
    ("revenue lost, net of resale", "US"): ("Revenue that US exporters lose, net of resale", 1e-3, "billion USD", -1),
}
"""Headline numbers drawn: heading, scale, unit, and whether more of it (1) or less (-1) is drawn as a gain."""


class Compared(Protocol):
    """What is drawn of results side by side."""

    @property
    def reference(self) -> str: ...

    @property
    def worlds(self) -> tuple[str, ...]: ...

    @property
    def table(self) -> pl.DataFrame: ...


def beside(both: Compared) -> alt.VConcatChart:
    """Compute by route in every world, over small panels of changes from the reference."""
    panels = [
        panel for (quantity, where), about in CHANGES.items() if (panel := _changes(both, quantity, where, *about))
    ]
    rows = [alt.hconcat(*panels[n : n + 2], spacing=56) for n in range(0, len(panels), 2)]
    head = alt.TitleParams(
        text=wrap(f"{', '.join(both.worlds)}, compared with {both.reference}", 90),
        subtitle=wrap("Computed scenarios, not forecasts: every number rests on assumed elasticities.", 150),
        fontSize=20,
        subtitleFontSize=12.5,
        offset=24,
        color=INK,
        subtitleColor=SOFT,
    )
    chart = alt.vconcat(_by_route(both), *rows, footer(), spacing=44, title=head)
    return themed(chart.resolve_scale(color="independent"))


def page(both: Compared) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(beside(both), f"{', '.join(both.worlds)}, compared with {both.reference}")


def _by_route(both: Compared) -> alt.Chart | alt.LayerChart:
    """Stacked bars: what the adversary acquires over the whole horizon, by route, world by world."""
    chosen = both.table.filter(pl.col("quantity").str.starts_with(ROUTE))
    levels = {both.reference: "reference"} | {world: f"{world}: level" for world in both.worlds}
    data = pl.concat(
        [
            chosen.select(
                pl.lit(world).alias("world"),
                pl.col("quantity").str.strip_prefix(ROUTE).alias("route"),
                (pl.col(column).fill_null(0.0) / 1000).alias("value"),
            )
            for world, column in levels.items()
        ]
    ).with_columns(order=pl.col("route").replace_strict(dict(zip(ROUTE_COLOURS, range(9), strict=False))))
    total = dict(data.group_by("world").agg(pl.col("value").sum()).iter_rows())
    least = min(total, key=lambda world: total[world])
    sentence = (
        f"The adversary acquires least in {least}: {format_accelerators(total[least])}, "
        f"against {format_accelerators(total[both.reference])} in {both.reference}."
        if least != both.reference
        else f"No policy leaves the adversary with less compute than {both.reference}: {format_accelerators(total[least])}."
    )
    bars = alt.Chart(columns(data, ["world", "route", "value", "order"])).mark_bar()
    return bars.encode(
        x=alt.X("value:Q").title(None).axis(format=",.6~g", tickCount=6),
        y=_worlds(list(levels)),
        color=alt.Color("route:N").scale(colours(ROUTE_COLOURS, data["route"].to_list())),
        order="order:Q",
        tooltip=["world:N", "route:N", alt.Tooltip("value:Q", format=",.4~r", title="thousand H100e")],
    ).properties(
        width=2 * WIDTH,
        height=ROW * len(levels),
        title=_heading(sentence, f"Accelerators acquired {chosen['period'][0]} by route, thousand H100e"),
    )


def _changes(
    both: Compared, quantity: str, where: str, heading: str, scale: float, unit: str, better: int
) -> alt.LayerChart | alt.FacetChart | None:
    """Bars of one number's change, world by world, with its range where there is one; None if no world has it."""
    found = both.table.filter((pl.col("quantity") == quantity) & (pl.col("where") == where))
    rows = [
        (world, *(None if (x := row.get(f"{world}: {c}")) is None else scale * x for c in ("change", "low", "high")))
        for row in found.iter_rows(named=True)
        for world in both.worlds
    ]
    schema = {"world": pl.String, "change": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    data = pl.DataFrame(rows, schema=schema, orient="row").drop_nulls("change")
    if data.is_empty():
        return None
    data = data.with_columns(
        kind=pl.when(pl.col("change") == 0).then(0).otherwise((pl.col("change") * better).sign().cast(pl.Int64)),
        label=pl.col("change").map_elements(format_number, return_dtype=pl.String),
        ahead=pl.col("change") >= 0,
    )
    base = alt.Chart(columns(data, ["world", "change", "low", "high", "kind", "label", "ahead"]))
    y = _worlds(list(both.worlds))
    paint = alt.Scale(domain=[-1, 0, 1], range=[LOSS, TOTAL, GAIN])
    bar = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("change:Q").title(None).axis(format=",.6~g", tickCount=5).scale(padding=56, nice=True),
        y=y,
        color=alt.Color("kind:O").scale(paint).legend(None),
        tooltip=["world:N", alt.Tooltip("change:Q", format=",.4~r", title=unit)],
    )
    spread = base.transform_filter("isValid(datum.low)").mark_rule(color=INK, strokeWidth=1.5)
    right = base.transform_filter("datum.ahead").mark_text(align="left", dx=4, fontSize=10.5, color=INK)
    left = base.transform_filter("!datum.ahead").mark_text(align="right", dx=-4, fontSize=10.5, color=INK)
    texts = [mark.encode(x="change:Q", y=y, text="label:N") for mark in (right, left)]
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=SOFT).encode(x="zero:Q")
    layers = [bar, spread.encode(x="low:Q", x2="high:Q", y=y), *texts, zero]
    period = found["period"][0]
    return alt.layer(*layers).properties(
        width=WIDTH - 120, height=ROW * len(both.worlds), title=_heading(heading, f"Change, {unit}, {period}")
    )


def _heading(sentence: str, subtitle: str) -> alt.TitleParams:
    return alt.TitleParams(text=wrap(sentence, 110), subtitle=[subtitle], offset=12)


def _worlds(names: list[str]) -> alt.Y:
    return alt.Y("world:N").sort(names).title(None).axis(ticks=False, labelPadding=8, labelLimit=200)

"""One page for several results: how much compute the adversary acquires in each world, and what each changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panel import NothingToDraw, Panel, bar_labels, page_foot, source
from backfill.charts.theme import (
    GAIN,
    INK,
    LOSS,
    PAPER,
    ROUTE_COLOURS,
    TOTAL,
    WIDTH,
    colours,
    columns,
    page_title,
    rule_at_zero,
    themed,
)
from backfill.charts.words import capital, measure, people

ROUTE = "compute acquired, "
ROW = 26
"""Height of a bar with what lies between two, in pixels."""

CHANGES = {
    ("compute denied", "adversary"): ("Compute denied to the adversary", 1),
    ("capacity, logic_advanced", "adversary"): ("The adversary's advanced-logic capacity", -1),
    ("welfare, present value", "US"): ("Welfare of the US, present value", 1),
    ("welfare, present value", "US allies"): ("Welfare of US allies, present value", 1),
    ("welfare, present value", "third countries"): ("Welfare of third countries, present value", 1),
    ("revenue lost, net of resale", "US"): ("Revenue that US exporters lose, net of resale", -1),
}
"""Headline numbers drawn: heading, and whether more of it (1) or less (-1) is drawn as a gain."""


class Compared(Protocol):
    """What is drawn of results side by side."""

    @property
    def reference(self) -> str: ...

    @property
    def worlds(self) -> tuple[str, ...]: ...

    @property
    def table(self) -> pl.DataFrame: ...

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def beside(both: Compared) -> alt.VConcatChart:
    """Compute by route in every world, over small panels of changes from the reference."""
    first = by_route(both, 2 * WIDTH)
    panels = [first, *(changes(both, *which, WIDTH - 120) for which in CHANGES if _has(both, *which))]
    drawn = [panel.on_page() for panel in panels[1:]]
    rows = [alt.hconcat(*drawn[n : n + 2], spacing=56) for n in range(0, len(drawn), 2)]
    apart = both.provenance.get("apart") or []
    differ = f" Set apart not by measures alone: {'; '.join(apart)}." if apart else ""
    head = page_title(
        f"{', '.join(both.worlds)}, compared with {both.reference}",
        f"Computed scenarios, not forecasts: every number rests on assumed elasticities.{differ}",
    )
    told = " ".join(panel.description() for panel in panels)
    chart = alt.vconcat(first.on_page(), *rows, spacing=44, title=head, description=told)
    return themed(page_foot(chart.resolve_scale(color="independent"), foot(both)))


def page(both: Compared) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(beside(both), f"{', '.join(both.worlds)}, compared with {both.reference}")


def foot(both: Compared) -> list[str]:
    """The footer of charts of a comparison."""
    return source(*both.provenance.get("of", {}).values(), compute=True)


def by_route(both: Compared, width: float = WIDTH) -> Panel:
    """Stacked bars: what the adversary acquires over the whole horizon, by route, world by world."""
    chosen = both.table.filter(pl.col("quantity").str.starts_with(ROUTE))
    if chosen.is_empty():
        raise NothingToDraw("no compute acquired by route to draw in the comparison")
    levels = {both.reference: "reference"} | {world: f"{world}: level" for world in both.worlds}
    data = pl.concat(
        [
            chosen.select(
                pl.lit(world).alias("world"),
                pl.col("quantity").str.strip_prefix(ROUTE).alias("route"),
                pl.col(column).fill_null(0.0).alias("value"),
            )
            for world, column in levels.items()
        ]
    ).with_columns(order=pl.col("route").replace_strict(dict(zip(ROUTE_COLOURS, range(9), strict=False))))
    total = dict(data.group_by("world").agg(pl.col("value").sum()).iter_rows())
    how = measure("H100e", total.values())
    data = data.with_columns(pl.col("value") * how.factor)
    least = min(total, key=lambda world: total[world])
    sentence = (
        f"The adversary acquires least in {least}: {people(total[least], 'H100e')}, "
        f"against {people(total[both.reference], 'H100e')} in {both.reference}."
        if least != both.reference
        else f"No policy leaves the adversary with less compute than {both.reference}: {people(total[least], 'H100e')}."
    )
    y, top = _worlds(list(levels)), 1.08 * max(total.values()) * how.factor
    bars = alt.Chart(columns(data, ["world", "route", "value", "order"])).mark_bar(stroke=PAPER, strokeWidth=0.6).encode(
        x=alt.X("value:Q").title(None).axis(format=",.6~g", tickCount=6).scale(domain=[0, top], nice=False),
        y=y,
        color=alt.Color("route:N").scale(colours(ROUTE_COLOURS, data["route"].to_list())),
        order="order:Q",
        tooltip=["world:N", "route:N", alt.Tooltip("value:Q", format=",.3~r", title=how.unit)],
    )  # fmt: skip
    rows = [(world, value * how.factor, how.label(value)) for world, value in total.items()]
    ends = alt.Chart(pl.DataFrame(rows, schema=["world", "value", "label"], orient="row"))
    text = ends.mark_text(align="left", dx=5, fontSize=10.5, color=INK).encode(x="value:Q", y=y, text="label:N")
    drawing = alt.layer(bars, text).properties(width=width, height=ROW * len(levels))
    subtitle = f"Accelerators acquired {chosen['period'][0]} by route, {how.unit}"
    told = "; ".join(f"{world} {label}" for world, _, label in rows)
    return Panel(drawing, "Stacked bars", sentence, subtitle, f"In {how.unit}: {told}")


def _has(both: Compared, quantity: str, where: str) -> bool:
    found = both.table.filter((pl.col("quantity") == quantity) & (pl.col("where") == where))
    return any(found[f"{world}: change"].is_not_null().any() for world in both.worlds)


def changes(both: Compared, quantity: str, where: str, width: float = WIDTH) -> Panel:
    """Bars of one number's change, world by world, with its range where there is one.

    Args:
        both: results side by side.
        quantity, where: a row of the table.
        width: in pixels.

    Raises:
        NothingToDraw: no world has the number; says which there are.
    """
    if not _has(both, quantity, where):
        known = [f"{row[0]}, {row[1]}" for row in both.table.select("quantity", "where").iter_rows()]
        raise NothingToDraw(f"no change of {quantity!r} in {where!r} to draw; there are {'; '.join(known)}")
    heading, better = CHANGES.get((quantity, where), (f"{capital(quantity)}, {where}", 0))
    found = both.table.filter((pl.col("quantity") == quantity) & (pl.col("where") == where))
    rows = [
        (world, *(row.get(f"{world}: {c}") for c in ("change", "low", "high")))
        for row in found.iter_rows(named=True)
        for world in both.worlds
    ]
    schema = {"world": pl.String, "change": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    data = pl.DataFrame(rows, schema=schema, orient="row").drop_nulls("change")
    unit = str(found["unit"][0])
    how = measure(unit, [*data["change"], *data["low"], *data["high"]])
    most = data.sort(pl.col("change").abs())["world"][-1]
    data = data.with_columns(
        kind=pl.when(pl.col("change") == 0).then(0).otherwise((pl.col("change") * better).sign().cast(pl.Int64)),
        label=pl.col("change").map_elements(lambda v: how.label(v, 2, signed=True), return_dtype=pl.String),
        told=pl.col("change").map_elements(lambda v: people(v, unit), return_dtype=pl.String),
        ahead=pl.col("change") >= 0,
    ).with_columns(pl.col("change", "low", "high") * how.factor)
    data = data.with_columns(
        end=pl.when("ahead").then(pl.max_horizontal("change", "high")).otherwise(pl.min_horizontal("change", "low"))
    )
    base = alt.Chart(columns(data, ["world", "change", "low", "high", "end", "kind", "label", "ahead"]))
    y = _worlds(list(both.worlds))
    paint = alt.Scale(domain=[-1, 0, 1], range=[LOSS, TOTAL, GAIN])
    bar = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("change:Q").title(None).axis(format=",.6~g", tickCount=5).scale(padding=56, nice=True),
        y=y,
        color=alt.Color("kind:O").scale(paint).legend(None),
        tooltip=["world:N", alt.Tooltip("label:N", title=how.unit)],
    )
    spread = base.transform_filter("isValid(datum.low)").mark_rule(color=INK, strokeWidth=1.5)
    layers = [bar, spread.encode(x="low:Q", x2="high:Q", y=y), *bar_labels(base, "end:Q", y), rule_at_zero()]
    drawing = alt.layer(*layers).properties(width=width, height=ROW * len(both.worlds))
    subtitle = f"Change from {both.reference}, {how.unit}, {found['period'][0]}"
    sentence = heading if len(both.worlds) < 2 else f"{heading}: most changed by {most}"
    told = "; ".join(f"{row['world']} {row['told']}" for row in data.iter_rows(named=True))
    return Panel(drawing, "Diverging bars", sentence, subtitle, told)


def _worlds(names: list[str]) -> alt.Y:
    return alt.Y("world:N").sort(names).title(None).axis(ticks=False, labelPadding=8, labelLimit=200)

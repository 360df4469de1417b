"""One page for a sweep: heat maps of effects over two levers, else what each axis moves and how effects spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panel import NothingToDraw, Panel, page_foot, source
from backfill.charts.theme import GAIN, HEIGHT, LOSS, NEUTRAL, RULE, SERIES, SOFT, WIDTH, columns, page_title, themed
from backfill.charts.words import capital

CAVEAT = "Computed scenarios, not forecasts: every number rests on assumed elasticities."
ENDS = {"lowest tenth": SERIES[1], "highest tenth": SERIES[0]}
HEADLINES = (
    ("compute denied", "adversary", "accelerators"),
    ("equivalent variation", "us", "all"),
    ("welfare, present value", "us", "all"),
    ("equivalent variation", "ally", "all"),
    ("welfare, present value", "ally", "all"),
    ("change in sales to the adversary", "all but the US", "tools"),
    ("change in sales to the adversary", "ally", "tools"),
    ("change in fiscal revenue", "us", "all"),
)
"""Effects that are drawn, as far as there are any: quantity, where, product."""
MOST = 4


class Drawn(Protocol):
    """What is drawn of a sweep."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def mode(self) -> str: ...

    @property
    def axes(self) -> Sequence[str]: ...

    @property
    def scenarios(self) -> pl.LazyFrame: ...

    @property
    def effects(self) -> pl.LazyFrame: ...

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def page(sweep: Drawn, effects: Sequence[tuple[str, str, str]] = ()) -> str:
    """The charts as one HTML page that opens without a network."""
    with alt.data_transformers.disable_max_rows():
        return page_of(sweep_chart(sweep, effects), sweep.title or sweep.name)


def sweep_chart(sweep: Drawn, effects: Sequence[tuple[str, str, str]] = ()) -> alt.VConcatChart:
    """Heat maps over two levers that form a grid, else ranges by axis.

    Args:
        sweep: as read.
        effects: quantity, where and product of what is drawn; headlines, and effects on regions that levers name, if empty.
    """
    table = drawn(sweep, effects)
    moving = [name for name in sweep.axes if table[name].n_unique() > 1]
    kinds = table.select("quantity", "where", "product").unique(maintain_order=True).rows()[:MOST]
    panels = []
    for quantity, where, product in kinds:
        own = table.filter(
            (pl.col("quantity") == quantity) & (pl.col("where") == where) & (pl.col("product") == product)
        )
        grid = len(moving) == 2 and own.height == own[moving[0]].n_unique() * own[moving[1]].n_unique()
        panels.append(heat_map(own, moving[0], moving[1]) if grid else by_axis(own, moving))
    shown = [panel.on_page() for panel in panels]
    rows = [
        alt.hconcat(*shown[n : n + 2], spacing=56).resolve_scale(color="independent", stroke="independent")
        for n in range(0, len(shown), 2)
    ]
    solved = table["scenario"].n_unique()
    year = table["period"][0]
    when = "all periods" if year == "all" else year
    told = f"{solved:,} scenarios, {when}, each beside {sweep.provenance['reference']}. {CAVEAT}"
    head = page_title(sweep.title or sweep.name, told)
    described = " ".join(panel.description() for panel in panels)
    chart = alt.vconcat(*rows, spacing=44, title=head, description=described)
    independent = chart.resolve_scale(color="independent", stroke="independent")
    foot = page_foot(independent, source(sweep.provenance, compute=True))
    return themed(foot.resolve_scale(color="independent", stroke="independent"))


def drawn(sweep: Drawn, effects: Sequence[tuple[str, str, str]] = ()) -> pl.DataFrame:
    """Effects that are drawn, with the axes beside them; of several periods all together, else the last.

    Raises:
        NothingToDraw: nothing is solved, or there is no such effect.
    """
    wanted = list(effects) or [*HEADLINES[:2], *_own(sweep), *HEADLINES[2:]]
    order = pl.DataFrame(wanted, schema=["quantity", "where", "product"], orient="row").with_row_index("order").lazy()
    solved = sweep.scenarios.filter(pl.col("status") == "solved").select("scenario", "number", *sweep.axes)
    found = sweep.effects.join(order, on=["quantity", "where", "product"]).join(solved, on="scenario").collect()
    if found.is_empty():
        raise NothingToDraw("the sweep has none of the effects to be drawn; nothing is solved, or others are meant")
    best = pl.when(pl.col("period") == "all").then(pl.lit("9999")).otherwise(pl.col("period"))
    last = found.with_columns(best=best).filter(
        pl.col("best") == pl.col("best").max().over("quantity", "where", "product")
    )
    return last.drop("best").sort("order", "number")


def _own(sweep: Drawn) -> list[tuple[str, str, str]]:
    """Welfare of the one region that a lever's measure names, if it is an ally or a third country."""
    import tomllib

    file = tomllib.loads(getattr(sweep, "file", ""))
    moved = {name for lever in file.get("sweep", {}).get("levers", []) for name in lever["measure"]}
    regions = [
        one.get(key)
        for one in file.get("measures", [])
        if one.get("name") in moved
        for key in ("region", "targets")
        if len(one.get(key) or []) == 1
    ]
    own = dict.fromkeys(region[0] for region in regions)
    return [
        (quantity, region, "all") for region in own for quantity in ("equivalent variation", "welfare, present value")
    ]


def heat_map(table: pl.DataFrame, across: str, up: str) -> Panel:
    """An effect over a grid of two axes; teal is more, red less than nothing."""
    factor, unit = _scaled(table["unit"][0])
    data = table.select(
        pl.col(across).alias("x"), pl.col(up).alias("y"), (pl.col("value") * factor).round_sig_figs(5).alias("value")
    )
    xs, ys = (data[name].unique().sort().to_list() for name in ("x", "y"))
    cells = {}
    for name, values in (("x", xs), ("y", ys)):
        edges = _edges(values)
        for end, side in ((name + "1", edges[:-1]), (name + "2", edges[1:])):
            cells[end] = pl.col(name).replace_strict(values, side, return_dtype=pl.Float64)
    data = data.with_columns(**cells)
    low, high = float(data["value"].min()), float(data["value"].max())  # type: ignore[arg-type]
    if low < 0 < high:
        size = max(-low, high)
        paint = alt.Scale(domain=[-size, 0, size], range=[LOSS, NEUTRAL, GAIN], interpolate="rgb")
    else:
        ends = [NEUTRAL, GAIN] if high > 0 else [LOSS, NEUTRAL]
        paint = alt.Scale(domain=[low, high], range=ends, interpolate="rgb")
    legend = alt.Legend(
        orient="right",
        gradientLength=HEIGHT - 60,
        format="~s" if unit == "H100e" else ",.3~r",
        title=None,
    )
    percent = {name: max(values) <= 1 and min(values) >= 0 for name, values in ((across, xs), (up, ys))}
    chart = alt.Chart(columns(data, ["x", "y", "x1", "y1", "x2", "y2", "value"]))
    marks = chart.mark_rect(strokeWidth=0.5).encode(
        x=alt.X("x1:Q")
        .title(across)
        .scale(nice=False, zero=False)
        .axis(format="%" if percent[across] else "~r", tickCount=6),
        x2="x2:Q",
        y=alt.Y("y1:Q").title(up).scale(nice=False, zero=False).axis(format="%" if percent[up] else "~r", tickCount=6),
        y2="y2:Q",
        color=alt.Color("value:Q").scale(paint).legend(legend),
        stroke=alt.Stroke("value:Q").scale(paint).legend(None),
        tooltip=[
            alt.Tooltip("x:Q", title=across, format=".3~r"),
            alt.Tooltip("y:Q", title=up, format=".3~r"),
            alt.Tooltip("value:Q", title=unit, format=",.4~r"),
        ],
    )
    extreme = data.sort(pl.col("value").abs())[-1]
    at = [_value(float(extreme[word][0]), percent[name]) for word, name in (("x", across), ("y", up))]
    sentence = (
        f"{_named(table)} is {_short(float(extreme['value'][0]))} {unit} where {across} is {at[0]} and {up} {at[1]}."
    )
    told = f"{capital(unit)}, from {_short(low)} to {_short(high)} over the grid"
    drawing = alt.layer(marks).properties(width=WIDTH - 70, height=HEIGHT)
    return Panel(drawing, "Heat map", sentence, told)


def _edges(values: Sequence[float]) -> list[float]:
    """Ends of cells around values: half way to the neighbours, at the outermost values themselves."""
    middles = [0.5 * (a + b) for a, b in zip(values[:-1], values[1:], strict=True)]
    return [values[0], *middles, values[-1]]


def _value(value: float, percent: bool) -> str:
    return f"{100 * value:.3g}%" if percent else f"{value:.3g}"


def by_axis(table: pl.DataFrame, moving: Sequence[str]) -> Panel:
    """An effect's mean over the lowest and the highest tenth of each axis, and the middle half of all scenarios."""
    factor, unit = _scaled(table["unit"][0])
    rows = []
    for name in moving:
        for end, share in zip(ENDS, (0.1, 0.9), strict=True):
            edge = table[name].quantile(share, "lower")
            part = table.filter(pl.col(name) <= edge if share < 0.5 else pl.col(name) >= edge)
            rows.append((name, end, float(part["value"].mean()) * factor, float(part[name].mean())))  # type: ignore[arg-type]
    data = pl.DataFrame(rows, schema=["axis", "end", "value", "at"], orient="row")
    spans = data.group_by("axis").agg((pl.col("value").max() - pl.col("value").min()).alias("span"))
    order = spans.sort("span", descending=True)["axis"].to_list()
    quarters = [float(table["value"].quantile(q) or 0.0) * factor for q in (0.25, 0.5, 0.75)]
    base = alt.Chart(columns(data, ["axis", "end", "value", "at"]))
    y = alt.Y("axis:N").sort(order).title(None).axis(ticks=False, domain=False, labelLimit=180)
    x = alt.X("value:Q").title(None).scale(zero=False).axis(tickCount=5, format=",.3~r")
    paint = alt.Color("end:N").scale(domain=list(ENDS), range=list(ENDS.values()))
    band = (
        alt.Chart(pl.DataFrame({"a": [quarters[0]], "b": [quarters[2]]}))
        .mark_rect(color=RULE, opacity=0.5)
        .encode(x="a:Q", x2="b:Q")
    )
    middle = alt.Chart(pl.DataFrame({"m": [quarters[1]]})).mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x="m:Q")
    line = base.mark_line(color=SOFT).encode(x=x, y=y, detail="axis:N")
    tip = ["axis:N", "end:N", alt.Tooltip("value:Q", format=",.4~r", title=unit), alt.Tooltip("at:Q", format=".3~r")]
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(x=x, y=y, color=paint, tooltip=tip)
    name = _named(table)
    told = f"{name}, {unit}: mean over each axis's lowest and highest tenth; band: middle half of all scenarios"
    moves = bool(order) and float(spans["span"].max()) > 0  # type: ignore[arg-type]
    sentence = f"{name}: {order[0]} moves it most." if moves else f"{name}: no lever moves it."
    drawing = alt.layer(band, middle, line, dots).properties(width=WIDTH - 130, height=max(44 * len(order), 90))
    return Panel(drawing, "Dots", sentence, told)


_PLACES = {
    "us": "the United States",
    "ally": "US allies",
    "partner": "third countries",
    "adversary": "the adversary",
    "world": "the world",
}


def _named(table: pl.DataFrame) -> str:
    quantity, where, product = table.select("quantity", "where", "product").row(0)
    shown = "" if product in ("all", "accelerators") else f", {product}"
    return capital(f"{quantity} of {_PLACES.get(where, where)}{shown}")


def _scaled(unit: str) -> tuple[float, str]:
    """Factor and unit in which people read a quantity."""
    if unit.startswith("million USD"):
        return 1e-3, unit.replace("million USD", "billion USD")
    return (1e-3, "thousand H100e") if unit == "H100e" else (1.0, unit)


def _short(value: float) -> str:
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", "−")

"""Charts of a sweep: each takes what `load_sweep` gives and stands alone in a column.

A sweep holds lazy tables: ``scenarios`` with columns scenario, number, status, reason and one a lever; ``effects`` with scenario,
period, quantity, where, product, unit, value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts import swings
from backfill.charts.panel import NothingToDraw, Panel, inner, source
from backfill.charts.theme import COLUMN, HEIGHT, INK, PADDING, PAPER, SERIES, TOTAL, columns, room
from backfill.charts.words import capital, measure, people

Number = tuple[str, str] | tuple[str, str, str]
"""A number of a sweep: its quantity, where it is, and of which product if there are several."""

FULL = COLUMN - 2 * PADDING - 40
ABOUT = ("scenario", "number", "status", "reason")
"""Columns of ``scenarios`` that are not levers."""
BINS = 16
"""Steps of a lever with more values than this, in a heat map or a response."""
TIED = 1e-4
"""Scenarios that are better by less than this share of the span do not make a frontier."""
MOST_DOTS = 4000
WELFARE = (("welfare, present value", "us"), ("equivalent variation", "us"), ("welfare, present value", "US"))
"""What is drawn along a frontier unless something else is asked for: the first that there is."""
SHADES = ("#eef3f8", "#9fc3e4", "#3f7fb8", "#0b3f82")


class Swept(Protocol):
    """What is drawn of a sweep."""

    @property
    def scenarios(self) -> pl.LazyFrame: ...

    @property
    def effects(self) -> pl.LazyFrame: ...


def levers_of(sweep: Swept) -> list[str]:
    """Names of the levers that take more than one value."""
    frame = sweep.scenarios.collect()
    return [name for name in frame.columns if name not in ABOUT and frame[name].n_unique() > 1]


def numbers_of(sweep: Swept) -> list[tuple[str, str]]:
    """Quantities of a sweep and where they are."""
    return list(sweep.effects.select("quantity", "where").unique(maintain_order=True).collect().iter_rows())


def _values(
    sweep: Swept, quantity: str, where: str, period: str | None, product: str | None
) -> tuple[pl.DataFrame, str, str]:
    """One number of every scenario that was solved beside its levers; its unit and period."""
    effects = columns(sweep.effects.collect(), ["scenario", "period", "quantity", "where", "product", "unit", "value"])
    found = effects.filter(pl.col("quantity") == quantity, pl.col("where") == where, pl.col("value").is_not_null())
    if found.is_empty():
        known = "; ".join(f"{q}, {w}" for q, w in numbers_of(sweep))
        raise NothingToDraw(f"no {quantity!r} in {where!r} to draw; there are {known or 'none'}")
    periods = sorted(set(found["period"]), key=lambda one: (len(one), one))
    whole = [one for one in periods if one == "all" or "-" in one]
    chosen = period or (whole[-1] if whole else periods[-1])
    if chosen not in periods:
        raise NothingToDraw(f"no period {chosen!r} to draw; there are {', '.join(periods)}")
    rows = found.filter(pl.col("period") == chosen)
    products = rows["product"].unique(maintain_order=True).to_list()
    wanted = product or ("all" if "all" in products else products[0] if len(products) == 1 else None)
    if wanted not in products:
        raise NothingToDraw(f"name a product for {quantity} ({where}) with product=; there are {', '.join(products)}")
    rows = rows.filter(pl.col("product") == wanted)
    values = rows.select("scenario", "value")
    frame = sweep.scenarios.collect().join(values, on="scenario", how="inner", maintain_order="left")
    if frame.is_empty():
        raise NothingToDraw("no scenario of the sweep was solved, so that there is nothing to draw")
    return frame, str(rows["unit"][0]), chosen


def _lever(sweep: Swept, name: str) -> str:
    known = levers_of(sweep)
    if name not in known:
        raise NothingToDraw(f"no lever {name!r} that varies; there are {', '.join(known) or 'none'}")
    return name


def _stepped(frame: pl.DataFrame, lever: str) -> tuple[pl.Series, list[str]]:
    """A lever as labels in order: its values or, where there are many, steps of equal width."""
    column = frame[lever]
    if not column.dtype.is_numeric() or column.n_unique() <= BINS:
        values = column.drop_nulls().unique().sort().to_list()
        digits = next(n for n in range(3, 18) if len({_written(one, n) for one in values}) == len(values))
        return column.map_elements(lambda one: _written(one, digits), return_dtype=pl.String), [
            _written(one, digits) for one in values
        ]
    low, high = float(column.min()), float(column.max())  # type: ignore[arg-type]
    step = ((column - low) / (high - low) * BINS).floor().clip(0, BINS - 1)
    middle = low + (step + 0.5) * (high - low) / BINS
    order = [f"{low + (n + 0.5) * (high - low) / BINS:.3g}" for n in range(BINS)]
    return middle.map_elements(lambda v: f"{v:.3g}", return_dtype=pl.String), order


def _written(value: object, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def two_levers(
    sweep: Swept,
    x: str,
    y: str,
    quantity: str = "compute denied",
    where: str = "adversary",
    period: str | None = None,
    product: str | None = None,
) -> alt.VConcatChart:
    """Heat map: a number by two levers of a sweep, the mean over the others.

    Args:
        sweep: a sweep.
        x, y: levers.
        quantity, where: the number.
        period: one period; the whole horizon if None.
        product: of the number; that of all together if None.

    Raises:
        NothingToDraw: there is no such lever, number or period; says which there are.
    """
    frame, unit, when = _values(sweep, quantity, where, period, product)
    for lever in (x, y):
        _lever(sweep, lever)
    across, across_order = _stepped(frame, x)
    up, up_order = _stepped(frame, y)
    cells = (
        frame.with_columns(across=across, up=up)
        .group_by("across", "up", maintain_order=True)
        .agg(pl.col("value").mean(), scenarios=pl.len())
    )
    how = measure(unit, cells["value"])
    low, high = float(cells["value"].min()), float(cells["value"].max())  # type: ignore[arg-type]
    cells = cells.with_columns(
        label=pl.col("value").map_elements(lambda v: how.label(v, 3), return_dtype=pl.String),
        shade=(pl.col("value") - low) / max(high - low, 1e-300),
    ).with_columns(dark=pl.col("shade") > 0.55)
    base = alt.Chart(columns(cells, ["across", "up", "value", "label", "shade", "dark", "scenarios"]))
    horizontal = (
        alt.X("across:N")
        .sort(across_order)
        .title(x)
        .axis(labelAngle=0 if len(across_order) <= 10 else -45, ticks=False, domain=False)
    )
    vertical = alt.Y("up:N").sort(up_order[::-1]).title(y).axis(ticks=False, domain=False)
    paint = alt.Color("shade:Q").scale(domain=[0, 1 / 3, 2 / 3, 1], range=list(SHADES), interpolate="rgb").legend(None)
    rects = base.mark_rect(stroke=PAPER).encode(
        x=horizontal, y=vertical, color=paint,
        tooltip=[alt.Tooltip("across:N", title=x), alt.Tooltip("up:N", title=y), alt.Tooltip("label:N", title=how.unit),
                 "scenarios:Q"],
    )  # fmt: skip
    ink = alt.condition("datum.dark", alt.value(PAPER), alt.value(INK))
    size = 10.5 if len(across_order) <= 12 else 9
    text = base.mark_text(fontSize=size).encode(x=horizontal, y=vertical, text="label:N", color=ink)
    best = cells.sort("value").row(-1, named=True)
    where_best = f"{x} at {best['across']} and {y} at {best['up']}"
    sentence = f"{capital(quantity)} is largest, {people(best['value'], unit)}, with {where_best}."
    drawing = alt.layer(rects, text).properties(
        width=inner([*up_order, "  "]) - 20, height=max((34 if len(up_order) <= 8 else 22) * len(up_order), 120)
    )
    spread = "" if cells["scenarios"].max() == 1 else ", mean over the other levers"
    subtitle = f"{capital(quantity)}, {where}, {when}, {how.unit}{spread}; darker: more"
    told = f"From {people(low, unit)} to {people(high, unit)}"
    return Panel(drawing, "Heat map", sentence, subtitle, told).alone(_foot(sweep, quantity))


def sweep_tornado(
    sweep: Swept,
    quantity: str = "compute denied",
    where: str = "adversary",
    period: str | None = None,
    product: str | None = None,
) -> alt.VConcatChart:
    """Tornado: the mean of a number where each lever is at its lowest and at its highest, the widest first.

    A lever with many values is taken at its lowest and highest sixteenth. Arguments as of `two_levers`.
    """
    frame, unit, when = _values(sweep, quantity, where, period, product)
    rows = []
    for lever in levers_of(sweep):
        steps, order = _stepped(frame, lever)
        means = dict(frame.with_columns(step=steps).group_by("step").agg(pl.col("value").mean()).iter_rows())
        there = [step for step in order if step in means]
        rows.append((lever.replace("_", " "), means[there[0]], means[there[-1]]))
    data = pl.DataFrame(rows, schema={"name": pl.String, "low": pl.Float64, "high": pl.Float64}, orient="row")
    if data.is_empty():
        raise NothingToDraw("no lever of the sweep varies, so that there is nothing to draw")
    mean = float(frame["value"].mean())  # type: ignore[arg-type]
    subtitle = f"{capital(quantity)}, {where}, {when}: mean over {frame.height:,} scenarios by the ends of each lever"
    return swings.tornado(data, mean, unit, quantity, subtitle, "lever").alone(_foot(sweep, quantity))


def sweep_frontier(
    sweep: Swept,
    gain: Number = ("compute denied", "adversary"),
    cost: Number | None = None,
    period: str | None = None,
    *,
    less: bool = False,
) -> alt.VConcatChart:
    """Scatter: two numbers of every scenario, and the frontier of those that no other beats in both.

    Args:
        sweep: a sweep.
        gain: (quantity, where), or with a product third, drawn upwards; more is better.
        cost: the same, drawn along; welfare of the US if None.
        period: one period; the whole horizon if None.
        less: whether less of the second is better, as of a cost.

    Raises:
        NothingToDraw: there is no such number or period.
    """
    cost = cost or next((one for one in WELFARE if one in numbers_of(sweep)), WELFARE[0])
    up, unit, when = _values(sweep, gain[0], gain[1], period, gain[2] if len(gain) == 3 else None)
    along, along_unit, _ = _values(sweep, cost[0], cost[1], period, cost[2] if len(cost) == 3 else None)
    both = (
        up.select("scenario", gain="value")
        .join(along.select("scenario", cost="value"), on="scenario")
        .sort("cost", "gain", descending=[not less, True])
    )
    if both.is_empty():
        raise NothingToDraw("no scenario has both numbers, so that there is nothing to draw")
    least = TIED * float(both["gain"].max() - both["gain"].min())  # type: ignore[operator]
    best, rows = -float("inf"), []
    for gained in both["gain"]:
        rows.append(gained > best + least)
        best = gained if rows[-1] else best
    both = both.with_columns(best=pl.Series(rows))
    how, per = measure(unit, both["gain"]), measure(along_unit, both["cost"])
    ends = both.filter("best")
    others = both.filter(~pl.col("best"))
    shown = pl.concat([ends, others.sample(min(others.height, MOST_DOTS), seed=0)]).with_columns(
        pl.col("gain") * how.factor, pl.col("cost") * per.factor
    )
    base = alt.Chart(columns(shown, ["scenario", "gain", "cost", "best"]))
    x = (
        alt.X("cost:Q")
        .title(f"{cost[0]}, {cost[1]}, {per.unit}")
        .axis(tickCount=6, format=",.6~g")
        .scale(zero=False, padding=12)
    )
    y = alt.Y("gain:Q").title(None).axis(tickCount=6, format=",.6~g").scale(zero=False, padding=12)
    tip = [
        "scenario:N",
        alt.Tooltip("gain:Q", format=",.4~g", title=how.unit),
        alt.Tooltip("cost:Q", format=",.4~g", title=per.unit),
    ]
    cloud = (
        base.transform_filter("!datum.best")
        .mark_circle(size=16, opacity=0.45, color=TOTAL)
        .encode(x=x, y=y, tooltip=tip)
    )
    edge = base.transform_filter("datum.best")
    line = edge.mark_line(color=SERIES[0], interpolate="step-after" if less else "step-before").encode(x=x, y=y)
    dots = edge.mark_point(filled=True, size=60, color=SERIES[0], opacity=1).encode(x=x, y=y, tooltip=tip)
    sentence = f"{ends.height} of {both.height:,} scenarios are beaten by no other in both."
    subtitle = f"{capital(gain[0])}, {gain[1]}, {when}, {how.unit}; filled: the frontier"
    told = f"From {people(ends['gain'].min(), unit)} to {people(ends['gain'].max(), unit)} along the frontier"  # type: ignore[arg-type]
    drawing = alt.layer(cloud, line, dots).properties(width=FULL, height=1.2 * HEIGHT)
    return Panel(drawing, "Scatter", sentence, subtitle, told).alone(_foot(sweep, gain[0]))


def lever_response(
    sweep: Swept,
    lever: str,
    quantity: str = "compute denied",
    where: tuple[str, ...] = ("adversary",),
    period: str | None = None,
    product: str | None = None,
) -> alt.VConcatChart:
    """Lines: a number by one lever, in one place or several, such as welfare of allies by the secondary tariff.

    Values are means over the other levers.

    Args:
        sweep: a sweep.
        lever: a numeric lever.
        quantity: the number.
        where: the places, a line each.
        period: one period; the whole horizon if None.
        product: of the number; that of all together if None.

    Raises:
        NothingToDraw: there is no such lever, number or period.
    """
    _lever(sweep, lever)
    parts, unit, when = [], "", ""
    for place in where:
        frame, unit, when = _values(sweep, quantity, place, period, product)
        if not frame[lever].dtype.is_numeric():
            raise NothingToDraw(f"no line by {lever!r}, whose values are not numbers; draw two_levers")
        steps, _ = _stepped(frame, lever)
        means = (
            frame.with_columns(step=steps.cast(pl.Float64)).group_by("step").agg(pl.col("value").mean()).sort("step")
        )
        parts.append(means.with_columns(where=pl.lit(place)))
    data = pl.concat(parts)
    how = measure(unit, data["value"])
    data = data.with_columns(pl.col("value") * how.factor)
    colour = (
        alt.Color("where:N")
        .scale(domain=list(where), range=[SERIES[n % len(SERIES)] for n in range(len(where))])
        .legend(None)
    )
    x = alt.X("step:Q").title(lever).axis(tickCount=6, format=",.6~g").scale(zero=False, nice=False)
    y = alt.Y("value:Q").title(None).axis(tickCount=5, format=",.6~g").scale(zero=False)
    line = alt.Chart(columns(data, ["step", "value", "where"])).mark_line(point=True, strokeWidth=2).encode(
        x=x, y=y, color=colour,
        tooltip=["where:N", alt.Tooltip("step:Q", title=lever), alt.Tooltip("value:Q", format=",.4~g", title=how.unit)],
    )  # fmt: skip
    last = data.filter(pl.col("step") == pl.col("step").max().over("where"))
    text = alt.Chart(last).mark_text(align="left", dx=8, fontSize=11).encode(x=x, y=y, text="where:N", color=colour)
    drawing = alt.layer(line, text).properties(width=FULL - room(where), height=HEIGHT)
    first = data.filter(pl.col("where") == where[0])
    ends = [people(v / how.factor, unit) for v in (first["value"][0], first["value"][-1])]
    sentence = f"{capital(quantity)} ({where[0]}) goes from {ends[0]} to {ends[1]} along {lever}."
    subtitle = f"{capital(quantity)}, {when}, {how.unit}, mean over the other levers"
    return Panel(drawing, "Lines", sentence, subtitle).alone(_foot(sweep, quantity))


def _foot(sweep: Swept, quantity: str) -> list[str]:
    record: Mapping[str, Any] = getattr(sweep, "provenance", None) or {}
    return source(record, compute="compute" in quantity)

"""Who sells to whom: a heat map of changes, and bands from sellers to buyers without and with the policy."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import polars as pl

from backfill.charts.panel import Drawing, NothingToDraw, Panel, inner, placard
from backfill.charts.places import BLOC_ORDER, members, product_name, region_name
from backfill.charts.theme import (
    BLOC_COLOURS,
    BLOC_NAMES,
    GAIN,
    HEIGHT,
    INK,
    LABEL,
    LOSS,
    NEUTRAL,
    PAPER,
    SOFT,
    apart,
    columns,
    room,
)
from backfill.charts.words import Measure, measure, people

UNIT = "million USD"
LEAST = 0.01
"""Changes under this share of the largest are not written, and who has none above it is drawn with the others."""
OTHERS = "others"
CELL = 24
_PLACES = [
    "scenario",
    "period",
    "origin",
    "destination",
    "origin_bloc",
    "destination_bloc",
    "product",
    "quantity",
    "value",
]


def flows(table: pl.DataFrame, policy: str, reference: str, group: str, period: str | None = None) -> pl.DataFrame:
    """Sales at the exporter's price (million USD) by origin and destination in both worlds.

    Args:
        table: the result's ``exports``.
        policy, reference: worlds.
        group: a product or group.
        period: one period; all together if None.

    Returns:
        origin, destination, their blocs, before, after.

    Raises:
        ValueError: there is no such product or period; says which there are.
    """
    every = columns(table, _PLACES).filter(
        pl.col("quantity") == "FOB value", pl.col("scenario").is_in([policy, reference])
    )
    if every.is_empty():
        raise NothingToDraw(f"no exports to draw in {policy} and {reference}")
    chosen = every.filter(pl.col("product").is_in(members(group, every["product"])))
    if period is not None:
        if period not in set(chosen["period"]):
            raise ValueError(f"no period {period!r} to draw; there are {', '.join(sorted(set(chosen['period'])))}")
        chosen = chosen.filter(pl.col("period") == period)
    keys = ["origin", "destination", "origin_bloc", "destination_bloc"]

    def of(world: str) -> pl.Expr:
        return pl.col("value").filter(pl.col("scenario") == world).sum()

    return chosen.group_by(keys, maintain_order=True).agg(before=of(reference), after=of(policy))


def span(table: pl.DataFrame, period: str | None) -> str:
    """What period a total is of, in words."""
    if period is not None:
        return period
    periods = sorted(set(table["period"]))
    return periods[0] if len(periods) == 1 else f"{periods[0]}–{periods[-1]}"


def heat_map(
    table: pl.DataFrame, policy: str, reference: str, group: str = "tools", period: str | None = None
) -> Panel:
    """Changes of sales by origin and destination, as a heat map with numbers (arguments as of `flows`)."""
    data = flows(table, policy, reference, group, period).filter(pl.col("origin") != pl.col("destination"))
    name, when = product_name(group), span(table, period)
    data = data.with_columns(change=pl.col("after") - pl.col("before"))
    size = float(data["change"].abs().max() or 0.0)  # type: ignore[arg-type]
    subtitle = f"Change in exports of {name}, {when}: {policy} against {reference}"
    if size < 1e-6:
        return placard("Heat map", f"Exports of {name} are the same.", subtitle, "No flow changes.", inner())
    rows, cols = (_ordered(data, side) for side in ("origin", "destination"))
    kept = _gathered(data, rows, cols)
    how = measure(UNIT, kept["change"])
    kept = kept.with_columns(
        label=pl.col("change").map_elements(lambda v: _written(v * how.factor), return_dtype=pl.String),
        before=pl.col("before").map_elements(lambda v: people(v, UNIT), return_dtype=pl.String),
        after=pl.col("after").map_elements(lambda v: people(v, UNIT), return_dtype=pl.String),
        share=pl.col("change").sign() * (pl.col("change").abs() / pl.col("change").abs().max()).sqrt(),
    ).with_columns(dark=pl.col("share").abs() > 0.62)
    names = [
        [*(region_name(code) for code in side if code != OTHERS), *([OTHERS] if OTHERS in side else [])]
        for side in (rows, cols)
    ]
    base = alt.Chart(columns(kept, ["seller", "buyer", "change", "label", "before", "after", "share", "dark"]))
    x = (
        alt.X("buyer:N")
        .sort(names[1])
        .title("to")
        .axis(orient="top", labelAngle=-45, ticks=False, domain=False, labelLimit=130)
    )
    y = alt.Y("seller:N").sort(names[0]).title("from").axis(ticks=False, domain=False, labelLimit=130)
    paint = alt.Scale(domain=[-1, 0, 1], range=[LOSS, NEUTRAL, GAIN], interpolate="rgb")
    cells = base.mark_rect(stroke=PAPER).encode(
        x=x, y=y, color=alt.Color("share:Q").scale(paint).legend(None),
        tooltip=["seller:N", "buyer:N", alt.Tooltip("label:N", title=f"change, {how.unit}"),
                 alt.Tooltip("before:N", title=reference), alt.Tooltip("after:N", title=policy)],
    )  # fmt: skip
    ink = alt.condition("datum.dark", alt.value(PAPER), alt.value(INK))
    text = base.mark_text(fontSize=9.5).encode(x=x, y=y, text="label:N", color=ink)
    fall = kept.sort("change").row(0, named=True)
    rise = kept.sort("change").row(-1, named=True)
    parts = []
    if fall["change"] < 0:
        parts.append(f"{fall['seller']} to {fall['buyer']} falls most, by {people(-fall['change'], UNIT)}")
    if rise["change"] > 0:
        parts.append(f"{rise['seller']} to {rise['buyer']} rises most, by {people(rise['change'], UNIT)}")
    sentence = "; ".join(parts) + "."
    width = inner([*names[0], "from: "])
    drawing = alt.layer(cells, text).properties(width=width, height=CELL * len(names[0]))
    below = f"{subtitle}, {how.unit}; teal: more, red: less, none: under 1% of the largest"
    return Panel(drawing, "Heat map", sentence, below, "Each cell is a seller (row) and a buyer (column).")


def _ordered(data: pl.DataFrame, side: str) -> list[str]:
    """Places with a change that matters, blocs together and large ones first; at the end one for the others, if there are any."""
    sums = data.group_by(side, f"{side}_bloc").agg(
        trade=pl.max_horizontal("before", "after").sum(), moved=pl.col("change").abs().max()
    )
    rank = {bloc: n for n, bloc in enumerate(BLOC_ORDER)}
    big = sums.filter(pl.col("moved") >= LEAST * pl.col("moved").max()).with_columns(
        rank=pl.col(f"{side}_bloc").replace_strict(rank, default=9, return_dtype=pl.Int64)
    )
    names = big.sort("rank", -pl.col("trade"))[side].to_list()
    return [*names, OTHERS] if len(names) < sums.height else names


def _gathered(data: pl.DataFrame, rows: Sequence[str], cols: Sequence[str]) -> pl.DataFrame:
    """A cell for every pair of the names drawn, small places together as others."""
    named = data.with_columns(
        origin=pl.when(pl.col("origin").is_in(rows)).then("origin").otherwise(pl.lit(OTHERS)),
        destination=pl.when(pl.col("destination").is_in(cols)).then("destination").otherwise(pl.lit(OTHERS)),
    )
    sums = named.group_by("origin", "destination", maintain_order=True).agg(pl.col("before", "after", "change").sum())
    every = pl.DataFrame({"origin": rows}).join(pl.DataFrame({"destination": cols}), how="cross")
    full = every.join(sums, on=["origin", "destination"], how="left", maintain_order="left").fill_null(0.0)
    least = LEAST * float(sums["change"].abs().max() or 0.0)  # type: ignore[arg-type]
    return full.with_columns(
        seller=pl.col("origin").map_elements(region_name, return_dtype=pl.String),
        buyer=pl.col("destination").map_elements(region_name, return_dtype=pl.String),
        change=pl.when(pl.col("change").abs() < least).then(0.0).otherwise("change"),
    )


def _written(scaled: float) -> str:
    """A change in few letters, so that many stand beside each other; nothing where it would be zero."""
    text = f"{scaled:+,.0f}" if abs(scaled) >= 9.95 else f"{scaled:+.1f}"
    return "" if text in ("+0.0", "-0.0") else text.replace("-", "−")


POINTS = 24
"""Corners along the edge of a band."""
GAP = 0.05
"""Space between two blocs, as a share of everything."""


def bands(table: pl.DataFrame, policy: str, reference: str, group: str = "tools", period: str | None = None) -> Panel:
    """Bands from sellers to buyers, by bloc, without the policy and with it, on one scale (arguments as of `flows`).

    A bloc's sales to itself are drawn only between different regions.
    """
    data = flows(table, policy, reference, group, period).filter(pl.col("origin") != pl.col("destination"))
    name, when = product_name(group), span(table, period)
    blocs = data.group_by("origin_bloc", "destination_bloc").agg(pl.col("before", "after").sum())
    whole = float(max(blocs["before"].sum(), blocs["after"].sum()))
    subtitle = f"Exports of {name} between regions by bloc, {when}: {reference} beside {policy}"
    if whole < 1e-6:
        return placard("Bands", f"No {name} are traded.", subtitle, "There is no flow to draw.", inner())
    every = [_ribbons(blocs, column, GAP * whole, whole) for column in ("before", "after")]
    how = measure(UNIT, [whole / 100])  # small blocs are written too, in the unit of the large ones
    longest = [f"{BLOC_NAMES[bloc]} 999" for bloc in BLOC_ORDER]
    width = (inner() - 10) / 2 - 2 * (room(longest, 5.6) + 10)
    panels = [
        _drawn(ribbons, nodes, world, width, how, whole)
        for (ribbons, nodes), world in zip(every, (reference, policy), strict=True)
    ]
    drawing = alt.hconcat(*panels, spacing=10).resolve_scale(color="independent")
    falls = blocs.filter(pl.col("destination_bloc") == "adversary").with_columns(
        change=pl.col("after") - pl.col("before")
    )
    before, after = float(falls["before"].sum()), float(falls["after"].sum())
    sentence = f"The adversary buys {people(after, UNIT)} of {name} abroad instead of {people(before, UNIT)}."
    told = "; ".join(
        f"{BLOC_NAMES[r['origin_bloc']]} {people(r['before'], UNIT)} before, {people(r['after'], UNIT)} after"
        for r in falls.sort("before", descending=True).iter_rows(named=True)
    )
    below = f"{subtitle}; {how.unit}; left sellers, right buyers"
    return Panel(drawing, "Bands from sellers to buyers", sentence, below, f"To the adversary: {told}" if told else "")


def _ribbons(blocs: pl.DataFrame, column: str, gap: float, whole: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Edges of the bands as points, and the bars at both ends."""
    value = {
        (o, d): v for o, d, v in blocs.select("origin_bloc", "destination_bloc", column).iter_rows() if v > 1e-9 * whole
    }
    ends: dict[tuple[str, str, str], tuple[float, float]] = {}
    nodes: list[tuple[str, str, float, float, float]] = []
    for side, place in (("left", 0), ("right", 1)):
        level = (1 + 3 * GAP) * whole
        for bloc in BLOC_ORDER:
            mine = [
                (key, v)
                for key in ((bloc, o) if place == 0 else (o, bloc) for o in BLOC_ORDER)
                if (v := value.get(key))
            ]
            if not mine:
                continue
            total = sum(v for _, v in mine)
            nodes.append((side, bloc, level - total, level, total))
            for key, v in mine:
                ends[(side, *key)] = (level - v, level)
                level -= v
            level -= gap
    t = np.linspace(0, 1, POINTS)
    ease = t * t * (3 - 2 * t)
    rows = []
    for o, d in value:
        (l0, l1), (r0, r1) = ends["left", o, d], ends["right", o, d]
        for x, e in zip(t, ease, strict=True):
            rows.append(
                (
                    f"{o} {d}",
                    o,
                    BLOC_NAMES[o],
                    BLOC_NAMES[d],
                    x,
                    l0 + e * (r0 - l0),
                    l1 + e * (r1 - l1),
                    people(value[o, d], UNIT),
                )
            )
    names = ["band", "bloc", "seller", "buyer", "x", "low", "high", "amount"]
    drawn = pl.DataFrame(rows, schema=names, orient="row")
    return drawn, pl.DataFrame(nodes, schema=["side", "bloc", "low", "high", "total"], orient="row")


def _drawn(ribbons: pl.DataFrame, nodes: pl.DataFrame, world: str, width: float, how: Measure, whole: float) -> Drawing:
    top, height = (1 + 3 * GAP) * whole, 1.15 * HEIGHT
    x = alt.X("x:Q").title(None).axis(None).scale(domain=[0, 1], nice=False, zero=False)
    scale = alt.Scale(domain=[0, top], nice=False)
    paint = alt.Color("bloc:N").scale(domain=list(BLOC_COLOURS), range=list(BLOC_COLOURS.values())).legend(None)
    area = alt.Chart(columns(ribbons, ["band", "bloc", "seller", "buyer", "x", "low", "high", "amount"])).mark_area(
        opacity=0.72, stroke=PAPER, strokeWidth=0.8
    ).encode(
        x=x, y=alt.Y("low:Q").axis(None).scale(scale), y2="high:Q", detail="band:N", color=paint,
        tooltip=["seller:N", "buyer:N", "amount:N"],
    )  # fmt: skip
    marks = nodes.with_columns(
        at=pl.when(pl.col("side") == "left").then(0.0).otherwise(1.0),
        label=pl.col("bloc").replace(BLOC_NAMES)
        + " "
        + pl.col("total").map_elements(lambda v: how.label(v), return_dtype=pl.String),
    )
    bars = alt.Chart(columns(marks, ["bloc", "at", "low", "high"])).mark_rule(strokeWidth=7).encode(
        x=alt.X("at:Q"), y=alt.Y("low:Q").scale(scale), y2="high:Q", color=paint
    )  # fmt: skip
    texts = []
    for side, dx in (("left", -8), ("right", 8)):
        mine = marks.filter(pl.col("side") == side)
        middles = dict(mine.select("bloc", (pl.col("low") + pl.col("high")) / 2).iter_rows())
        placed = apart(middles, LABEL * top / height)
        named = mine.with_columns(middle=pl.col("bloc").replace_strict(placed, return_dtype=pl.Float64))
        base = alt.Chart(columns(named, ["at", "middle", "label"]))
        mark = base.mark_text(align="right" if side == "left" else "left", dx=dx, fontSize=10.5, color=INK)
        texts.append(mark.encode(x="at:Q", y=alt.Y("middle:Q").scale(scale), text="label:N"))
    head = alt.TitleParams(text=world, anchor="middle", fontSize=12, color=SOFT, offset=4)
    return alt.layer(area, bars, *texts).properties(width=width, height=height, title=head)

"""Tornado: how far a number moves with each parameter or lever, the widest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from backfill.charts.panel import NothingToDraw, Panel, bar_labels, inner, placard
from backfill.charts.theme import SERIES, SOFT, columns
from backfill.charts.words import capital, measure, people

LOW, HIGH = SERIES[0], "#c9a227"
ROW = 30
MOST = 12
"""Bars drawn; of more, the widest."""


def of_ranges(
    summary: pl.DataFrame, provenance: Mapping[str, Any], policy: str, reference: str, quantity: str, where: str
) -> Panel:
    """The change of a headline number at both ends of every parameter, around its central value.

    Args:
        summary, provenance: of a result with ranges.
        policy, reference: worlds compared.
        quantity, where: a row of the summary.

    Raises:
        NothingToDraw: there are no ranges, or no such number.
    """
    found = (provenance.get("ranges") or {}).get("swings")
    if not found:
        raise NothingToDraw("no ranges to draw: run the experiment with --ranges")
    mine = [one for one in found if one["quantity"] == quantity and one["where"] == where]
    row = summary.filter(pl.col("quantity") == quantity, pl.col("where") == where, pl.col("change").is_not_null())
    if not mine or row.is_empty():
        known = dict.fromkeys(f"{one['quantity']}, {one['where']}" for one in found)
        raise NothingToDraw(f"no range of {quantity!r} in {where!r} to draw; there are {'; '.join(known)}")
    data = pl.DataFrame(
        [
            (one["parameter"].replace("_", " "), one["low"], one["high"])
            for one in mine
            if one["period"] == row["period"][0]
        ],
        schema={"name": pl.String, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    ).drop_nulls()
    centre, unit = float(row["change"][0]), str(row["unit"][0])
    number = f"{capital(quantity)}, {where}, {row['period'][0]}"
    subtitle = f"{number}: {policy} against {reference}, each parameter alone at the ends of its range"
    return tornado(data, centre, unit, quantity, subtitle, "parameter")


def tornado(data: pl.DataFrame, centre: float, unit: str, quantity: str, subtitle: str, what: str) -> Panel:
    """Bars around a central value, the widest first.

    Args:
        data: name, and the value at its low and its high end (low, high).
        centre: the central value.
        unit: of the values.
        quantity, subtitle, what: words: the number, what is drawn, ``"parameter"`` or ``"lever"``.
    """
    how = measure(unit, [centre, *data["low"], *data["high"]])
    wide = data.with_columns(
        width=pl.max_horizontal(
            (pl.col("low") - centre).abs(), (pl.col("high") - centre).abs(), (pl.col("high") - pl.col("low")).abs()
        )
    ).sort("width", descending=True)
    moved = wide.filter(pl.col("width") > 1e-9 * max(abs(centre), 1e-12)).head(MOST)
    if moved.is_empty():
        return placard("Tornado", f"No {what} moves {quantity}.", subtitle, "Every bar has no width.", inner())
    left_out = wide.height - moved.height
    names = moved["name"].to_list()
    ends = pl.concat(
        [moved.select("name", pl.lit(end).alias("end"), pl.col(end).alias("value")) for end in ("low", "high")]
    ).with_columns(
        scaled=pl.col("value") * how.factor,
        centre=pl.lit(centre * how.factor),
        ahead=pl.col("value") >= centre,
        label=pl.col("value").map_elements(lambda v: how.label(v), return_dtype=pl.String),
    )
    # Where both ends lie on one side of the centre, only the farther one is labelled: the other would be written over.
    ends = ends.with_columns(
        shown=(pl.col("value") - centre).abs() == (pl.col("value") - centre).abs().max().over("name", "ahead")
    )
    base = alt.Chart(columns(ends, ["name", "end", "value", "scaled", "centre", "ahead", "label", "shown"]))
    y = alt.Y("name:N").sort(names).title(None).axis(ticks=False, domain=False, labelPadding=8)
    paint = alt.Color("end:N").scale(domain=["low", "high"], range=[LOW, HIGH])
    x = alt.X("scaled:Q").title(None).axis(tickCount=6, format=",.6~g").scale(zero=False, padding=44, nice=True)
    bar = base.mark_bar(height={"band": 0.66}).encode(
        x=x, x2="centre:Q", y=y, color=paint.legend(labelExpr=f"datum.label + ' end of the {what}'"),
        tooltip=["name:N", "end:N", alt.Tooltip("label:N", title=how.unit)],
    )  # fmt: skip
    labels = bar_labels(base.transform_filter("datum.shown"), "scaled:Q", y)
    line = alt.Chart(pl.DataFrame({"centre": [centre * how.factor]})).mark_rule(color=SOFT).encode(x="centre:Q")
    drawing = alt.layer(bar, *labels, line).properties(width=inner(names), height=max(ROW * len(names), 80))
    first = moved.row(0, named=True)
    low, high = (people(end, unit) for end in sorted((first["low"], first["high"])))
    sentence = f"{capital(first['name'])} matters most: {quantity} from {low} to {high}."
    told = "; ".join(
        f"{r['name']} {how.label(r['low'])} to {how.label(r['high'])}" for r in moved.iter_rows(named=True)
    )
    rest = f"; left out, as they move it less or not at all: {left_out}" if left_out else ""
    return Panel(
        drawing,
        "Tornado",
        sentence,
        f"{subtitle}; {how.unit}, line: {how.label(centre)}, the central value{rest}",
        f"In {how.unit}: {told}",
    )

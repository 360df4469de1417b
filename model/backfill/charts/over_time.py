"""Levels over time with and without a policy: stocks of compute, capacity for tools and chips; with bands where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from backfill.charts.panel import NothingToDraw, Panel, placard
from backfill.charts.places import members, product_name
from backfill.charts.theme import (
    BLOC_NAMES,
    HEIGHT,
    LABEL,
    WIDTH,
    WORLD_COLOURS,
    WORLD_DASHES,
    apart,
    columns,
    room,
)
from backfill.charts.words import capital, measure, people
from backfill.units import format_change, format_share

SAME = 5e-4
WHOSE = {"us": "US", "ally": "US allies'", "partner": "third countries'", "adversary": "the adversary's"}


def bands_of(provenance: Mapping[str, Any]) -> pl.DataFrame:
    """Low and high of levels over time that a run with ranges left in its provenance; empty without."""
    text = ["scenario", "quantity", "where", "product", "period", "unit"]
    schema = {**dict.fromkeys(text, pl.String), "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame((provenance.get("ranges") or {}).get("bands") or [], schema=schema)


def stocks(
    table: pl.DataFrame,
    worlds: Mapping[str, str],
    bloc: str = "adversary",
    quantity: str = "accessible stock",
    bands: pl.DataFrame | None = None,
    width: float = WIDTH,
) -> Panel:
    """A bloc's stock of compute over time.

    Args:
        table: the result's ``compute``.
        worlds: names of ``policy``, ``reference`` and, if there is one, ``second``.
        bloc: whose.
        quantity: ``"owned stock"``, or ``"accessible stock"`` with what is rented and smuggled.
        bands: from `bands_of`.
        width: in pixels.
    """
    data = columns(table, ["scenario", "period", "region", "product", "quantity", "value"]).filter(
        pl.col("quantity") == quantity, pl.col("region") == bloc, pl.col("product") == "accelerators"
    )
    low = _chosen(bands, quantity, bloc, ["accelerators"])
    what = f"{WHOSE.get(bloc, bloc)} {quantity} of compute"
    kind = "that it owns" if quantity == "owned stock" else "that it can reach, rented and smuggled too"
    return over_time(data, worlds, "H100e", what, f"Compute {kind}", low, width)


def capacity(
    table: pl.DataFrame,
    worlds: Mapping[str, str],
    group: str = "logic_advanced",
    bloc: str = "adversary",
    bands: pl.DataFrame | None = None,
    width: float = WIDTH,
) -> Panel:
    """A bloc's planned capacity for a product or group over time (arguments as of `stocks`)."""
    every = columns(table, ["scenario", "period", "bloc", "product", "quantity", "value"]).filter(
        pl.col("quantity") == "capacity", pl.col("bloc") == bloc
    )
    what = f"{WHOSE.get(bloc, bloc)} capacity for {product_name(group)}"
    if every.is_empty():
        subtitle = "Yearly capacity at 2022 prices"
        return placard(
            "No lines",
            f"{capital(BLOC_NAMES.get(bloc, bloc))} plans no capacity.",
            subtitle,
            "There is none to draw.",
            width,
        )
    products = members(group, every["product"])
    low = _chosen(bands, "capacity", bloc, products)
    data = every.filter(pl.col("product").is_in(products))
    return over_time(data, worlds, "million USD of 2022", what, "Yearly capacity, output at 2022 prices", low, width)


def _chosen(bands: pl.DataFrame | None, quantity: str, bloc: str, products: Sequence[str]) -> pl.DataFrame | None:
    """The bands of one level; none where a level is of several products, whose ranges do not add up."""
    if bands is None or len(products) != 1:
        return None
    found = bands.filter(pl.col("quantity") == quantity, pl.col("where") == bloc, pl.col("product") == products[0])
    return found if found.height else None


def over_time(
    rows: pl.DataFrame,
    worlds: Mapping[str, str],
    unit: str,
    what: str,
    subtitle: str,
    bands: pl.DataFrame | None = None,
    width: float = WIDTH,
) -> Panel:
    """Lines of a level in each world, named at their ends.

    Args:
        rows: scenario, period, value; rows of one scenario and period add up.
        worlds: names of ``policy``, ``reference`` and perhaps ``second``.
        unit: of the values.
        what: the level, in words.
        subtitle: what is measured; unit and reference are added.
        bands: scenario, period, low, high.
        width: in pixels, labels at the ends included.
    """
    named = {world: role for role, world in worlds.items()}
    data = (
        columns(rows, ["scenario", "period", "value"])
        .filter(pl.col("scenario").is_in(list(named)))
        .group_by("scenario", "period", maintain_order=True)
        .agg(pl.col("value").sum())
        .sort("period")
    )
    if data.is_empty():
        raise NothingToDraw(f"no {what} to draw in {', '.join(named)}")
    policy, reference = worlds["policy"], worlds["reference"]
    spread = None if bands is None else bands.filter(pl.col("scenario").is_in([policy, reference]))
    how = measure(unit, [*data["value"], *([] if spread is None else spread["high"])])
    last = data["period"].max()
    ends = dict(data.filter(pl.col("period") == last).select("scenario", "value").iter_rows())
    before, after = ends.get(reference, 0.0), ends.get(policy, 0.0)
    change = after / before - 1 if before > 0 else 0.0
    size = people(after, unit)
    sentence = (
        f"By {last} {what} is {format_share(abs(change), 0)} {'lower' if change < 0 else 'higher'}, at {size}."
        if abs(change) > 5e-3
        else f"{capital(what)} in {last} hardly changes ({format_change(change, 1).replace('-', '−')}), at {size}."
    )
    order = [worlds[role] for role in ("reference", "second", "policy") if role in worlds]
    paint = alt.Scale(domain=order, range=[WORLD_COLOURS[named[world]] for world in order])
    dashes = alt.Scale(domain=order, range=[WORLD_DASHES[named[world]] for world in order])
    top = (
        1.08 * max(*data["value"].to_list(), *([] if spread is None else spread["high"].to_list()), 1e-12) * how.factor
    )
    data = data.with_columns(
        scaled=pl.col("value") * how.factor,
        label=pl.col("value").map_elements(lambda v: people(v, unit, 3), return_dtype=pl.String),
    )
    x = alt.X("period:O").title(None).axis(labelAngle=-45, ticks=False, labelOverlap=True)
    y = alt.Y("scaled:Q").title(None).axis(tickCount=5, format=",.6~g").scale(domain=[0, top], nice=False)
    colour = alt.Color("scenario:N").scale(paint).legend(None)
    line = alt.Chart(columns(data, ["scenario", "period", "scaled", "label"])).mark_line(strokeWidth=2.5).encode(
        x=x, y=y, color=colour,
        strokeDash=alt.StrokeDash("scenario:N").scale(dashes).legend(None),
        tooltip=["scenario:N", "period:N", alt.Tooltip("label:N", title=what)],
    )  # fmt: skip
    layers = [line]
    told = [f"{world} {people(ends[world], unit)}" for world in order if world in ends]
    if spread is not None and spread.height:
        shaded = spread.with_columns(pl.col("low", "high") * how.factor)
        area = alt.Chart(columns(shaded, ["scenario", "period", "low", "high"])).mark_area(opacity=0.22)
        layers.insert(
            0, area.encode(x=x, y=alt.Y("low:Q").scale(domain=[0, top], nice=False), y2="high:Q", color=colour)
        )
        subtitle += "; shaded: range over parameters"
    end = data.filter(pl.col("period") == last).with_columns(
        label=pl.col("value").map_elements(lambda v: how.label(v), return_dtype=pl.String) + "  " + pl.col("scenario")
    )
    placed = apart(dict(end.select("scenario", "scaled").iter_rows()), LABEL * top / HEIGHT)
    end = end.with_columns(at=pl.col("scenario").replace_strict(placed, return_dtype=pl.Float64))
    text = alt.Chart(columns(end, ["scenario", "period", "at", "label"])).mark_text(align="left", dx=6, fontSize=11)
    layers.append(text.encode(x="period:O", y="at:Q", text="label:N", color=colour))
    drawing = alt.layer(*layers).properties(width=width - room(end["label"]), height=HEIGHT)
    below = f"{subtitle}; {how.unit}: {policy} against {reference}"
    return Panel(drawing, "Lines over time", sentence, below, f"In {last}: {'; '.join(told)}")

"""A map of where exports go, with and without a policy: an offline world in the model's regions."""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt
import polars as pl

from backfill.charts.panel import Drawing, NothingToDraw, Panel, inner, placard
from backfill.charts.places import REGION_NAMES, product_name, region_name
from backfill.charts.theme import GAIN, INK, LOSS, NEUTRAL, PAPER, SOFT, columns
from backfill.charts.trade_flows import LEAST, UNIT, flows, span
from backfill.charts.words import capital, measure, people
from backfill.resources import data_dir

PLACES = {
    "USA": (-98, 40, 0, 0), "TWN": (121, 23.5, 22, 6), "KOR": (128, 36.5, 22, 10), "JPN": (140, 39, 24, 0),
    "NLD": (5.3, 52.2, -26, -12), "EUR": (14, 46, 2, 9), "GBR": (-2, 53.5, -27, 8), "OAL": (-105, 58, 0, -4),
    "MEX": (-102, 23, -12, 10), "IND": (79, 22, 0, 0), "SGP": (103.8, 1.3, -22, 10), "MYS": (102, 4, -20, -4),
    "ASE": (115, -2, 4, 14), "GLF": (46, 23, 0, 0), "TKC": (66, 48, 0, 0), "CHN": (103, 36, 0, 0),
    "RUS": (95, 62, 0, 0), "ROW": (20, 8, 0, 0),
}  # fmt: skip
"""Where each region's number stands: longitude, latitude, and how many pixels right and down of it."""

CREDIT = "Map: Natural Earth (public domain), simplified and joined to the model's regions; borders are as drawn there."

WHOSE = {"us": "US", "ally": "US allies'", "partner": "third countries'", "adversary": "the adversary's", "all": "all"}

POINT = {"SGP"}
"""Regions too small for the map, drawn as a point."""


@cache
def world() -> str:
    """The world in the model's regions as the text of a TopoJSON file (``data/map``)."""
    return (data_dir() / "map" / "regions.topo.json").read_text(encoding="utf-8").strip()


def exports_map(
    table: pl.DataFrame,
    policy: str,
    reference: str,
    group: str = "tools",
    sellers: str = "us",
    period: str | None = None,
) -> Panel:
    """The change of exports by destination on a map.

    Args:
        table: the result's ``exports``.
        policy, reference: worlds.
        group: a product or group.
        sellers: a bloc (``"us"``, ``"ally"``, ...), a region, or ``"all"``.
        period: one period; all together if None.

    Raises:
        ValueError: there is no such product, period or seller; or the regions are not the benchmark's.
    """
    data = flows(table, policy, reference, group, period).filter(pl.col("origin") != pl.col("destination"))
    known = {*data["origin_bloc"], *data["origin"], "all"}
    if sellers not in known:
        raise ValueError(f"no seller {sellers!r} to draw; there are {', '.join(sorted(known))}")
    if not set(data["destination"]) <= set(REGION_NAMES):
        raise NothingToDraw("no map of regions that are not the benchmark's")
    if sellers != "all":
        data = data.filter((pl.col("origin_bloc") == sellers) | (pl.col("origin") == sellers))
    sums = (
        data.group_by("destination")
        .agg(pl.col("before", "after").sum())
        .with_columns(change=pl.col("after") - pl.col("before"))
    )
    by_us = set(data["origin"])
    empty = [code for code in REGION_NAMES if code not in set(sums["destination"])]
    what, when = f"{WHOSE.get(sellers, region_name(sellers))} exports of {product_name(group)}", span(table, period)
    subtitle = f"Change in {what}, {when}: {policy} against {reference}"
    if float(sums["change"].abs().max() or 0.0) < 1e-6:  # type: ignore[arg-type]
        return placard("Map", f"{capital(what)} are the same.", subtitle, "No flow changes.", inner())
    how = measure(UNIT, sums["change"])
    least = LEAST * float(sums["change"].abs().max())  # type: ignore[arg-type]
    shown = sums.with_columns(
        id="destination",
        region=pl.col("destination").map_elements(region_name, return_dtype=pl.String),
        label=pl.when(pl.col("change").abs() < least)
        .then(pl.lit(""))
        .otherwise(pl.col("change").map_elements(lambda v: how.label(v, 2, signed=True), return_dtype=pl.String)),
        told=pl.col("change").map_elements(lambda v: people(v, UNIT), return_dtype=pl.String),
        share=pl.col("change").sign() * (pl.col("change").abs() / pl.col("change").abs().max()).sqrt(),
    )
    blank = [(code, region_name(code), "", "seller" if code in by_us else "none", 0.0) for code in empty]
    drawn = ["id", "region", "label", "told", "share"]
    rows = pl.concat(
        [shown.select(drawn), pl.DataFrame(blank, schema=shown.select(drawn).schema, orient="row")]
    ).with_columns(
        lon=pl.col("id").replace_strict(
            {code: float(place[0]) for code, place in PLACES.items()}, return_dtype=pl.Float64
        ),
        lat=pl.col("id").replace_strict(
            {code: float(place[1]) for code, place in PLACES.items()}, return_dtype=pl.Float64
        ),
        dark=pl.col("share").abs() > 0.62,
        point=pl.col("id").is_in(list(POINT)),
    )
    drawing = _drawn(rows).properties(width=inner(), height=0.5 * inner())
    most = sums.sort("change")
    fall, rise = most.row(0, named=True), most.row(-1, named=True)
    parts = []
    if fall["change"] < 0:
        parts.append(f"{people(-fall['change'], UNIT)} less to {region_name(fall['destination'])}")
    if rise["change"] > LEAST * abs(fall["change"]):
        parts.append(f"{people(rise['change'], UNIT)} more to {region_name(rise['destination'])}")
    sentence = f"{capital(what)}: {' and '.join(parts)}."
    told = "; ".join(f"{r['region']} {r['label']}" for r in rows.iter_rows(named=True) if r["label"])
    below = f"{subtitle}, {how.unit}; teal: more, red: less. Regions are drawn as the model has them"
    return Panel(drawing, "Map", sentence, below, f"In {how.unit}: {told}")


def _drawn(rows: pl.DataFrame) -> Drawing:
    shapes = alt.Data(values=world(), format=alt.TopoDataFormat(feature="regions", type="topojson"))
    drawn = columns(rows, ["id", "region", "label", "told", "share", "lon", "lat", "dark", "point"])
    paint = alt.Color("share:Q").scale(domain=[-1, 0, 1], range=[LOSS, NEUTRAL, GAIN], interpolate="rgb").legend(None)
    tip = ["region:N", alt.Tooltip("told:N", title="change")]
    land = (
        alt.Chart(shapes)
        .transform_lookup(lookup="id", from_=alt.LookupData(drawn, "id", ["region", "told", "share"]))
        .mark_geoshape(stroke="#b4bcc4", strokeWidth=0.5)
        .encode(color=paint, tooltip=tip)
    )
    base = alt.Chart(drawn)
    point = base.transform_filter("datum.point").mark_circle(size=46, stroke=SOFT, strokeWidth=0.6, opacity=1).encode(
        longitude="lon:Q", latitude="lat:Q", color=paint, tooltip=tip
    )  # fmt: skip
    layers: list[Any] = [land, point]
    for code, (_, _, dx, dy) in PLACES.items():
        aside = dx != 0 or dy != 0
        ink: Any = alt.value(INK) if aside else alt.condition("datum.dark", alt.value(PAPER), alt.value(INK))
        mark = base.transform_filter(f"datum.id == '{code}' && datum.label != ''").mark_text(
            dx=dx, dy=dy, fontSize=11, fontWeight=600
        )
        layers.append(mark.encode(longitude="lon:Q", latitude="lat:Q", text="label:N", color=ink))
    return alt.layer(*layers).project("equalEarth")

"""Small pictures of shipped experiments, drawn from the summaries that the tests hold them to."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import polars as pl
import vl_convert

from backfill.charts.theme import FONT, INK, ROUTE_COLOURS, SOFT

_MILLION = 1e6
_WORLDS = ("reference", "policy")


def picture(summary: pl.DataFrame, place: Path) -> None:
    """Compute acquired by route, without and with the policy, as a stacked bar each, written as SVG."""
    routes = pl.concat(
        [
            summary.filter(pl.col("quantity").str.starts_with("compute acquired, ")).select(
                pl.col("quantity").str.strip_prefix("compute acquired, ").alias("route"),
                pl.lit(f"{world[0].upper()}{world[1:]}").alias("world"),
                (pl.col(world) / _MILLION).alias("million H100e"),
            )
            for world in _WORLDS
        ]
    ).filter(pl.col("million H100e") > 0)
    order = [route for route in ROUTE_COLOURS if route in set(routes["route"])]
    ranked = routes.with_columns(pl.col("route").replace_strict({r: n for n, r in enumerate(order)}).alias("rank"))
    chart = (
        alt.Chart(ranked, width=520, height=64)
        .mark_bar()
        .encode(
            x=alt.X("million H100e:Q", title="million H100e acquired by the adversary", axis=alt.Axis(grid=False)),
            y=alt.Y("world:N", title=None, sort=["Reference", "Policy"]),
            color=alt.Color("route:N", scale=alt.Scale(domain=order, range=[ROUTE_COLOURS[r] for r in order]), title=None,
                            legend=alt.Legend(orient="bottom", columns=3, labelLimit=240)),
            order="rank:Q",
        )
        .configure(font=FONT, background="white")
        .configure_axis(labelColor=INK, titleColor=SOFT, titleFontWeight="normal")
        .configure_view(stroke=None)
    )  # fmt: skip
    written = vl_convert.vegalite_to_svg(chart.to_dict())
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_file() or place.read_text(encoding="utf-8") != written:
        place.write_text(written, encoding="utf-8")

"""One page that answers: how much compute does the adversary get, by which route, who fills the gap, what is left?"""

from __future__ import annotations

from typing import Protocol

import altair as alt
import polars as pl

from backfill.charts import leakage, panels
from backfill.charts.offline import page_of
from backfill.charts.theme import INK, SOFT, themed, wrap


class Drawn(Protocol):
    """What is drawn of a result."""

    @property
    def name(self) -> str: ...

    @property
    def reference(self) -> str: ...

    @property
    def also_against(self) -> str | None: ...

    @property
    def tables(self) -> Tables: ...

    @property
    def summary(self) -> pl.DataFrame: ...


class Tables(Protocol):
    """Long tables by name."""

    def __getitem__(self, name: str, /) -> pl.DataFrame: ...


def overview(result: Drawn) -> alt.VConcatChart:
    """Four panels: compute by route, sellers' backfilling, the leakage waterfall, advanced capacity."""
    tables, policy, reference, second = result.tables, result.name, result.reference, result.also_against
    top = alt.hconcat(
        panels.compute_by_route(tables["compute"], policy, reference, second),
        panels.backfilling_by_seller(tables["backfilling"], policy, reference),
        spacing=56,
    ).resolve_scale(color="independent")
    bottom = alt.hconcat(
        leakage.waterfall(tables["leakage"], policy, reference, _denied_range(result.summary)),
        panels.advanced_capacity(tables["capacity"], policy, reference, second),
        spacing=56,
    ).resolve_scale(color="independent")
    head = alt.TitleParams(
        text=f"{policy}, compared with {reference}",
        subtitle=[
            *wrap(
                "A computed scenario, not a forecast: every number rests on assumed elasticities and on the grades "
                "listed in provenance.json.",
                150,
            )
        ],
        fontSize=20,
        subtitleFontSize=12.5,
        offset=24,
        color=INK,
        subtitleColor=SOFT,
    )
    chart = alt.vconcat(top, bottom, panels.footer(), spacing=44, title=head).resolve_scale(color="independent")
    return themed(chart)


def _denied_range(summary: pl.DataFrame) -> tuple[float, float] | None:
    found = summary.filter(pl.col("quantity") == "compute denied", pl.col("low").is_not_null())
    return None if found.is_empty() else found.select("low", "high").row(0)


def page(result: Drawn) -> str:
    """The overview as one HTML page that opens without a network."""
    return page_of(overview(result), f"{result.name}, compared with {result.reference}")

"""A drawing and what it says: the same panel stands on a page of several, or alone with its source under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from backfill.charts.theme import (
    COLUMN,
    HEIGHT,
    INK,
    PADDING,
    SOFT,
    WIDTH,
    footnote,
    room,
    themed,
    title,
    wide_title,
    wrap,
)
from backfill.charts.words import day, listed

Drawing = Any
"""Any Altair chart that can be part of another."""

CAVEAT = "A computed scenario, not a forecast: it rests on assumed elasticities."
H100E = "H100e: accelerators weighted by operations and memory bandwidth relative to one NVIDIA H100."


class NothingToDraw(ValueError):
    """A table lacks what a chart draws; the message says why."""


@dataclass(frozen=True)
class Panel:
    """A drawing with its words.

    Attributes:
        drawing: without title.
        kind: what is drawn, for people who cannot see it: ``"Waterfall"``.
        sentence: the title, which says what there is to see.
        subtitle: units and reference.
        told: the drawn numbers in a sentence or two, for people who cannot see them.
        header: height of what stands between title and drawing on a page.
    """

    drawing: Drawing
    kind: str
    sentence: str
    subtitle: str
    told: str = ""
    header: int = 0

    def on_page(self) -> Drawing:
        """The drawing under a title as wide as a panel of a page."""
        return self.drawing.properties(title=title(self.sentence, self.subtitle, header=self.header))

    def alone(self, lines: list[str]) -> alt.VConcatChart:
        """The panel as a chart of its own.

        Args:
            lines: the footer, unwrapped.
        """
        small = [line for text in lines for line in wrap(text, 126)]
        drawn = self.drawing.properties(title=wide_title(self.sentence, self.subtitle))
        chart = alt.vconcat(drawn, title=footnote(small)).resolve_scale(color="independent")
        return themed(chart.properties(description=self.description()), PADDING, 4)

    def description(self) -> str:
        """What the chart shows, in words."""
        parts = (f"{self.kind}. {self.sentence}", self.subtitle, self.told)
        return " ".join(part if part.endswith((".", "?")) else f"{part}." for part in parts if part)


def source(*provenance: Mapping[str, object], compute: bool = False) -> list[str]:
    """The footer: what the numbers come from, of which day, and what they are not.

    Args:
        provenance: records of the results drawn; what one lacks is left out.
        compute: whether compute is drawn, whose unit is then explained.
    """
    versions = {
        str(p["backfill"]) for one in provenance if isinstance(p := one.get("packages"), Mapping) and "backfill" in p
    }
    days = {told for one in provenance if (told := day(one.get("date")))}
    about = ["Source: backfill" + (f" {listed(sorted(versions))}" if versions else "")]
    about += [f"solved on {listed(sorted(days))}"] if days else []
    return [
        f"{', '.join(about)}; benchmark of 2022 with its sources in data/baseline. {CAVEAT}",
        *([H100E] if compute else []),
    ]


def page_foot(chart: Drawing, lines: list[str]) -> alt.VConcatChart:
    """A page of panels over its small print."""
    small = [line for text in lines for line in wrap(text, 210)]
    told = chart.description
    chart.description = alt.Undefined
    return alt.vconcat(chart, title=footnote(small), description=told).resolve_scale(color="independent")


def placard(kind: str, sentence: str, subtitle: str, why: str, width: float = WIDTH) -> Panel:
    """A panel of words, where there is nothing to draw and that is the answer."""
    text = alt.Chart(pl.DataFrame({"text": ["\n".join(wrap(why, int(width / 7)))]})).mark_text(
        color=SOFT, fontSize=13, lineBreak="\n", align="left", baseline="middle"
    )
    drawn = text.encode(text="text:N", x=alt.value(0), y=alt.value(HEIGHT / 4))
    return Panel(alt.layer(drawn).properties(width=width, height=HEIGHT / 2), kind, sentence, subtitle, why)


def bar_labels(base: alt.Chart, x: str, y: alt.Y, **other: Any) -> list[Drawing]:
    """Labels at the ends of bars: right of those that grow (column ``ahead``), left of those that shrink; text in ``label``."""
    right = base.transform_filter("datum.ahead").mark_text(align="left", dx=4, fontSize=10.5, color=INK)
    left = base.transform_filter("!datum.ahead").mark_text(align="right", dx=-4, fontSize=10.5, color=INK)
    return [mark.encode(x=x, y=y, text="label:N", **other) for mark in (right, left)]


def inner(left: Iterable[str] = (), right: Iterable[str] = (), *, gap: float = 16) -> float:
    """Width of a drawing that stands alone in a column, with labels beside it.

    Args:
        left, right: the labels; the longest takes the room.
        gap: pixels for ticks and the like.
    """
    return COLUMN - 2 * PADDING - min(room(left), 220) - room(right) - gap

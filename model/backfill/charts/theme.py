"""Colours, fonts and sizes that every chart shares, and the check that a chart's columns exist.

Blocs differ in lightness as well as in hue, so that they can be told apart in greyscale and by people who are colour-blind; the
same goes for routes, which are blocs plus two. Worlds differ in dash and carry their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import polars as pl

BLOC_COLOURS = {"us": "#0b3f82", "ally": "#4a9fe0", "partner": "#edbb45", "adversary": "#b93e00"}
"""Colours of blocs, wherever one is drawn."""

BLOC_NAMES = {"us": "United States", "ally": "US allies", "partner": "third countries", "adversary": "adversary"}

ROUTE_COLOURS = {
    "from the US": BLOC_COLOURS["us"],
    "from US allies": BLOC_COLOURS["ally"],
    "from third countries": BLOC_COLOURS["partner"],
    "smuggled through hubs": "#a65b80",
    "rented abroad": "#98bf7c",
    "own makers": BLOC_COLOURS["adversary"],
}
"""Colours of the routes by which compute is acquired: of the bloc it comes from, or one of two more."""

SERIES = ("#5e3c99", "#c2589b", "#1c7f5b", "#8a6d3b", "#3b4754", "#a8b400", "#e07b91", "#9aa5b1")
"""Colours of things that are neither blocs nor routes: levers, players. Lines of them carry their names."""

INK, SOFT, RULE, PAPER = "#1b1f24", "#56606b", "#d9dee3", "#ffffff"
GAIN, LOSS, TOTAL, NEUTRAL = "#3a9aa0", "#9e2a4f", "#7d8791", "#f4f5f6"
"""What is better, worse, a level, and no change."""

WORLD_COLOURS = {"policy": INK, "reference": "#7d8791", "second": "#7a4fb0"}
WORLD_DASHES: dict[str, list[int]] = {"policy": [1, 0], "reference": [2, 3], "second": [6, 3]}
"""Lines of the policy, of its reference and of the second reference."""

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
WIDTH, HEIGHT = 430, 260
COLUMN, PADDING = 640, 14
"""Width in pixels of a chart that stands alone, and the margin around it."""

LABEL, LETTER = 14, 6.2
"""Height of a label and width of a letter in pixels."""


def columns(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The frame cut to the columns a chart draws (a misspelt one would be drawn as nothing).

    Raises:
        ValueError: a column is missing; says which and what there is.
    """
    wanted = list(names)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise ValueError(f"no column {', '.join(missing)} to draw; there are {', '.join(frame.columns)}")
    return frame.select(wanted)


def colours(palette: Mapping[str, str], present: Iterable[str]) -> alt.Scale:
    """A colour scale with the palette's order, cut to what is present."""
    here = set(present)
    names = [name for name in palette if name in here]
    return alt.Scale(domain=names, range=[palette[name] for name in names])


def room(labels: Iterable[str], letter: float = LETTER) -> float:
    """Width in pixels that the longest of some labels takes."""
    return letter * max((len(label) for label in labels), default=0)


def rule_at_zero(along: str = "x") -> alt.Chart:
    """A line where nothing changes."""
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=SOFT)
    return zero.encode(x="zero:Q") if along == "x" else zero.encode(y="zero:Q")


def apart(values: Mapping[str, float], least: float) -> dict[str, float]:
    """Heights near the values, in their order, no two closer than ``least``."""
    placed: dict[str, float] = {}
    floor = -float("inf")
    for name, value in sorted(values.items(), key=lambda one: one[1]):
        placed[name] = floor = max(value, floor + least)
    return placed


_HEAD, _BELOW, _GAP, _BLOCK, HEADER = 18, 15, 5, 88, 27
"""Heights in pixels: a line of a title and of a subtitle, what lies between, both with the space below, a facet's header."""


def title(sentence: str, subtitle: str, *, header: int = 0) -> alt.TitleParams:
    """A title that is a sentence, over a subtitle with units, both wrapped to a panel of a page.

    The space below makes panels side by side start at the same height.

    Args:
        header: height of what stands between title and panel.
    """
    head, below = wrap(sentence, 58), wrap(subtitle, 76)
    taken = _HEAD * len(head) + _BELOW * len(below) + _GAP + header
    return alt.TitleParams(text=head, subtitle=below, offset=max(_BLOCK - taken, _GAP))


def wide_title(sentence: str, subtitle: str) -> alt.TitleParams:
    """A title over a subtitle, both wrapped to a chart that stands alone."""
    return alt.TitleParams(text=wrap(sentence, 84), subtitle=wrap(subtitle, 108), offset=14)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, broken at spaces."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def page_title(text: str, below: str) -> alt.TitleParams:
    """The title of a page of panels."""
    return alt.TitleParams(
        text=wrap(text, 90),
        subtitle=wrap(below, 150),
        fontSize=20,
        subtitleFontSize=12.5,
        offset=24,
        color=INK,
        subtitleColor=SOFT,
    )


def footnote(lines: Iterable[str]) -> alt.TitleParams:
    """Small print under a chart or a page."""
    return alt.TitleParams(
        text=list(lines),
        orient="bottom",
        anchor="start",
        fontSize=10,
        fontWeight="normal",
        color=SOFT,
        lineHeight=14,
        offset=14,
    )


def themed(chart: Any, padding: int = 24, keys: int = 3) -> Any:
    """The chart with the house's fonts, rules and paddings; ``keys`` stand beside each other in a legend."""
    return (
        chart.configure(font=FONT, background=PAPER, padding=padding)
        .configure_title(
            anchor="start",
            color=INK,
            subtitleColor=SOFT,
            fontSize=14,
            subtitleFontSize=11.5,
            fontWeight=600,
            subtitlePadding=_GAP,
            lineHeight=_HEAD,
            subtitleLineHeight=_BELOW,
        )
        .configure_axis(
            labelColor=SOFT,
            titleColor=SOFT,
            gridColor=RULE,
            domainColor=RULE,
            tickColor=RULE,
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            labelLimit=220,
        )
        .configure_header(labelColor=INK, labelFontSize=12, labelFontWeight=600, title=None)
        .configure_legend(
            orient="bottom",
            labelColor=INK,
            title=None,
            labelFontSize=11,
            symbolType="square",
            labelLimit=240,
            columns=keys,
        )
        .configure_view(stroke=None)
    )

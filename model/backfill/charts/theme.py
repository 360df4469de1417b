"""Colours, fonts and sizes that every chart shares, and the check that a chart's columns exist."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import polars as pl

BLOC_COLOURS = {"us": "#0072B2", "ally": "#56B4E9", "partner": "#E69F00", "adversary": "#D55E00"}
"""Okabe and Ito's palette, safe for the common forms of colour blindness."""

BLOC_NAMES = {"us": "United States", "ally": "US allies", "partner": "third countries", "adversary": "adversary"}

ROUTE_COLOURS = {
    "from the US": "#0072B2",
    "from US allies": "#56B4E9",
    "from third countries": "#E69F00",
    "smuggled through hubs": "#CC79A7",
    "rented abroad": "#009E73",
    "own makers": "#D55E00",
}

INK, SOFT, RULE = "#1b1f24", "#5b6570", "#d9dee3"
GAIN, LOSS, TOTAL = "#009E73", "#D55E00", "#5b6570"
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
WIDTH, HEIGHT = 430, 260


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


def colours(palette: dict[str, str], present: Iterable[str]) -> alt.Scale:
    """A colour scale with the palette's order, cut to what is present."""
    here = set(present)
    names = [name for name in palette if name in here]
    return alt.Scale(domain=names, range=[palette[name] for name in names])


_HEAD, _BELOW, _GAP, _BLOCK, HEADER = 18, 15, 5, 88, 27
"""Heights in pixels: a line of a title and of a subtitle, what lies between, both with the space below, a facet's header."""


def title(sentence: str, subtitle: str, *, header: int = 0) -> alt.TitleParams:
    """A title that is a sentence, over a subtitle with units, both wrapped to the panel.

    The space below makes panels side by side start at the same height.

    Args:
        header: height of what stands between title and panel.
    """
    head, below = wrap(sentence, 58), wrap(subtitle, 76)
    taken = _HEAD * len(head) + _BELOW * len(below) + _GAP + header
    return alt.TitleParams(text=head, subtitle=below, offset=max(_BLOCK - taken, _GAP))


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


def themed(chart: alt.VConcatChart) -> alt.VConcatChart:
    """The chart with the house's fonts, rules and paddings."""
    return (
        chart.configure(font=FONT, background="white", padding=24)
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
            columns=3,
        )
        .configure_view(stroke=None)
    )

"""Small print as a panel of its own, for pages that end with one."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import polars as pl

from backfill.charts.panel import source
from backfill.charts.theme import SOFT, WIDTH, wrap


def footer(*provenance: Mapping[str, object]) -> alt.Chart:
    """Source, date and unit under a page.

    Args:
        provenance: records of what is drawn.
    """
    lines = [line for text in source(*provenance, compute=True) for line in wrap(text, 170)]
    return (
        alt.Chart(pl.DataFrame({"text": ["\n".join(lines)]}))
        .mark_text(align="left", baseline="top", lineBreak="\n", fontSize=10.5, color=SOFT, lineHeight=15)
        .encode(text="text:N", x=alt.value(0), y=alt.value(0))
        .properties(width=2 * WIDTH, height=15 * len(lines))
    )

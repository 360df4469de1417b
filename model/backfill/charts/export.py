"""A chart as a file: SVG, PNG, PDF or a page of HTML, all without a network."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any

import altair as alt

from backfill.charts.offline import page_of

FORMATS = ("svg", "png", "pdf", "html")
SCALE = 2.0
"""Pixels of a PNG for each of the chart."""


def save(chart: alt.TopLevelMixin, path: str | os.PathLike[str]) -> Path:
    """Write a chart; its name says the format.

    Args:
        chart: any chart of `backfill.charts`.
        path: a file name that ends in ``.svg``, ``.png``, ``.pdf`` or ``.html``.

    Returns:
        the file written.

    Raises:
        ValueError: another ending.
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ValueError(f"{target.name!r} ends in none of {', '.join(f'.{one}' for one in FORMATS)}")
    spec: Any = chart.to_dict()
    told = str(spec.get("description", ""))
    if kind == "html":
        target.write_text(page_of(chart, told.split(". ")[1] if ". " in told else target.stem), encoding="utf-8")
    elif kind == "svg":
        target.write_text(svg(spec), encoding="utf-8")
    else:
        import vl_convert

        offline: dict[str, Any] = {"vl_version": ".".join(alt.SCHEMA_VERSION.split(".")[:2]), "allowed_base_urls": []}
        drawn = (
            vl_convert.vegalite_to_png(spec, scale=SCALE, **offline)
            if kind == "png"
            else vl_convert.vegalite_to_pdf(spec, **offline)
        )
        target.write_bytes(drawn)
    return target


def svg(spec: dict[str, Any]) -> str:
    """A chart as SVG whose alt text is read out where it is embedded."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(
        spec, vl_version=".".join(alt.SCHEMA_VERSION.split(".")[:2]), allowed_base_urls=[]
    )
    told = escape(str(spec.get("description", "")), quote=True)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{told}" ', 1)

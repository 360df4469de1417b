"""Pages that open without a network carry the JavaScript that draws them."""

from __future__ import annotations

import json
from html import escape
from importlib.metadata import version

import altair as alt

from backfill.kept import kept

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<title>{title}</title>
<script>{script}</script>
</head>
<body>
<main id="chart"></main>
<script>vegaEmbed("#chart", {chart}, {{"mode": "vega-lite"}}).catch(console.error);</script>
</body>
</html>
"""


def page_of(chart: alt.TopLevelMixin, title: str) -> str:
    """A chart as one HTML page that opens without a network."""
    written = json.dumps(chart.to_dict()).replace("</", "<\\/")
    return PAGE.format(title=escape(title), script=javascript(), chart=written)


def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, bundled by vl-convert, which takes longer than to draw."""

    def bundled() -> str:
        import vl_convert

        drawn = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
        return vl_convert.javascript_bundle(vl_version=drawn)  # pyright: ignore[reportCallIssue] (its stub asks for more)

    return kept(bundled, version("vl-convert-python"), alt.SCHEMA_VERSION)

"""From a chart to what a page holds: its specification, its words, its data, and the chart drawn for where no script runs."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backfill.reports.numbers import NOTHING
from backfill.reports.parts import Drawing, Table
from backfill.reports.words import amount, capital

Spec = dict[str, Any]

COMPOSED = ("facet", "hconcat", "vconcat", "concat", "repeat")
PICKED = "picked"
FADED = 0.12
MOST_ROWS = 400
CROWDED = 9
"""Categories along a chart above which it keeps its width."""

_HELPERS = {"order", "ahead", "at", "dark", "label", "zero", "text", "place", "end", "none"}


def drawing(chart: Any, name: str) -> Drawing:
    """A chart made by `backfill.charts`.

    Args:
        chart: an Altair chart that stands alone, with a title, a footer and a description.
        name: unique on the page.
    """
    spec: Spec = chart.to_dict()
    title, below = _titles(spec)
    alt = str(spec.get("description") or f"{title} {below}")
    body = _body(spec)
    shown = copy.deepcopy(body)
    field, series = _series(body)
    if field:
        _pickable(body, field)
    wide = _keeps_width(body)
    if not wide:
        body["width"] = "container"
        body["autosize"] = {"type": "fit-x", "contains": "padding"}
        for layer in body.get("layer", ()):
            layer.pop("width", None)
    table = _data(body, f"Data of the chart “{title.rstrip('.')}”")
    return Drawing(name, title, below, alt, body, _drawn(shown, name), series, table, wide)


def _titles(spec: Spec) -> tuple[str, str]:
    """Title and subtitle, of the chart or of what it wraps."""
    for one in (*spec.get("vconcat", ()), spec):
        told = one.get("title")
        if isinstance(told, Mapping) and told.get("orient") != "bottom":
            return _text(told.get("text")), _text(told.get("subtitle"))
    return "", ""


def _text(lines: object) -> str:
    return " ".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")


def _body(spec: Spec) -> Spec:
    """What is drawn, without titles, footers and margins of the whole."""
    top = {key: value for key, value in spec.items() if key not in ("vconcat", "title", "description", "resolve")}
    inner = spec.get("vconcat")
    body = dict(inner[0]) if inner and len(inner) == 1 else {k: spec[k] for k in ("vconcat", "resolve") if k in spec}
    body.pop("title", None)
    config = {**top.pop("config", {}), "aria": False, "padding": 4}
    top.pop("padding", None)
    return {**top, **body, "config": config, "background": "transparent"}


def _units(spec: Spec) -> Iterator[Spec]:
    """Every part that draws a mark."""
    if "mark" in spec:
        yield spec
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(key, ()):
            yield from _units(part)
    if isinstance(spec.get("spec"), dict):
        yield from _units(spec["spec"])


def _series(spec: Spec) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The field that colours tell apart, and its names and colours; nothing where no legend tells them."""
    for unit in _units(spec):
        for channel in ("color", "fill"):
            colour = unit.get("encoding", {}).get(channel, {})
            scale = colour.get("scale") or {}
            names, paints = scale.get("domain"), scale.get("range")
            told = colour.get("field") and colour.get("type") == "nominal" and colour.get("legend", {}) is not None
            if told and isinstance(names, list) and isinstance(paints, list) and 1 < len(names) == len(paints):
                return colour["field"], tuple(zip(map(str, names), map(str, paints), strict=True))
    return "", ()


def _pickable(spec: Spec, field: str) -> None:
    """Let a list of names, empty at first, say what stands out; the page has the legend."""
    spec["params"] = [*spec.get("params", ()), {"name": PICKED, "value": []}]
    test = f"!length({PICKED}) || indexof({PICKED}, datum[{json.dumps(field)}]) >= 0"
    for unit in _units(spec):
        encoding = unit.setdefault("encoding", {})
        for channel in ("color", "fill"):
            if encoding.get(channel, {}).get("field") == field:
                encoding[channel]["legend"] = None
                mark = unit["mark"] if isinstance(unit["mark"], dict) else {"type": unit["mark"]}
                encoding.setdefault(
                    "opacity", {"condition": {"test": test, "value": mark.get("opacity", 1)}, "value": FADED}
                )


def _keeps_width(spec: Spec) -> bool:
    """Whether a chart is of one piece that may be as narrow as its place."""
    if any(key in spec for key in COMPOSED) or not isinstance(spec.get("width"), int | float | type(None)):
        return True
    for unit in _units(spec):
        mark = unit["mark"]["type"] if isinstance(unit["mark"], dict) else unit["mark"]
        encoding = unit.get("encoding", {})
        x = encoding.get("x", {})
        if mark in ("geoshape", "image", "trail") or any(c in encoding for c in ("row", "column", "facet")):
            return True
        if x.get("type") in ("nominal", "ordinal") and mark == "rect":
            return True
        if mark in ("rect", "area", "line", "rule") and "value" in x and "value" in encoding.get("x2", {}):
            return True
    rows = [row for row in spec.get("datasets", {}).values() if len(row) > 2000]
    return bool(rows)


def _data(spec: Spec, caption: str) -> Table:
    """What a chart's tooltips tell, row by row; where there are none, the columns of its largest table."""
    datasets: Mapping[str, list[dict[str, Any]]] = spec.get("datasets", {})
    best: tuple[int, Table] | None = None
    for unit, rows in _with_data(spec, datasets, None):
        tips = unit.get("encoding", {}).get("tooltip")
        told = [tip for tip in (tips if isinstance(tips, list) else [tips] if tips else []) if tip.get("field")]
        told = [tip for tip in told if rows and tip["field"] in rows[0]]
        if told and rows and (best is None or len(rows) * len(told) > best[0]):
            heads = [(tip["field"], tip.get("title") or tip["field"]) for tip in told]
            best = (len(rows) * len(told), _table(caption, heads, rows))
    if best is None:
        rows = max(datasets.values(), key=len, default=[])
        heads = [(key, key) for key in (rows[0] if rows else {}) if key not in _HELPERS]
        return _table(caption, heads, rows)
    return best[1]


def _with_data(spec: Spec, datasets: Mapping[str, list], rows: list | None) -> Iterator[tuple[Spec, list]]:
    named = (spec.get("data") or {}).get("name")
    rows = datasets.get(named, rows) if named else (spec.get("data") or {}).get("values", rows)
    if "mark" in spec and isinstance(rows, list):
        yield spec, rows
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(key, ()):
            yield from _with_data(part, datasets, rows)
    if isinstance(spec.get("spec"), dict):
        yield from _with_data(spec["spec"], datasets, rows)


def _table(caption: str, heads: Iterable[tuple[str, str]], rows: list[dict[str, Any]]) -> Table:
    named = list(heads)
    seen = dict.fromkeys(tuple(_cell(row.get(field)) for field, _ in named) for row in rows)
    numeric = tuple(
        n for n, (field, _) in enumerate(named) if any(isinstance(row.get(field), float) for row in rows)
    )  # fmt: skip
    shown = list(seen)[:MOST_ROWS]
    cut = f" (the first {MOST_ROWS} of {len(seen):,} rows)" if len(seen) > MOST_ROWS else ""
    return Table(
        caption + cut, tuple(capital(head.replace("_", " ")) for _, head in named), tuple(shown), numeric, open=False
    )


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return amount(value, "") if isinstance(value, float) else str(value)


def _drawn(spec: Spec, name: str) -> str:
    """The chart as SVG, its names unique on the page."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(json.dumps(spec))
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    for one in ids:
        svg = svg.replace(f'id="{one}"', f'id="{name}-{one}"').replace(f"url(#{one})", f"url(#{name}-{one})")
        svg = svg.replace(f'href="#{one}"', f'href="#{name}-{one}"')
    width, height = (re.search(rf'\b{side}="([\d.]+)"', svg) for side in ("width", "height"))
    if width and height and "viewBox" not in svg:
        svg = svg.replace("<svg ", f'<svg viewBox="0 0 {width[1]} {height[1]}" ', 1)
    return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)

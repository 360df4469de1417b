"""A report as one HTML page that opens without a network."""

from __future__ import annotations

import json
from importlib.resources import files

from backfill.charts.offline import javascript
from backfill.reports.parts import Report
from backfill.resources import version

GENERATOR = "backfill report"


def page(report: Report) -> str:
    """The report as HTML: text, charts, the scripts that draw them and all styles in one file."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    template = files("backfill.reports") / "template"

    def read(name: str) -> str:
        return (template / name).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters["script"] = _in_script
    environment.filters["typed"] = _typed
    text = environment.get_template("page.html").render(
        report=report,
        css=read("page.css"),
        js=read("page.js"),
        vega=javascript() if report.drawings else "",
        generator=GENERATOR,
        version=version(),
    )
    return text[text.index("<!DOCTYPE") :]


def is_report(text: str) -> bool:
    """Whether a page was made by `page`."""
    return f'<meta name="generator" content="{GENERATOR}">' in text[:4000]


def _in_script(spec: object) -> object:
    """JSON that may stand inside a script element."""
    from markupsafe import Markup

    text = json.dumps(spec, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _typed(text: str) -> object:
    """Text in which what stands between backticks is typed: ``code`` in HTML."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )

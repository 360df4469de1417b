"""Pages that open without a network carry the JavaScript that draws them."""

from __future__ import annotations

from threading import Thread


def prepare() -> None:
    """Bundle that JavaScript on another thread, once a process: it takes longer than to draw, and a solver can run meanwhile."""
    Thread(target=_bundle, name="pages").start()


def _bundle() -> None:
    import altair as alt

    alt.Chart().mark_point().to_html(inline=True)

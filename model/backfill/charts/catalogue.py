"""Which charts there are of what: their names, and drawing one by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt

from backfill.charts import of_comparison, of_design, of_game, of_result, of_sweep
from backfill.charts.panel import NothingToDraw
from backfill.errors import did_you_mean
from backfill.experiments.align.result import AlignResult
from backfill.experiments.beside import SideBySide
from backfill.experiments.design.result import DesignResult
from backfill.experiments.results import Result

Chart = Callable[..., alt.VConcatChart]

OF_RESULT: dict[str, Chart] = {
    "compute-by-route": of_result.compute_by_route,
    "waterfall": of_result.waterfall,
    "who-backfills": of_result.who_backfills,
    "backfill-rates": of_result.backfill_rates,
    "flows": of_result.flows,
    "flow-bands": of_result.flow_bands,
    "exports-map": of_result.exports_map,
    "stocks": of_result.stocks,
    "capacity": of_result.capacity,
    "welfare": of_result.welfare,
    "tornado": of_result.ranges_tornado,
}
OF_COMPARISON: dict[str, Chart] = {"side-by-side": of_comparison.side_by_side, "changes": of_comparison.changes}
OF_GAME: dict[str, Chart] = {
    "payoffs": of_game.payoffs,
    "deterrence": of_game.deterrence,
    "tariff-response": of_game.tariff_response,
    "coalitions": of_game.coalitions,
}
OF_DESIGN: dict[str, Chart] = {
    "frontier": of_design.design_frontier,
    "mixes": of_design.mixes,
    "levers": of_design.levers,
    "marginals": of_design.marginals,
    "packages": of_design.packages,
}
OF_SWEEP: dict[str, Chart] = {
    "tornado": of_sweep.sweep_tornado,
    "frontier": of_sweep.sweep_frontier,
    "two-levers": of_sweep.two_levers,
    "lever-response": of_sweep.lever_response,
}
"""Charts by name, in the order in which they are read."""


def charts_of(thing: object) -> dict[str, Chart]:
    """The charts of a kind of thing by name, whether or not this one has what they draw.

    Raises:
        TypeError: it is none of a result, a comparison, a game, a design and a sweep.
    """
    kinds: tuple[tuple[type, dict[str, Chart]], ...] = (
        (Result, OF_RESULT),
        (SideBySide, OF_COMPARISON),
        (AlignResult, OF_GAME),
        (DesignResult, OF_DESIGN),
    )
    for kind, charts in kinds:
        if isinstance(thing, kind):
            return charts
    if hasattr(thing, "scenarios") and hasattr(thing, "effects"):
        return OF_SWEEP
    raise TypeError(
        f"a {type(thing).__name__} has no charts; a result, a comparison, a game, a design and a sweep have"
    )


def draw(thing: object, name: str, **options: Any) -> alt.VConcatChart:
    """A chart by its name.

    Args:
        thing: a result, a comparison, a game, a design or a sweep.
        name: one of `names`.
        options: of the chart's function, such as ``group="chips"``.

    Raises:
        NothingToDraw: there is no such chart, or it has nothing to draw.
        TypeError: the thing has no charts, or the chart no such option.
    """
    charts = charts_of(thing)
    if name not in charts:
        raise NothingToDraw(f"no chart {name!r}; {did_you_mean(name, list(charts))}")
    chart = charts[name]
    if charts is OF_SWEEP and name in ("two-levers", "lever-response"):
        options = {**_first_levers(thing, name), **options}
    return chart(thing, **options)


def _first_levers(sweep: Any, name: str) -> dict[str, str]:
    known = of_sweep.levers_of(sweep)
    wanted = ("x", "y") if name == "two-levers" else ("lever",)
    if len(known) < len(wanted):
        raise NothingToDraw(f"{name} draws {len(wanted)} levers that vary; there are {', '.join(known) or 'none'}")
    return dict(zip(wanted, known, strict=False))


def names(thing: object) -> tuple[str, ...]:
    """Names of the charts that have something to draw of a thing, in the order in which they are read.

    Raises:
        TypeError: the thing has no charts.
    """
    found = []
    for name in charts_of(thing):
        try:
            draw(thing, name)
        except NothingToDraw:
            continue
        found.append(name)
    return tuple(found)

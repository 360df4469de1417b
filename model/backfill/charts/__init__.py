"""Charts of results, comparisons, games, designs and sweeps: one function a chart, each returns an Altair chart.

Of a result: `compute_by_route`, `waterfall`, `who_backfills`, `backfill_rates`, `flows`, `flow_bands`, `exports_map`, `stocks`,
`capacity`, `welfare`, `ranges_tornado`. Of a comparison: `side_by_side`, `changes`. Of a game: `payoffs`, `deterrence`,
`tariff_response`, `coalitions`. Of a design: `design_frontier`, `mixes`, `levers`, `marginals`, `packages`. Of a sweep:
`two_levers`, `sweep_tornado`, `sweep_frontier`, `lever_response`. `names` says which of them have something to draw, `draw` draws
one by its name, `save` writes it as SVG, PNG, PDF or HTML without a network. Nothing is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backfill.charts.catalogue import draw, names
    from backfill.charts.export import save
    from backfill.charts.of_comparison import changes, side_by_side
    from backfill.charts.of_design import design_frontier, levers, marginals, mixes, packages
    from backfill.charts.of_game import coalitions, deterrence, payoffs, tariff_response
    from backfill.charts.of_result import (
        backfill_rates,
        capacity,
        compute_by_route,
        exports_map,
        flow_bands,
        flows,
        ranges_tornado,
        stocks,
        waterfall,
        welfare,
        who_backfills,
    )
    from backfill.charts.of_sweep import lever_response, sweep_frontier, sweep_tornado, two_levers
    from backfill.charts.panel import NothingToDraw

__all__ = [
    "NothingToDraw",
    "backfill_rates",
    "capacity",
    "changes",
    "coalitions",
    "compute_by_route",
    "design_frontier",
    "deterrence",
    "draw",
    "exports_map",
    "flow_bands",
    "flows",
    "lever_response",
    "levers",
    "marginals",
    "mixes",
    "names",
    "packages",
    "payoffs",
    "ranges_tornado",
    "save",
    "side_by_side",
    "stocks",
    "sweep_frontier",
    "sweep_tornado",
    "tariff_response",
    "two_levers",
    "waterfall",
    "welfare",
    "who_backfills",
]

_HOMES = {
    "catalogue": ("draw", "names"),
    "export": ("save",),
    "of_comparison": ("changes", "side_by_side"),
    "of_design": ("design_frontier", "levers", "marginals", "mixes", "packages"),
    "of_game": ("coalitions", "deterrence", "payoffs", "tariff_response"),
    "of_result": (
        "backfill_rates",
        "capacity",
        "compute_by_route",
        "exports_map",
        "flow_bands",
        "flows",
        "ranges_tornado",
        "stocks",
        "waterfall",
        "welfare",
        "who_backfills",
    ),
    "of_sweep": ("lever_response", "sweep_frontier", "sweep_tornado", "two_levers"),
    "panel": ("NothingToDraw",),
}


def __getattr__(name: str) -> object:
    for home, there in _HOMES.items():
        if name in there:
            return getattr(import_module(f"backfill.charts.{home}"), name)
    raise AttributeError(f"module 'backfill.charts' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Who fills the gap when compute exports are controlled, at what price, and to whom is it a cost?

`run` solves an experiment and measures its effects; `load_experiment` reads a policy file, `load_result` a result; `compare`
puts results side by side; `panel` moves an experiment's levers by hand in a notebook; `Economy` and `solve_world` are the model
underneath; `keep_compiled` keeps compiled programs on disk. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backfill.commands.compare import compare
    from backfill.commands.run import keep_compiled
    from backfill.economy.economy import Economy
    from backfill.experiments.config import load_experiment
    from backfill.experiments.results import Result, load_result
    from backfill.experiments.run import run
    from backfill.experiments.sweep.load import Sweep, load_sweep
    from backfill.hats.base import ElasticLabour, ScaleEconomies
    from backfill.live.panel import panel
    from backfill.world import solve_world

__all__ = [
    "Economy",
    "ElasticLabour",
    "Result",
    "ScaleEconomies",
    "Sweep",
    "compare",
    "keep_compiled",
    "load_experiment",
    "load_result",
    "load_sweep",
    "panel",
    "run",
    "solve_world",
]

_HOMES = {
    "Economy": "backfill.economy.economy",
    "ElasticLabour": "backfill.hats.base",
    "Result": "backfill.experiments.results",
    "ScaleEconomies": "backfill.hats.base",
    "Sweep": "backfill.experiments.sweep.load",
    "compare": "backfill.commands.compare",
    "keep_compiled": "backfill.commands.run",
    "load_experiment": "backfill.experiments.config",
    "load_result": "backfill.experiments.results",
    "load_sweep": "backfill.experiments.sweep.load",
    "panel": "backfill.live.panel",
    "run": "backfill.experiments.run",
    "solve_world": "backfill.world",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "__version__":
        return import_module("backfill.resources").version()
    raise AttributeError(f"module 'backfill' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

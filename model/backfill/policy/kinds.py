"""The kinds of measure there are, found in `backfill.policy.measures`, and how they are described to people."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from backfill.policy import measures
from backfill.policy.measure import KINDS, Measure


@cache
def kinds() -> dict[str, type[Measure]]:
    """Kind to class, in alphabetical order."""
    for module in pkgutil.iter_modules(measures.__path__, f"{measures.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(KINDS.items()))


def sentence(measure: type[Measure]) -> str:
    """First line of a kind's docstring."""
    return (measure.__doc__ or "").strip().splitlines()[0]


def fields(measure: type[Measure]) -> list[tuple[str, str, str]]:
    """Fields of a kind as (key in the file, unit or empty, description)."""
    rows = []
    for name, field in measure.model_fields.items():
        extra = field.json_schema_extra
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        rows.append((field.alias or name, unit, field.description or ""))
    return rows

"""The kinds of measure there are, found in `backfill.policy.measures`, and how they are described to people."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

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


@dataclass(frozen=True)
class FieldOf:
    """A field of a kind as people read it.

    Attributes:
        key: in the file.
        unit, bounds: empty where there are none.
        default: as a file has it; empty if it may be left out and is then nothing, ``"needed"`` if it may not.
        description: what it means.
    """

    key: str
    unit: str
    bounds: str
    default: str
    description: str


def fields(measure: type[Measure]) -> list[FieldOf]:
    """Fields of a kind in the order of its class, those of its own first, each table's own fields after it."""
    shared = set(Measure.model_fields)
    rows = []
    for name, field in sorted(measure.model_fields.items(), key=lambda item: item[0] in shared and item[0] != "kind"):
        if name in ("kind", "included_from"):
            continue
        rows.append(_field(name, field))
        for inner in _within(field.annotation, BaseModel):
            if not issubclass(inner, Measure):
                rows += [_field(f"{name}.{key}", part) for key, part in inner.model_fields.items()]
    return rows


def tables_within(measure: type[Measure], raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """Keys of the tables inside a kind, by the field that holds them.

    Args:
        measure: the kind.
        raw: its table as read, which says of what kind a measure inside is.
    """
    found: dict[str, list[str]] = {}
    for field, info in measure.model_fields.items():
        name = info.alias or field
        for inner in _within(info.annotation, BaseModel):
            if issubclass(inner, Measure):
                held = raw.get(name)
                inner = kinds().get(str(held.get("kind")), inner) if isinstance(held, Mapping) else inner
            found.setdefault(name, []).extend(told_keys(inner))
    return found


def told_keys(table: type[BaseModel]) -> list[str]:
    """Keys of a table that a person may write."""
    return [info.alias or name for name, info in table.model_fields.items() if name != "included_from"]


def _field(name: str, field: FieldInfo) -> FieldOf:
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    default = "needed" if field.is_required() else _written(field.default)
    choices = [str(one) for one in _choices(field.annotation)]
    bounds = f"one of {', '.join(choices)}" if choices else _bounds(field.metadata)
    return FieldOf(field.alias or name, unit, bounds, default, field.description or "")


def _within(annotation: Any, kind: type) -> list[type]:
    """Classes of a kind among what a field may hold."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, kind) else []
    return list(dict.fromkeys(found for part in get_args(annotation) for found in _within(part, kind)))


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Words of which a field takes one."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(one for part in get_args(annotation) for one in _choices(part))


_SIDES = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _bounds(metadata: Iterable[object]) -> str:
    found = {side: getattr(one, side) for one in metadata for side in _SIDES if hasattr(one, side)}
    return ", ".join(f"{_SIDES[side]} {value:g}" for side, value in found.items())


def _written(default: object) -> str:
    if default in (None, "", ()):
        return ""
    if isinstance(default, BaseModel):
        return json.dumps(default.model_dump())
    if isinstance(default, tuple):
        return json.dumps(default[0] if len(default) == 1 else list(default))
    return json.dumps(default)


def example(measure: type[Measure]) -> str:
    """An experiment file that runs, around the kind's example."""
    beside = f"{measure.beside.rstrip()}\n\n" if measure.beside else ""
    return f"{beside}[[measures]]\n{measure.example.rstrip()}\n"

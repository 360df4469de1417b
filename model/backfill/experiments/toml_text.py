"""Plain values as TOML text (the standard library reads TOML but does not write it)."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import PurePath
from typing import cast

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")


def to_toml(value: Mapping[str, object]) -> str:
    """A mapping as a TOML document: plain keys first, then tables, then arrays of tables; None is left out.

    Raises:
        TypeError: a value TOML has no form for.
    """
    return "\n".join(_table(value, ())).strip() + "\n"


def _table(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    later: list[tuple[str, object]] = []
    for key, value in table.items():
        if value is None:
            continue
        if isinstance(value, Mapping) or _is_tables(value):
            later.append((key, value))
        else:
            lines.append(f"{_key(key)} = {_inline(value, (*path, key))}")
    for key, value in later:
        name = ".".join(_key(part) for part in (*path, key))
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_table(value, (*path, key))]
        else:
            for item in cast("Sequence[Mapping[str, object]]", value):
                lines += ["", f"[[{name}]]", *_table(item, (*path, key))]
    return lines


def _is_tables(value: object) -> bool:
    """Whether a value is written as an array of tables."""
    return _is_list(value) and bool(value) and all(isinstance(v, Mapping) for v in cast("Sequence[object]", value))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes)


def _key(key: str) -> str:
    return key if _BARE.match(key) else _string(key)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: object, path: tuple[str, ...]) -> str:
    if isinstance(value, Enum):
        return _inline(value.value, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | PurePath):
        return _string(str(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_inline(v, (*path, k))}" for k, v in value.items() if v is not None)
        return "{" + inner + "}"
    if _is_list(value):
        items = cast("Sequence[object]", sorted(value) if isinstance(value, set | frozenset) else value)
        return "[" + ", ".join(_inline(item, path) for item in items) + "]"
    raise TypeError(f"{'.'.join(path)}: TOML has no form for {type(value).__name__}")


def _number(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = repr(value)
    return text if any(mark in text for mark in ".en") else f"{text}.0"

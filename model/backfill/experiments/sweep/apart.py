"""Where two experiment files, both written out, are not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST, LONGEST = 3, 60
"""Differences that are told, the others being counted, and characters of a value."""


def apart(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first differences by key, with what is written there and here; empty if there are none."""
    found = list(_differences("", before, now))
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return "; ".join(found[:MOST]) + more


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for word in dict.fromkeys([*before, *now]):
            yield from _differences(f"{key}.{word}" if key else word, before.get(word), now.get(word))
    elif _are_tables(before or now) and _are_tables(now or before):
        there, here = _by_name(before or ()), _by_name(now or ())
        for name in dict.fromkeys([*there, *here]):
            yield from _differences(f'{key} "{name}"', there.get(name), here.get(name))
    elif before != now:
        yield f"{key}: {_told(before)} there, {_told(now)} here"


def _are_tables(value: Any) -> bool:
    return isinstance(value, Sequence) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _by_name(tables: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {_called(table) or str(n + 1): table for n, table in enumerate(tables)}


def _called(table: Mapping[str, Any]) -> str:
    """The name of a table, or what it is about."""
    about = table.get("measure", table.get("parameter", ()))
    words = [about] if isinstance(about, str) else [*about]
    return str(table.get("name") or " ".join(filter(None, [*words, str(table.get("field", ""))])))


def _told(value: Any) -> str:
    if value is None or isinstance(value, Mapping):
        return "nothing" if value is None else "something"
    told = f'"{value}"' if isinstance(value, str) else str(value)
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}..."

"""Key numbers as tables: levels and changes with their ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from backfill.effects.welfare import GAIN
from backfill.reports.names import PLACES
from backfill.reports.parts import Table
from backfill.reports.words import amount, capital

NOTHING = "–"
NAMES = {
    "capacity, logic_advanced": "capacity for advanced logic",
    "capacity, hbm": "capacity for high-bandwidth memory",
}


def shown(value: float | None, unit: str) -> str:
    """A number, or a dash where there is none."""
    return NOTHING if value is None else amount(value, unit)


def between(low: float | None, high: float | None, unit: str) -> str:
    """A range, or a dash."""
    return NOTHING if low is None or high is None else f"{amount(low, unit)} to {amount(high, unit)}"


def of_result(summary: pl.DataFrame, name: str, reference: str, second: str | None) -> Table:
    """Headline numbers of a result."""
    ranged = summary["low"].is_not_null().any()
    head = ["number", "where", "when", reference, name, "change", *(["range of the change"] if ranged else [])]
    head += [f"against {second}"] if second else []
    rows = []
    for row in summary.iter_rows(named=True):
        unit = row["unit"]
        cells = [NAMES.get(row["quantity"], row["quantity"]), row["where"], _when(row["period"])]
        cells += [shown(row[key], unit) for key in ("reference", "policy", "change")]
        cells += [between(row["low"], row["high"], unit)] if ranged else []
        cells += [shown(row["against_current_policy"], unit)] if second else []
        if any(row[key] is not None for key in ("reference", "policy", "change", "against_current_policy")):
            rows.append(tuple(map(str, cells)))
    return Table(_caption(ranged), tuple(head), tuple(rows), tuple(range(3, len(head))))


def _caption(ranged: Any) -> str:
    told = "Levels in both worlds and the change; a rate, or a cost per unit, is that between the two worlds"
    return told + ("" if ranged else ". Central values only: no ranges were asked for")


def missing(summary: pl.DataFrame) -> Table | None:
    """Numbers that do not exist, and why; None if there are all."""
    if "note" not in summary.columns:
        return None
    noted = summary.filter(~pl.col("note").is_in(["", GAIN]))
    rows = tuple((f"{q}, {w}", capital(n)) for q, w, n in noted.select("quantity", "where", "note").iter_rows())
    return Table("Numbers that do not exist or have no range, and why", ("number", "why"), rows) if rows else None


def of_comparison(table: pl.DataFrame, worlds: Iterable[str], reference: str) -> Table:
    """Headline numbers of several policies: the reference's level, and each change with its range."""
    names = list(worlds)
    rows = []
    for row in table.iter_rows(named=True):
        if all(row[f"{world}: change"] is None for world in names):
            continue
        unit = row["unit"]
        cells = [
            NAMES.get(row["quantity"], row["quantity"]),
            row["where"],
            _when(row["period"]),
            shown(row["reference"], unit),
        ]
        for world in names:
            range_ = between(row.get(f"{world}: low"), row.get(f"{world}: high"), unit)
            cells.append(shown(row[f"{world}: change"], unit) + ("" if range_ == NOTHING else f" ({range_})"))
        rows.append(tuple(cells))
    head = ("number", "where", "when", reference, *(f"change, {world}" for world in names))
    return Table(
        f"Changes from {reference}, with their ranges where they were computed",
        head,
        tuple(rows),
        tuple(range(3, len(head))),
    )


def of_summary(summary: pl.DataFrame, caption: str, parts: Mapping[str, str] | None = None) -> Table:
    """Headline numbers of a game or a design."""
    ranged = summary["low"].is_not_null().any()
    rows = []
    for row in summary.iter_rows(named=True):
        unit = row["unit"] or ""
        where = (parts or {}).get(row["where"], _place(row["where"] or ""))
        cells = [
            row["quantity"],
            where,
            shown(row["value"], unit),
            *([between(row["low"], row["high"], unit)] if ranged else []),
        ]
        rows.append((*cells, row["note"] or ""))
    head = ("number", "where", "value", *(["range"] if ranged else []), "note")
    return Table(caption, head, tuple(rows), tuple(range(2, len(head) - 1)))


def _place(code: str) -> str:
    first, comma, rest = code.partition(", ")
    return PLACES.get(first, first).removeprefix("the ") + comma + rest


def _when(period: str) -> str:
    return period.replace("-", "–")


def plain_table(frame: pl.DataFrame, caption: str, *, most: int = 400) -> Table:
    """Any table, numbers with four digits."""
    cut = frame.head(most)
    numeric = tuple(n for n, (_, kind) in enumerate(cut.schema.items()) if kind.is_numeric())
    rows = tuple(tuple(_cell(value) for value in row) for row in cut.iter_rows())
    told = caption if frame.height <= most else f"{caption}; the first {most} of {frame.height:,} rows"
    return Table(told, tuple(name.replace("_", " ") for name in frame.columns), rows, numeric)


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return amount(value, "")
    return f"{value:,}" if isinstance(value, int) else str(value)

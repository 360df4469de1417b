"""Sentences whose numbers are cells of tables, never typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from backfill.reports.words import amount, per_cent


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        table: the table's name.
        keys: column to what stands there, which find one row.
        column: the number's column.
        value: the number, None where there is none.
        unit: its unit.
        note: why there is none.
    """

    table: str
    keys: tuple[tuple[str, object], ...]
    column: str
    value: float | None
    unit: str
    note: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.table}: {', '.join(str(value) for _, value in self.keys)}: {self.column}"

    def __bool__(self) -> bool:
        return self.value is not None


@dataclass(frozen=True)
class Figure:
    """A number as a sentence has it.

    Attributes:
        words: as it is written.
        value: the number written: of one cell its size or itself, of two the first over the second.
        unit: its unit.
        cells: whence.
    """

    words: str
    value: float
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sentence:
    """Text and numbers in turn."""

    parts: tuple[str | Figure, ...]

    @property
    def text(self) -> str:
        """The sentence in plain words."""
        return "".join(part if isinstance(part, str) else part.words for part in self.parts)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Its numbers."""
        return tuple(part for part in self.parts if isinstance(part, Figure))


Part = str | Figure | None


def sentence(*parts: Part | tuple[Part, ...] | list[Part]) -> Sentence:
    """A sentence of texts, numbers and lists of them; what is None is left out. Starts with a capital and ends with a stop."""
    flat: list[str | Figure] = []
    for part in parts:
        flat += [one for one in (part if isinstance(part, tuple | list) else (part,)) if one is not None and one != ""]
    if flat and isinstance(flat[0], str):
        flat[0] = flat[0][:1].upper() + flat[0][1:]
    return Sentence((*flat, *([] if Sentence(tuple(flat)).text.endswith((".", "?", "!")) else ["."])))


def size(cell: Cell) -> Figure:
    """A number without its sign, where words say it."""
    assert cell.value is not None
    return Figure(amount(abs(cell.value), cell.unit), abs(cell.value), cell.unit, (cell,))


def level(cell: Cell) -> Figure:
    """A number with its sign."""
    assert cell.value is not None
    return Figure(amount(cell.value, cell.unit), cell.value, cell.unit, (cell,))


def ratio(part: Cell, whole: Cell) -> Figure | None:
    """The size of one number as a share of another; None if either is missing or the whole is nothing."""
    if part.value is None or not whole.value:
        return None
    share = abs(part.value / whole.value)
    return Figure(per_cent(share), share, "share", (part, whole))


def joined(parts: list[list[Part]], *, last: str = " and ") -> list[Part]:
    """Groups of parts as an enumeration."""
    out: list[Part] = []
    for n, group in enumerate(parts):
        out += [] if n == 0 else [last if n == len(parts) - 1 else ", "]
        out += group
    return out


Lookup = Callable[..., Cell]


def in_table(name: str, frame: pl.DataFrame) -> Lookup:
    """Finds cells: ``find("change", quantity="compute denied", where="adversary")``; one without a value if no row is there."""

    def find(column: str, **keys: object) -> Cell:
        rows = (
            frame.filter(*(pl.col(key).eq_missing(pl.lit(value)) for key, value in keys.items()))
            if frame.width
            else frame
        )
        found: Mapping[str, object] = rows.row(0, named=True) if rows.height else {}
        value, unit = found.get(column), str(found.get("unit") or "")
        number = float(value) if isinstance(value, int | float) else None
        return Cell(name, tuple(keys.items()), column, number, unit, str(found.get("note") or ""))

    return find

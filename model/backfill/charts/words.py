"""Numbers as people write them: "43 million H100e", "1.2 billion USD", "12%"; with a true minus sign."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass

from backfill.units import format_number

_STEPS = ((1e12, "trillion "), (1e9, "billion "), (1e6, "million "), (1e3, "thousand "), (1.0, ""))
_PREFIXES = {"million ": 1e6, "thousand ": 1e3, "billion ": 1e9}


@dataclass(frozen=True)
class Measure:
    """How a quantity is read: multiply by the factor, and it is in the unit.

    Attributes:
        factor: from the table's unit.
        unit: in words, ``"million H100e"``; ``"%"`` for shares.
    """

    factor: float
    unit: str

    def label(self, value: float, digits: int = 3, *, signed: bool = False) -> str:
        """A value of the table without its unit (a per cent sign stays): ``−1.20``."""
        scaled = value * self.factor
        text = format_number(scaled, digits) if abs(scaled) < 10**digits else f"{scaled:,.0f}"
        text = _minus(f"+{text}" if signed and scaled > 0 else text)
        return f"{text}%" if self.unit == "%" and math.isfinite(scaled) else text


def measure(unit: str, values: Iterable[float | None]) -> Measure:
    """The measure in which the largest of some values is at least one.

    Args:
        unit: of the table: ``"H100e"``, ``"thousand H100e"``, ``"million USD ..."``, a share (``"share ..."``), or any other,
            which stays.
    """
    if unit.startswith("share"):
        return Measure(100.0, "%")
    prefix = next((one for one in _PREFIXES if unit.startswith(one)), "")
    bare, base = unit.removeprefix(prefix), _PREFIXES.get(prefix, 1.0)
    if not prefix and not bare.startswith(("H100e", "USD")) or " per " in unit:
        return Measure(1.0, unit)
    largest = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0) * base
    # A bound slightly below the step: 0.99995 million is written as one million.
    step, word = next(((s, w) for s, w in _STEPS if largest >= 0.9995 * s), (1.0, ""))
    return Measure(base / step, f"{word}{bare}")


def people(value: float, unit: str, digits: int = 2) -> str:
    """A value with its unit as people write it: ``"43 million H100e"``, ``"−1.2 billion USD"``, ``"12%"``."""
    how = measure(unit, [value])
    scaled = abs(value * how.factor)
    text = how.label(value, max(digits, 3) if scaled >= 99.95 else digits)
    return text if how.unit == "%" else f"{text} {how.unit}"


def capital(text: str) -> str:
    """The text with a large first letter."""
    return text[:1].upper() + text[1:]


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    every = list(names)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}" if every else ""


def day(iso: object) -> str:
    """A date as people write it: ``28 November 2026``; empty if there is none."""
    try:
        when = dt.datetime.fromisoformat(str(iso))
    except ValueError:
        return ""
    return f"{when.day} {when:%B %Y}"


def _minus(text: str) -> str:
    return text.replace("-", "−")

"""Numbers, days and lists as people write them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from backfill.units import format_accelerators, format_money, format_number

MINUS = "−"
GDP = "share of GDP"


def amount(value: float, unit: str) -> str:
    """A value in the unit of a table, as people write it: ``11.4 million H100e``, ``−$31.4 billion``, ``73%``.

    Args:
        value: finite.
        unit: as tables have it; one that is not known follows the number.
    """
    if unit in ("H100e", "thousand H100e"):
        return _signed(format_accelerators(value / 1e3 if unit == "H100e" else value))
    if unit.startswith("million USD"):
        return _signed(format_money(value)) + _rest(unit.removeprefix("million USD"))
    if unit.startswith("USD per "):
        return (
            _signed(f"{'-' if value < 0 else ''}${format_number(abs(value))}") + f" per {unit.removeprefix('USD per ')}"
        )
    if unit == GDP:
        return f"{per_cent(value)} of GDP"
    if unit.startswith("share"):
        return per_cent(value)
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "":
        return plain(value)
    number = _signed(format_number(value))
    return number if unit in ("", "ratio", "index") else f"{number} {unit}"


def plain(value: float) -> str:
    """A number without a unit, such as a level or a rate that a file has: ``0.5``, ``2``, ``1,200``."""
    text = format_number(value, 4)
    return _signed(text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text)


def _rest(words: str) -> str:
    """What follows a currency: a base year goes without saying, as a report states it once."""
    return "" if words.startswith(" of ") and words[4:].isdigit() else words


def per_cent(share: float) -> str:
    """A share in per cent to two digits or three: ``73%``, ``9.7%``, ``−0.012%``."""
    shown = 100 * share
    if shown == 0 or not math.isfinite(shown):
        return "0%" if shown == 0 else "undefined"
    decimals = min(max(0, 1 - math.floor(math.log10(abs(shown)))), 6) if abs(shown) < 9.95 else 0
    while decimals and abs(round(shown, decimals - 1) - shown) < 1e-9:
        decimals -= 1
    text = f"{shown:,.{decimals}f}"
    return _signed("0" if float(text.replace(",", "")) == 0 else text) + "%"


def _signed(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def listed(parts: Sequence[str], *, last: str = "and") -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def day(date: dt.date) -> str:
    """``1 July 2026``."""
    return f"{date.day} {date:%B %Y}"


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def years(span: str) -> str:
    """``2022-2030`` as ``from 2022 to 2030``, ``2030`` as ``in 2030``."""
    first, dash, last = span.partition("-")
    if dash and first[:4].isdigit() and last[:4].isdigit():
        return f"from {first} to {last}"
    return f"in {span}"

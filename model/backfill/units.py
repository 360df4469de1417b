"""Units of the model, conversions from the units people type, and numbers as people write them.

Values are in million USD of the base year, accelerators in thousand H100e (quality units), their prices in
thousand USD per H100e, so that quantity times price is a value. Other products are counted in million USD of the
base year at their own mill price.
"""

from __future__ import annotations

import math

MUSD = "million USD"
KH100E = "thousand H100e"
KUSD_PER_H100E = "thousand USD per H100e"
SHARE = "share"
RATIO = "ratio"
INDEX = "index, base year = 1"

UNITS: dict[str, str] = {
    MUSD: "millions of US dollars of the base year",
    KH100E: "thousands of H100 equivalents in quality units (operations and memory bandwidth)",
    KUSD_PER_H100E: "thousands of US dollars of the base year per H100 equivalent",
    SHARE: "a part of one",
    RATIO: "a quotient of two quantities in the same unit",
    INDEX: "relative to the base year",
}

TPP_PER_H100 = 15_831.2
"""Total processing performance of one H100 SXM: 1,978.9 dense FP8 TFLOP/s times 8 bits (NVIDIA H100 data sheet);
790 million TPP is then the 49,901 H100 of the country caps of 13 January 2025 (90 FR 4544)."""

_VALUE_UNITS = {"USD": 1e-6, "thousand USD": 1e-3, "million USD": 1.0, "musd": 1.0, "billion USD": 1e3}
_ACCELERATOR_UNITS = {"H100e": 1e-3, "thousand H100e": 1.0, "kh100e": 1.0, "million H100e": 1e3}


THETA = 0.6
"""Central weight of operations in the quality of an accelerator; its prior is ``quality_theta``."""


def quality(operations: float, bandwidth: float, theta: float = THETA) -> float:
    """Quality of an accelerator in H100e, ``q = operations**theta * bandwidth**(1 - theta)``.

    Args:
        operations: dense FP8 or INT8 throughput (else twice dense FP16) relative to an H100, above 0.
        bandwidth: memory bandwidth relative to an H100, above 0.
        theta: weight of operations, 0 to 1 (economics, section 2: 0.6, range 0.44 to 0.77).

    Raises:
        ValueError: an argument is outside its range.
    """
    if not (operations > 0 and bandwidth > 0 and 0 <= theta <= 1):
        raise ValueError(
            f"operations {operations} and bandwidth {bandwidth} must be above 0 and theta {theta} within 0 to 1"
        )
    return operations**theta * bandwidth ** (1 - theta)


def kh100e_from_tpp(tpp: float, quality_per_operations: float = 1.0) -> float:
    """Thousand H100e in an amount of total processing performance, ``tpp / TPP_PER_H100 * q / operations / 1000``.

    Args:
        tpp: total processing performance, as the rules count it (operations only).
        quality_per_operations: quality over relative operations of the chip it is spent on (1 for an H100, about
            2.3 for an H20, whose memory is better than its arithmetic).
    """
    return tpp / TPP_PER_H100 * quality_per_operations / 1000


def tpp_from_kh100e(kh100e: float, quality_per_operations: float = 1.0) -> float:
    """Total processing performance of thousand H100e; the inverse of :func:`kh100e_from_tpp`."""
    return kh100e * 1000 * TPP_PER_H100 / quality_per_operations


def to_model_quantity(amount: float, unit: str, quality_per_operations: float = 1.0) -> tuple[float, str]:
    """An amount in a unit people type, as (amount, unit) of the model.

    Args:
        amount: the amount, finite.
        unit: one of :func:`known_units`.
        quality_per_operations: see :func:`kh100e_from_tpp`; used for ``"TPP"`` only.

    Raises:
        ValueError: unknown unit, or an amount that is not finite; the message lists the known units.
    """
    if not math.isfinite(amount):
        raise ValueError(f"{amount} is not a finite amount")
    if unit in _VALUE_UNITS:
        return amount * _VALUE_UNITS[unit], MUSD
    if unit in _ACCELERATOR_UNITS:
        return amount * _ACCELERATOR_UNITS[unit], KH100E
    if unit in ("TPP", "million TPP"):
        scale = 1e6 if unit == "million TPP" else 1.0
        return kh100e_from_tpp(amount * scale, quality_per_operations), KH100E
    raise ValueError(f"unknown unit {unit!r}; known: {', '.join(known_units())}")


def known_units() -> tuple[str, ...]:
    """Units :func:`to_model_quantity` understands."""
    return (*_VALUE_UNITS, *_ACCELERATOR_UNITS, "TPP", "million TPP")


def format_number(value: float, digits: int = 3) -> str:
    """A number to ``digits`` significant digits with thousands separators: ``12,300``, ``0.0457``, ``-1.20``."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "unlimited" if value > 0 else "-unlimited"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - magnitude)
    magnitude = math.floor(math.log10(abs(rounded)))
    if magnitude < -6:
        return f"{rounded:.{digits - 1}e}"
    return f"{rounded:,.{max(0, digits - 1 - magnitude)}f}"


def format_share(value: float, decimals: int = 1) -> str:
    """A share as per cent: ``0.1234`` is ``12.3%``; undefined if it is not a number."""
    if math.isnan(value):
        return "undefined"
    return f"{_no_negative_zero(100 * value, decimals):,.{decimals}f}%"


def format_change(value: float, decimals: int = 1) -> str:
    """A relative change as signed per cent: ``-0.05`` is ``-5.0%``, ``0.05`` is ``+5.0%``."""
    if math.isnan(value):
        return "undefined"
    shown = _no_negative_zero(100 * value, decimals)
    return f"{shown:+,.{decimals}f}%" if shown else f"{shown:.{decimals}f}%"


def format_money(musd: float, digits: int = 3) -> str:
    """Million USD as people write money: ``$1.23 billion``, ``-$45.0 million``, ``$12,300``."""
    if not math.isfinite(musd):
        return format_number(musd)
    sign, size = ("-" if musd < 0 else ""), abs(musd)
    for threshold, scale, word in ((999_950, 1e6, " trillion"), (999.95, 1e3, " billion"), (0.99995, 1.0, " million")):
        if size >= threshold:
            return f"{sign}${format_number(size / scale, digits)}{word}"
    return f"{sign if size else ''}${size * 1e6:,.0f}"


def format_accelerators(kh100e: float, digits: int = 3) -> str:
    """Thousand H100e as people write them: ``1.20 million H100e``, ``450 thousand H100e``, ``12 H100e``."""
    if not math.isfinite(kh100e):
        return f"{format_number(kh100e)} H100e"
    size = abs(kh100e)
    if size >= 999.95:
        return f"{format_number(kh100e / 1e3, digits)} million H100e"
    if size >= 0.99995:
        return f"{format_number(kh100e, digits)} thousand H100e"
    return f"{_no_negative_zero(kh100e * 1e3, 0):,.0f} H100e"


def _no_negative_zero(value: float, decimals: int) -> float:
    rounded = round(value, decimals)
    return 0.0 if rounded == 0 else rounded

"""Figures of a hindcast as people read them."""

from __future__ import annotations

import math


def three(value: float | None) -> str:
    """A number in three digits; empty if there is none."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def factor_of(error: float) -> str:
    """The factor by which a forecast is off, from the size of its logarithm."""
    return f"{math.exp(error):.2f}"

"""Quantities that measures cap: units people type, units the model counts in, and what a chip counts for under a rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from backfill.dimensions import Vocabulary
from backfill.units import KH100E, MUSD, TPP_PER_H100, quality

_H20 = quality(296 / 1979, 4.0 / 3.35)
_ASCEND_910C = quality(1504 / 1979, 3.2 / 3.35)
_TPP = {
    "accelerators_frontier": 1.0,
    "accelerators_export_grade": (2368 / TPP_PER_H100) / _H20,
    "accelerators_adversary": (12032 / TPP_PER_H100) / _ASCEND_910C,
}
_CHIPS = {
    "accelerators_frontier": 1.0,
    "accelerators_export_grade": 1.0 / _H20,
    "accelerators_adversary": 1.0 / _ASCEND_910C,
}
_PER_H100E = {"H100e": dict.fromkeys(_TPP, 1.0), "TPP": _TPP, "units": _CHIPS}
"""How many H100s' worth of the unit one H100e of each accelerator is: an H100, an H20 and an Ascend 910C stand for the three
(data sheets; a rule counts operations only, quality counts memory bandwidth too)."""

Unit = Literal["H100e", "TPP", "units", "USD", "million USD"]
UNITS: tuple[Unit, ...] = ("H100e", "TPP", "units", "USD", "million USD")
_MONEY = {"USD": 1e-6, "million USD": 1.0}


def weight(unit: str, product: str) -> float:
    """How much of the unit, in H100s' worth, one H100e of a product counts; 1 for other products."""
    return _PER_H100E.get(unit, {}).get(product, 1.0)


def amount(quantity: float, unit: str) -> tuple[float, str]:
    """A quantity in the model's unit: thousand H100e for accelerators, million USD of the base year otherwise."""
    if unit in _MONEY:
        return quantity * _MONEY[unit], MUSD
    return quantity * 1e-3 / (TPP_PER_H100 if unit == "TPP" else 1.0), KH100E


def fitting_units(products: Iterable[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Units in which all the products can be counted; none if accelerators stand beside other products."""
    named = {code for name in products for code in vocabulary.expand_products(name)}
    accelerators = set(vocabulary.groups.get("accelerators", ()))
    if named <= accelerators:
        return tuple(unit for unit in UNITS if unit not in _MONEY)
    return () if named & accelerators else tuple(_MONEY)

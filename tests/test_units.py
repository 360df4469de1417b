"""Conversions against published figures, and numbers as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill import units


def test_country_cap_of_january_2025_is_49901_h100():
    amount, unit = units.to_model_quantity(790, "million TPP")
    assert unit == units.KH100E
    assert 1000 * amount == pytest.approx(49_901, abs=1)


def test_h20_is_a_third_of_an_h100_by_quality_and_a_seventh_by_operations():
    operations, bandwidth = 296 / 1978.9, 4.0 / 3.35
    assert operations == pytest.approx(0.15, abs=0.005)
    assert units.quality(operations, bandwidth) == pytest.approx(0.34, abs=0.005)


@given(st.floats(1e-6, 1e9), st.floats(0.1, 10))
def test_tpp_and_h100e_are_inverse(amount: float, ratio: float):
    assert units.kh100e_from_tpp(units.tpp_from_kh100e(amount, ratio), ratio) == pytest.approx(amount)


def test_quantities_are_converted_to_model_units():
    assert units.to_model_quantity(2, "billion USD") == (2000, units.MUSD)
    assert units.to_model_quantity(500_000, "H100e") == (500, units.KH100E)


@pytest.mark.parametrize(("amount", "unit"), [(1, "H200e"), (math.nan, "USD"), (math.inf, "TPP")])
def test_unknown_units_and_infinite_amounts_are_refused(amount: float, unit: str):
    with pytest.raises(ValueError, match=r"known: USD|finite"):
        units.to_model_quantity(amount, unit)


def test_quality_refuses_what_is_no_chip():
    with pytest.raises(ValueError, match="above 0"):
        units.quality(0, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(12_345, "12,300"), (0.04567, "0.0457"), (-1.2, "-1.20"), (0, "0"), (999.9, "1,000"), (math.nan, "undefined")],
)
def test_numbers_have_three_significant_digits(value: float, text: str):
    assert units.format_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234, "$1.23 billion"), (-45, "-$45.0 million"), (0.0123, "$12,300"), (2.5e6, "$2.50 trillion"), (0, "$0")],
)
def test_money(value: float, text: str):
    assert units.format_money(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1200, "1.20 million H100e"), (450, "450 thousand H100e"), (0.012, "12 H100e"), (-0.0001, "0 H100e")],
)
def test_accelerators(value: float, text: str):
    assert units.format_accelerators(value) == text


def test_shares_and_changes():
    assert units.format_share(0.1234) == "12.3%"
    assert units.format_share(math.nan) == "undefined"
    assert units.format_change(-0.05) == "-5.0%"
    assert units.format_change(0.05) == "+5.0%"
    assert units.format_change(-0.00001) == "0.0%"

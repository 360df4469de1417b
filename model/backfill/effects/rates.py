"""Rates over a fall that a policy causes: a number where the fall is large enough to divide by, else null and why."""

from __future__ import annotations

import polars as pl

SMALLEST = 0.05
"""A rate is given where its denominator exceeds this share of what fell (assumed: below it, the small change of a large
quantity, a rate says more about the denominator than about whom it is asked of)."""


def rate(numerator: pl.Expr, denominator: pl.Expr, before: pl.Expr) -> pl.Expr:
    """``numerator / denominator``, null where the denominator is not above `SMALLEST` of ``before``.

    Args:
        before: what the denominator is a fall of, in the reference.
    """
    return pl.when(_large(denominator, before)).then(numerator / denominator)


def note(denominator: pl.Expr, before: pl.Expr, fall: str) -> pl.Expr:
    """Why a rate is null, empty where it is not.

    Args:
        fall: the denominator in words, such as ``"the fall in US sales"``.
    """
    small = f"undefined: {fall} is under {SMALLEST:.0%} of the reference's"
    return (
        pl.when(_large(denominator, before))
        .then(pl.lit(""))
        .when((denominator > 0) & (before > 0))
        .then(pl.lit(small))
        .otherwise(pl.lit(f"undefined: {fall} is zero or negative"))
    )


def _large(denominator: pl.Expr, before: pl.Expr) -> pl.Expr:
    return ((denominator > 0) & (denominator > SMALLEST * before)).fill_null(False)

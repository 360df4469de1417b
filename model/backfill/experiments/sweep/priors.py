"""Priors of the benchmark's parameters as distributions to draw from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backfill.economy.tables import read_table
from backfill.resources import data_dir

Array = NDArray[np.float64]


def quantile(parameter: str) -> Callable[[Array], Array]:
    """The inverse of a prior's distribution function.

    The prior is triangular on its range ``[l, h]`` with its mode at the central value ``c``: with ``s = (c - l)/(h - l)`` it is
    ``l + sqrt(u (h - l)(c - l))`` for ``u <= s`` and ``h - sqrt((1 - u)(h - l)(h - c))`` above. A parameter that differs by
    product or region moves as one number over the widest of its ranges.

    Args:
        parameter: its name.

    Raises:
        KeyError: there is no such parameter.
    """
    rows = read_table(data_dir() / "baseline", "parameters").filter(pl.col("parameter") == parameter)
    if rows.is_empty():
        raise KeyError(parameter)
    ends = rows.select(pl.col("low").min(), pl.col("central").mean(), pl.col("high").max()).row(0)
    low, central, high = (float(x) for x in ends)

    def at(shares: Array) -> Array:
        shares = np.clip(np.asarray(shares, float), 0.0, 1.0)
        if not low < high:
            return np.full(shares.shape, central)
        split = (central - low) / (high - low)
        up = low + np.sqrt(shares * (high - low) * (central - low))
        down = high - np.sqrt((1 - shares) * (high - low) * (high - central))
        return np.where(shares <= split, up, down)

    return at

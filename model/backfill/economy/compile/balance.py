"""Biproportional balancing of one product's matrix."""

from __future__ import annotations

import numpy as np


def balance(prior: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, rounds: int = 2000) -> np.ndarray:
    """The matrix nearest to ``prior`` in relative entropy with the given row and column sums.

    ``x_ij = r_i prior_ij s_j``; columns are scaled to the total of the rows first.

    Raises:
        ValueError: a positive row or column has no positive cell, or the sums are not reached.
    """
    columns = columns * (rows.sum() / columns.sum())
    empty = [i for i in range(len(rows)) if rows[i] > 0 and prior[i].sum() <= 0]
    if empty or any(columns[j] > 0 and prior[:, j].sum() <= 0 for j in range(len(columns))):
        raise ValueError("a region that sells or buys has no possible partner: widen the prior")
    out = prior.copy()
    for _ in range(rounds):
        sums = out.sum(1)
        out *= np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        sums = out.sum(0)
        out *= np.divide(columns, sums, out=np.zeros_like(sums), where=sums > 0)[None, :]
        if np.abs(out.sum(1) - rows).max() <= 1e-12 * rows.sum():
            return out
    if np.abs(out.sum(1) - rows).max() <= 1e-6 * rows.sum():
        return out
    raise ValueError("row and column totals cannot be reached together: check shares against demand")

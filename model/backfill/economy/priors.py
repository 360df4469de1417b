"""Priors of the uncertain parameters: what each may be, how likely, and how to draw from it.

Every prior is a row of ``data/sources/parameters.csv``: central, low and high, a distribution, and what low and high are: with
bounds ``80%`` its 10% and 90% points, with ``support`` its ends. A distribution is a standard one carried over by an
increasing function ``x = g(z)``:

=============  =========================  ==========================================
distribution   g                          z
=============  =========================  ==========================================
lognormal      exp(z)                     normal
logitnormal    1 / (1 + exp(-z))          normal
normal         z                          normal
uniform        z                          uniform
triangular     z                          triangular, its mode at the central value
=============  =========================  ==========================================

Draws are cut at the 1% and 99% points, which are also the ends of what an experiment may set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from backfill.economy.tables import BaselineTables, read_table
from backfill.resources import data_dir

LOWEST, HIGHEST = 0.01, 0.99
"""Probabilities at which draws are cut."""

TAIL = 0.1
"""Probability below low, and above high, where they are 80% bounds."""

FAR_OFF = 0.2
"""How far the central value may lie from the median, in probability."""

GAMES = "games"
FIXED = "is set in [game] of an experiment"


@dataclass(frozen=True)
class Prior:
    """What an uncertain parameter may be.

    Attributes:
        name: as in ``[parameters]``; of a parameter by region ``name/region``.
        central, low, high: value used unless varied, and bounds.
        distribution: one of `schema.DISTRIBUTIONS`.
        bounds: ``"80%"`` or ``"support"``.
        acts_on: ``"model"``, ``"tables"``, ``"measures"`` or ``"games"``; only the last cannot be set in ``[parameters]``.
        unit: its unit.
        grade, source: how well it is known, and from where.
        meaning: what it is, in words.
    """

    name: str
    central: float
    low: float
    high: float
    distribution: str
    bounds: str
    acts_on: str
    unit: str
    grade: str
    source: str
    meaning: str

    def quantile(self, probability: Any) -> np.ndarray:
        """Value below which it lies with a probability, ``g(F^-1(u))`` with u cut to `LOWEST`..`HIGHEST`; elementwise."""
        return _FAMILIES[self.distribution].outward(self._base.ppf(np.clip(probability, LOWEST, HIGHEST)))

    def probability(self, value: Any) -> np.ndarray:
        """Probability that it is below a value; elementwise."""
        return self._base.cdf(_FAMILIES[self.distribution].inward(np.asarray(value, float)))

    def log_density(self, value: Any) -> np.ndarray:
        """Logarithm of the density at a value, ``log f(z) + log dz/dx``, minus infinity outside the support; elementwise."""
        family, x = _FAMILIES[self.distribution], np.asarray(value, float)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self._base.logpdf(family.inward(x)) + family.log_slope(x)
        return np.where(np.isnan(found), -np.inf, found)

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and largest value that is drawn, or may be set."""
        return float(self.quantile(LOWEST)), float(self.quantile(HIGHEST))

    @property
    def eighty(self) -> tuple[float, float]:
        """Its 10% and 90% points."""
        return (self.low, self.high) if self.bounds == "80%" else (float(self.quantile(TAIL)), float(self.quantile(1 - TAIL)))

    @cached_property
    def _base(self) -> Any:
        """The standard distribution of z."""
        from scipy import stats

        family = _FAMILIES[self.distribution]
        low, high = float(family.inward(np.asarray(self.low))), float(family.inward(np.asarray(self.high)))
        if self.distribution == "triangular":
            lower, upper = _corners(self.central, low, high) if self.bounds == "80%" else (low, high)
            return stats.triang((self.central - lower) / (upper - lower), lower, upper - lower)
        if self.distribution == "uniform":
            beyond = TAIL / (1 - 2 * TAIL) * (high - low) if self.bounds == "80%" else 0.0
            return stats.uniform(low - beyond, high - low + 2 * beyond)
        return stats.norm((low + high) / 2, (high - low) / 2 / float(stats.norm.ppf(1 - TAIL)))


@dataclass(frozen=True)
class _Family:
    """``x = outward(z)`` and back, with the log of ``dz/dx``."""

    outward: Any
    inward: Any
    log_slope: Any


def _logit(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x) - np.log1p(-x)


def _log(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


def _expit(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _same(x: np.ndarray) -> np.ndarray:
    return x


_PLAIN = _Family(_same, _same, np.zeros_like)
_FAMILIES: Mapping[str, _Family] = {
    "lognormal": _Family(np.exp, _log, lambda x: -_log(x)),
    "logitnormal": _Family(_expit, _logit, lambda x: -_log(x) - _log(1 - x)),
    "normal": _PLAIN,
    "uniform": _PLAIN,
    "triangular": _PLAIN,
}


def _corners(mode: float, low: float, high: float) -> tuple[float, float]:
    """Ends of the triangle with a mode and given 10% and 90% points.

    With u and v the distances of the ends from the mode: ``(u - (mode - low))^2 = .1 u (u + v)``, ``(v - (high - mode))^2 =
    .1 v (u + v)``, solved by repeating each for its own distance.
    """
    left, right = mode - low, high - mode
    u, v = 2 * left, 2 * right
    for _ in range(500):
        before = u, v
        u = left + math.sqrt(TAIL * u * (u + v))
        v = right + math.sqrt(TAIL * v * (u + v))
        if abs(u - before[0]) + abs(v - before[1]) < 1e-14 * (u + v):
            break
    return mode - u, mode + v


def load_priors(directory: Path | None = None) -> dict[str, Prior]:
    """Priors by name, in the order of their names.

    Args:
        directory: folder of the baseline; the shipped one if None.

    Raises:
        DataError: the table is missing or faulty.
    """
    return priors_of(read_table(directory or data_dir() / "baseline", "parameters"))


def priors_of(parameters: pl.DataFrame | BaselineTables) -> dict[str, Prior]:
    """Priors of a table of parameters, by name."""
    frame = parameters.parameters if isinstance(parameters, BaselineTables) else parameters
    found = [_prior(row) for row in frame.iter_rows(named=True)]
    return {prior.name: prior for prior in sorted(found, key=lambda prior: prior.name)}


def drawn(priors: Sequence[Prior], cube: np.ndarray) -> np.ndarray:
    """Independent draws, ``[draw, prior]``, from points of the unit cube (random, Latin hypercube, Sobol or a grid).

    Args:
        priors: what is drawn.
        cube: probabilities, ``[draw, prior]``, 0 to 1.
    """
    if cube.ndim != 2 or cube.shape[1] != len(priors):
        raise ValueError(f"cube has the shape {cube.shape}; give a column for each of {len(priors)} priors")
    return np.stack([prior.quantile(cube[:, n]) for n, prior in enumerate(priors)], axis=1)


def faults_of_priors(table: pl.DataFrame, file: str) -> list[str]:
    """What keeps rows of a table of parameters from being priors, one line each: ``FILE: row ROW: COLUMN: VALUE: remedy``."""
    faults: list[str] = []
    for row in table.iter_rows(named=True):
        place = f"{file}: row {row['row']}"
        faults += [f"{place}: {column}: {row[column]}: {remedy}" for column, remedy in _faults(row)]
    return faults


def _faults(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    from backfill.economy.schema import ACTS_ON, BOUNDS, DISTRIBUTIONS

    allowed = {"distribution": DISTRIBUTIONS, "bounds": BOUNDS, "acts_on": ACTS_ON}
    wrong = [(column, f"use one of {', '.join(names)}") for column, names in allowed.items() if row[column] not in names]
    wrong += [(c, "missing: say what the parameter is in words") for c in ("meaning",) if not row[c]]
    low, central, high = row["low"], row["central"], row["high"]
    if low is None or high is None:
        return [*wrong, ("low" if low is None else "high", "missing: give both bounds of a prior")]
    if central is None or wrong:
        return wrong
    least, most = {"lognormal": (0.0, math.inf), "logitnormal": (0.0, 1.0)}.get(row["distribution"], (-math.inf, math.inf))
    if not least < low:
        return [("low", f"a {row['distribution']} prior lies above {least:g}: raise low or take another distribution")]
    if not high < most:
        return [("high", f"a {row['distribution']} prior lies below {most:g}: lower high or take another distribution")]
    if not low < high:
        return [("high", "is no higher than low: give a range, or leave the row out of the parameters")]
    if not low <= central <= high:
        return []  # told of every figure
    middle = float(_prior(row).probability(central))
    if abs(middle - 0.5) > FAR_OFF:
        remedy = f"is at the {100 * middle:.0f}% point of its prior: take another distribution, or bounds around it"
        return [("central" if "central" in row else "value", remedy)]
    return []


def _prior(row: Mapping[str, Any]) -> Prior:
    name = "/".join(part for part in (row["parameter"], row["product"], row["region"]) if part)
    columns = ("central", "low", "high", "distribution", "bounds", "acts_on", "unit", "grade", "source", "meaning")
    return Prior(name, *(row[column] for column in columns))

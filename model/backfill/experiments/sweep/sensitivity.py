"""What matters in a sweep: Sobol indices, swings from one end of an axis to the other, and thresholds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backfill.errors import CommandError, did_you_mean
from backfill.experiments.sweep.load import Sweep
from backfill.experiments.sweep.plan import Plan

Array = NDArray[np.float64]
EXACT, SALTELLI, FIRST = "exact over the grid", "Saltelli's estimators", "random balance designs"
FEWEST = 64
"""Scenarios below which random balance designs say nothing: their correction for bias grows without bounds at 20."""
TAIL = 0.1
"""Share of scenarios at either end of an axis over which swings are averaged."""

SOBOL = {
    "quantity": pl.String, "where": pl.String, "product": pl.String, "period": pl.String, "axis": pl.String,
    "first": pl.Float64, "first_error": pl.Float64, "total": pl.Float64, "total_error": pl.Float64, "method": pl.String,
}  # fmt: skip
TORNADO = {
    "quantity": pl.String, "where": pl.String, "product": pl.String, "period": pl.String, "unit": pl.String, "axis": pl.String,
    "axis_low": pl.Float64, "axis_high": pl.Float64, "low": pl.Float64, "high": pl.Float64, "swing": pl.Float64,
}  # fmt: skip
THRESHOLDS = {
    "condition": pl.String, "lever": pl.String, "others": pl.String, "threshold": pl.Float64, "met": pl.Int64,
    "scenarios": pl.Int64,
}  # fmt: skip
_KEYS = ("quantity", "where", "product", "period", "unit")


@dataclass(frozen=True)
class Matrix:
    """Effects of all solved scenarios.

    Attributes:
        axes: values of levers and parameters, ``[scenario, axis]``, in the order of scenarios.
        numbers: of the scenarios.
        keys: one row an effect: quantity, where, product, period, unit.
        values: ``[effect, scenario]``; NaN where there is none.
    """

    axes: Array
    numbers: NDArray[np.int64]
    keys: pl.DataFrame
    values: Array


def matrix(sweep: Sweep, quantities: Sequence[str] = ()) -> Matrix:
    """Effects as one array.

    Args:
        sweep: as read.
        quantities: which; all if empty.

    Raises:
        CommandError: a quantity that the sweep does not have.
    """
    solved = sweep.scenarios.filter(pl.col("status") == "solved").sort("number").collect()
    effects = sweep.effects
    if quantities:
        have = effects.select(pl.col("quantity").unique()).collect()["quantity"].sort().to_list()
        for name in quantities:
            if name not in have:
                raise CommandError("backfill sensitivity", "--quantity", name, did_you_mean(name, have))
        effects = effects.filter(pl.col("quantity").is_in(list(quantities)))
    place = solved.select("scenario", at=pl.int_range(pl.len(), dtype=pl.Int64))
    long = effects.join(place.lazy(), on="scenario").select(*_KEYS, "at", "value").collect()
    keys = long.select(_KEYS).unique(maintain_order=True).with_row_index("row")
    rows = long.join(keys, on=list(_KEYS), how="left", maintain_order="left")
    values = np.full((keys.height, solved.height), np.nan)
    values[rows["row"].to_numpy(), rows["at"].to_numpy()] = rows["value"].to_numpy()
    return Matrix(solved.select(sweep.axes).to_numpy(), solved["number"].to_numpy(), keys.drop("row"), values)


def sobol(found: Matrix, plan: Plan, names: Sequence[str]) -> pl.DataFrame:
    """First and total Sobol indices of every effect by axis.

    ``S_i = Var(E[Y | x_i]) / Var Y`` and ``T_i = E[Var(Y | x_-i)] / Var Y``: exact, over the values swept, where every
    combination is solved; Saltelli's estimators (2010) with bootstrapped errors from SALib where the sweep was drawn
    ``by = "saltelli"``; else first indices alone from random balance designs (Tarantola et al. 2006), bias corrected, of at
    least `FEWEST` scenarios: of fewer there are none.

    Args:
        found: effects.
        plan: how scenarios were put together.
        names: of the axes.

    Raises:
        CommandError: SALib is needed and missing, or scenarios of a Saltelli design are.
    """
    moving = [n for n in range(len(names)) if len(np.unique(found.axes[:, n])) > 1]
    table = plan.table
    drawn = [table.policy_by if table.levers else None, table.uncertainty_by if table.parameters else None]
    kinds = {kind for kind in drawn if kind}
    if len(found.numbers) == len(plan) and _whole_grid(found, moving):
        method, estimate = EXACT, _on_grid(found, moving)
    elif kinds == {"saltelli"} and (table.combine == "joint" or len([k for k in drawn if k]) == 1):
        if len(found.numbers) < len(plan):
            remedy = "needs every scenario of a Saltelli design; go on with the sweep, or `--retry`"
            raise CommandError("backfill sensitivity", "sobol", len(plan) - len(found.numbers), remedy)
        method, estimate = SALTELLI, _saltelli(len(names))
    elif len(found.numbers) < FEWEST:
        return pl.DataFrame(schema=SOBOL)
    else:
        method, estimate = FIRST, _first(found, moving)
    rows = []
    for key, values in zip(found.keys.iter_rows(named=True), found.values, strict=True):
        if np.isnan(values).any() or np.ptp(values) <= 1e-12 * max(np.abs(values).max(), 1e-300):
            continue
        where = [key[word] for word in ("quantity", "where", "product", "period")]
        rows += [(*where, names[n], *numbers, method) for n, numbers in zip(moving, estimate(values), strict=True)]
    return pl.DataFrame(rows, schema=SOBOL, orient="row")


Indices = tuple[float | None, float | None, float | None, float | None]


def _whole_grid(found: Matrix, moving: Sequence[int]) -> bool:
    sizes = [len(np.unique(found.axes[:, n])) for n in moving]
    rows = np.unique(found.axes, axis=0)
    return len(rows) == len(found.axes) == int(np.prod([float(size) for size in sizes]))


def _on_grid(found: Matrix, moving: Sequence[int]) -> Callable[[Array], list[Indices]]:
    """Shares of the variance over a full grid, every point counting the same."""
    places = [np.unique(found.axes[:, n], return_inverse=True)[1] for n in moving]
    shape = [int(place.max()) + 1 for place in places]

    def estimate(values: Array) -> list[Indices]:
        cells = np.empty(shape)
        cells[tuple(places)] = values
        whole = cells.var()
        rows: list[Indices] = []
        for n in range(len(moving)):
            others = tuple(m for m in range(len(moving)) if m != n)
            rows.append(
                (float(cells.mean(axis=others).var() / whole), None, float(cells.var(axis=n).mean() / whole), None)
            )
        return rows

    return estimate


def _salib(what: str):
    try:
        from importlib import import_module

        return import_module(f"SALib.analyze.{what}")
    except ImportError:
        remedy = "needs SALib; install backfill[sensitivity]"
        raise CommandError("backfill sensitivity", "sobol", None, remedy) from None


def _saltelli(count: int) -> Callable[[Array], list[Indices]]:
    analyze = _salib("sobol").analyze
    problem = {"num_vars": count, "names": [str(n) for n in range(count)], "bounds": [[0, 1]] * count}

    def estimate(values: Array) -> list[Indices]:
        found = analyze(problem, values, calc_second_order=False, seed=0)
        columns = [np.asarray(found[word], float) for word in ("S1", "S1_conf", "ST", "ST_conf")]
        return [tuple(map(float, row)) for row in zip(*columns, strict=True)]  # type: ignore[misc]

    return estimate


def _first(found: Matrix, moving: Sequence[int]) -> Callable[[Array], list[Indices]]:
    analyze = _salib("rbd_fast").analyze
    problem = {"num_vars": len(moving), "names": [str(n) for n in moving], "bounds": [[0, 1]] * len(moving)}
    axes = found.axes[:, list(moving)]

    def estimate(values: Array) -> list[Indices]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of an effect that hardly moves: its indices are no numbers
            result = analyze(problem, axes, values, seed=0)
        pairs = zip(np.asarray(result["S1"], float), np.asarray(result["S1_conf"], float), strict=True)
        return [(float(first), float(error), None, None) for first, error in pairs]

    return estimate


def tornado(found: Matrix, names: Sequence[str]) -> pl.DataFrame:
    """Mean of every effect over the scenarios in the lowest and in the highest tenth of an axis, the others being anywhere.

    Of an axis with few values these are the scenarios at its least and at its largest value.
    """
    rows = []
    for n, name in enumerate(names):
        axis = found.axes[:, n]
        if np.ptp(axis) == 0:
            continue
        low, high = np.quantile(axis, [TAIL, 1 - TAIL], method="lower")
        ends = axis <= low, axis >= max(high, np.nextafter(low, np.inf))
        for key, values in zip(found.keys.iter_rows(named=True), found.values, strict=True):
            means = [_mean(values[end]) for end in ends]
            if None in means:
                continue
            where = [key[word] for word in _KEYS]
            at = [float(axis[end].mean()) for end in ends]
            rows.append((*where, name, *at, *means, means[1] - means[0]))  # type: ignore[operator]
    table = pl.DataFrame(rows, schema=TORNADO, orient="row")
    largest = pl.col("swing").abs().max().over(list(_KEYS))
    return table.filter(largest > 0)


def _mean(values: Array) -> float | None:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None


@dataclass(frozen=True)
class Condition:
    """An effect above or below a value.

    Attributes:
        text: as written.
        effect: which effect: ``"QUANTITY [of WHERE] [on PRODUCT] [in PERIOD]"``.
        at_least: whether it is to be at least the value.
        value: the value.
    """

    text: str
    effect: str
    at_least: bool
    value: float

    @classmethod
    def of(cls, text: str) -> Condition:
        """``"EFFECT >= VALUE"`` or ``"EFFECT <= VALUE"``.

        Raises:
            CommandError: what is written is no condition.
        """
        match = re.fullmatch(r"\s*(?P<effect>.+?)\s*(?P<sign>>=|<=|>|<)\s*(?P<value>[-+0-9.eE_,]+)\s*", text)
        try:
            if match is None:
                raise ValueError
            value = float(match["value"].replace(",", "").replace("_", ""))
        except ValueError:
            remedy = 'is a condition such as "compute denied of adversary in 2027 >= 100000"'
            raise CommandError("backfill sensitivity", "--threshold", text, remedy) from None
        return cls(text.strip(), match["effect"], match["sign"].startswith(">"), value)

    def row(self, found: Matrix) -> Array:
        """Values of its effect by scenario.

        Raises:
            CommandError: there is no such effect, or several.
        """
        quantities = found.keys["quantity"].unique(maintain_order=True).to_list()
        begun = [name for name in quantities if self.effect == name or self.effect.startswith(f"{name} ")]
        if not begun:
            remedy = did_you_mean(re.split(r" (?:of|on|in) ", self.effect)[0], quantities, "is no effect of this sweep")
            raise CommandError("backfill sensitivity", "--threshold", self.effect, remedy)
        quantity = max(begun, key=len)
        rest = self.effect[len(quantity) :]
        pattern = r"(?: of (?P<where>.+?))?(?: on (?P<product>.+?))?(?: in (?P<period>\S+))?"
        words = re.fullmatch(pattern, rest)
        if words is None:
            remedy = f"is read as {quantity} [of WHERE] [on PRODUCT] [in PERIOD], in this order"
            raise CommandError("backfill sensitivity", "--threshold", self.effect, remedy)
        chosen = found.keys.with_row_index("row").filter(pl.col("quantity") == quantity)
        for column, wanted in words.groupdict().items():
            if wanted is None:
                continue
            have = chosen[column].unique(maintain_order=True).to_list()
            if wanted not in have:
                told = did_you_mean(wanted, have, f"is no {column} here; there are {', '.join(have)}")
                raise CommandError("backfill sensitivity", "--threshold", wanted, told)
            chosen = chosen.filter(pl.col(column) == wanted)
        if chosen.height > 1:
            open_ = [c for c in ("where", "product", "period") if chosen[c].n_unique() > 1]
            told = "; ".join(f"{c}: {', '.join(chosen[c].unique(maintain_order=True).to_list())}" for c in open_)
            remedy = f"is said of several; say which: of WHERE, on PRODUCT, in PERIOD ({told})"
            raise CommandError("backfill sensitivity", "--threshold", self.text, remedy)
        return found.values[chosen["row"][0]]


def threshold(found: Matrix, names: Sequence[str], condition: Condition, lever: str) -> pl.DataFrame:
    """The lowest value of a lever at which a condition holds, for every choice of the other axes, from the scenarios solved.

    Between the last value at which it does not hold and the first at which it does, the effect is taken to be linear. Where it
    holds at the least value already, the threshold is that value; where it never holds there is none (null).

    Args:
        found: effects.
        names: of the axes.
        condition: on an effect.
        lever: name of the axis.

    Raises:
        CommandError: no such lever or effect.
    """
    if lever not in names:
        raise CommandError("backfill sensitivity", "--lever", lever, did_you_mean(lever, names))
    at = list(names).index(lever)
    values, others = condition.row(found), [n for n in range(len(names)) if n != at]
    groups, place = np.unique(found.axes[:, others], axis=0, return_inverse=True)
    place = np.asarray(place).ravel()
    if len(groups) > 1 and len(groups) > len(found.axes) / 2:
        remedy = (
            "stands at one value for each choice of the others, so that no threshold can be read; sweep a grid of it"
        )
        raise CommandError("backfill sensitivity", "--lever", lever, remedy)
    rows = []
    for n, group in enumerate(groups):
        mine = np.flatnonzero((place == n) & ~np.isnan(values))
        mine = mine[np.argsort(found.axes[mine, at], kind="stable")]
        sign = 1.0 if condition.at_least else -1.0
        over = sign * (values[mine] - condition.value)
        told = ", ".join(f"{names[m]} = {value:g}" for m, value in zip(others, group, strict=True))
        first = _crossing(found.axes[mine, at], over)
        rows.append((condition.text, lever, told, first, int((over >= 0).sum()), len(mine)))
    return pl.DataFrame(rows, schema=THRESHOLDS, orient="row")


def _crossing(axis: Array, over: Array) -> float | None:
    """Where ``over`` first is not below zero."""
    holds = np.flatnonzero(over >= 0)
    if not len(holds):
        return None
    n = int(holds[0])
    if n == 0:
        return float(axis[0])
    share = -over[n - 1] / (over[n] - over[n - 1])
    return float(axis[n - 1] + share * (axis[n] - axis[n - 1]))

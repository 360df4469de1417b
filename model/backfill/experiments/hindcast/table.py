"""The hindcast table: every observed figure beside the model's and two naive forecasts, with errors where it judges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from backfill.experiments.hindcast.observed import UNITS, Figure

SCHEMA = {
    "series": pl.String, "year": pl.Int64, "unit": pl.String, "use": pl.String, "grade": pl.String, "source": pl.String,
    "published": pl.Float64, "observed": pl.Float64, "observed_low": pl.Float64, "observed_high": pl.Float64,
    "before_fit": pl.Float64, "model": pl.Float64, "low": pl.Float64, "high": pl.Float64, "seen_low": pl.Float64,
    "seen_high": pl.Float64, "covered": pl.Boolean, "last_value": pl.Float64, "constant_share": pl.Float64,
    "error": pl.Float64, "error_last": pl.Float64, "error_constant": pl.Float64,
}  # fmt: skip
"""Columns. ``low`` to ``high`` holds the model's figure, ``seen_low`` to ``seen_high`` what would be seen of it, each with
probability 0.8; errors are ``|ln(forecast / observed)|``."""

PROBABILITY = 0.8
JUDGES = "judges"


def table(
    figures: Sequence[Figure],
    told: Sequence[int],
    before: np.ndarray,
    model: np.ndarray,
    draws: np.ndarray,
    noise: np.ndarray,
    last: Sequence[float | None],
    constant: Sequence[float | None],
) -> pl.DataFrame:
    """The table.

    Args:
        figures: all of them.
        told: places of those that the model has.
        before, model: logarithms at central values and at the fit, ``[figure]`` of ``told``.
        draws: logarithms of the model's, ``[draw, figure]``.
        noise: errors of measurement and of the model beside them, ``[draw, figure]``.
        last, constant: naive forecasts of ``figures``.
    """
    tails = [(1 - PROBABILITY) / 2, (1 + PROBABILITY) / 2]
    ends = np.exp(np.quantile(draws, tails, axis=0))
    seen = np.exp(np.quantile(draws + noise, tails, axis=0))
    place = {n: k for k, n in enumerate(told)}
    rows = []
    for n, figure in enumerate(figures):
        k = place.get(n)
        own: tuple[float | None, ...] = (None,) * 6
        if k is not None:
            own = tuple(float(x) for x in (np.exp(before[k]), np.exp(model[k]), *ends[:, k], *seen[:, k]))
        judging = figure.use == JUDGES
        low, high = own[4], own[5]
        covered = None if low is None or high is None or not judging else low <= figure.value <= high
        errors = [_error(x, figure.value) if judging else None for x in (own[1], last[n], constant[n])]
        about = (figure.series, figure.year, UNITS[figure.series], figure.use, figure.grade, "; ".join(figure.sources))
        observed = (figure.published, figure.value, figure.low, figure.high)
        rows.append((*about, *observed, *own, covered, last[n], constant[n], *errors))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _error(forecast: float | None, observed: float) -> float | None:
    return None if forecast is None or forecast <= 0 else abs(math.log(forecast / observed))


def scores(found: pl.DataFrame) -> dict[str, float]:
    """Mean errors on the figures left for judgement, the naive ones' too, and the share of these figures within their range.

    Means are over figures that all three forecast. Of factors: ``typical factor = exp(mean |ln(forecast / observed)|)``.
    """
    judged = found.filter((pl.col("use") == JUDGES) & pl.col("error").is_not_null())
    common = judged.drop_nulls(["error", "error_last", "error_constant"])
    out = {"figures judged": float(judged.height), "figures all three forecast": float(common.height)}
    for column, name in (("error", "model"), ("error_last", "last value"), ("error_constant", "constant share")):
        out[f"typical factor, {name}"] = math.exp(float(common[column].mean() or 0.0))  # type: ignore[arg-type]
    out["typical factor, model, all judged"] = math.exp(float(judged["error"].mean() or 0.0))  # type: ignore[arg-type]
    out["share within 80% range"] = float(judged["covered"].mean() or 0.0)  # type: ignore[arg-type]
    return out

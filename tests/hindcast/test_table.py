"""Naive forecasts, errors and coverage, on figures made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backfill.experiments.hindcast import observed as seen
from backfill.experiments.hindcast.naive import constant_share, last_value
from backfill.experiments.hindcast.observed import Figure
from backfill.experiments.hindcast.table import scores, table


def figure(series: str, year: int, value: float, use: str = "judges") -> Figure:
    return Figure(series, year, value, None, None, None, use, "observed", ("source",))


FIGURES = (
    figure(seen.LEGAL, 2022, 40.0, "fits"),
    figure(seen.LEGAL, 2024, 120.0),
    figure(seen.LEGAL, 2025, 60.0),
    figure(seen.MADE, 2024, 200.0),
    figure(seen.ASML, 2023, 0.2, "fits"),
    figure(seen.ASML, 2024, 0.3),
    figure(seen.STACKS, 2024, 13.0),
    figure(seen.BILLINGS, 2021, 30.0, "benchmark"),
)
BENCHMARK = {seen.MADE: 8.0, seen.ASML: 0.15, seen.STACKS: 0.5}
WORLD = {
    seen.LEGAL: {2022: 400.0, 2023: 1000.0, 2024: 4000.0, 2025: 8000.0},
    seen.MADE: {2022: 400.0, 2023: 1000.0, 2024: 4000.0},
    seen.STACKS: {2022: 400.0, 2023: 1000.0, 2024: 4000.0},
}


def test_the_last_value_is_the_last_figure_seen_or_the_benchmark():
    assert last_value(FIGURES, BENCHMARK) == [None, 40.0, 120.0, 8.0, 0.15, 0.2, 1.5, None]


def test_a_constant_share_grows_with_the_world():
    found = constant_share(FIGURES, BENCHMARK, WORLD)
    assert found == pytest.approx([None, 400.0, 800.0, 80.0, 0.15, 0.15, 0.5 * 5400 / 400, None])


def test_errors_and_coverage_count_what_judges_only():
    told = tuple(range(7))
    before = np.log([50.0, 100.0, 100.0, 100.0, 0.2, 0.2, 2.0])
    model = np.log([40.0, 120.0, 120.0, 100.0, 0.2, 0.3, 2.0])
    draws = model + np.linspace(-0.2, 0.2, 401)[:, None]
    last, constant = last_value(FIGURES, BENCHMARK), constant_share(FIGURES, BENCHMARK, WORLD)
    found = table(FIGURES, told, before, model, draws, np.zeros(draws.shape), last, constant)
    by = {(r["series"], r["year"]): r for r in found.iter_rows(named=True)}
    assert by[seen.LEGAL, 2022]["error"] is None
    assert by[seen.LEGAL, 2024]["error"] == pytest.approx(0.0, abs=1e-12)
    assert by[seen.LEGAL, 2025]["error"] == pytest.approx(math.log(2))
    assert by[seen.LEGAL, 2025]["error_last"] == pytest.approx(math.log(2))
    assert by[seen.LEGAL, 2024]["covered"] is True
    assert by[seen.LEGAL, 2025]["covered"] is False
    assert by[seen.BILLINGS, 2021]["model"] is None
    assert by[seen.LEGAL, 2024]["low"] == pytest.approx(120 * math.exp(-0.16))
    marks = scores(found)
    errors = [0.0, math.log(2), math.log(2), 0.0, math.log(6.5)]
    assert marks["figures judged"] == 5
    assert marks["share within 80% range"] == pytest.approx(2 / 5)
    assert marks["typical factor, model"] == pytest.approx(math.exp(sum(errors) / 5))


def test_noise_widens_what_would_be_seen_but_not_the_model():
    told = (0, 1)
    model = np.log([40.0, 120.0])
    draws = np.broadcast_to(model, (2000, 2))
    noise = np.random.default_rng(0).normal(scale=0.1, size=(2000, 2))
    found = table(FIGURES[:2], told, model, model, draws, noise, [None, 40.0], [None, 400.0])
    assert found["low"].to_numpy() == pytest.approx(np.exp(model))
    assert found["seen_high"].to_numpy() / np.exp(model) == pytest.approx(math.exp(0.128), rel=0.02)

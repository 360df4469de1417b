"""Pages of sweeps and of hindcasts say in words what they draw, from tables worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import altair as alt
import polars as pl
import pytest

from backfill.charts import hindcast, sweep
from backfill.charts.panel import NothingToDraw
from backfill.charts.theme import SERIES
from backfill.experiments.hindcast.table import SCHEMA

RECORD = {"date": "2026-03-05T10:00:00+00:00", "packages": {"backfill": "0.1.0"}, "reference": "no-controls"}
SENTENCES = ("The model is off by a factor of 1.5.", "One of two figures lies within its range.")


def judged(series: str, year: int, seen: float, model: float, last: float) -> dict[str, object]:
    """A row of a hindcast table."""
    known = {"observed": seen, "model": model, "before_fit": model, "low": 0.9 * model, "high": 1.1 * model}
    errors = {"error": abs(model / seen - 1), "error_last": abs(last / seen - 1), "error_constant": 1.0}
    ranges = {
        "seen_low": 0.8 * model,
        "seen_high": 1.2 * model,
        "observed_low": 0.9 * seen,
        "observed_high": 1.1 * seen,
    }
    told = {"series": series, "year": year, "unit": "million stacks", "use": "judges"}
    return {**dict.fromkeys(SCHEMA), **told, **known, **errors, **ranges}


@pytest.fixture
def looked_back() -> SimpleNamespace:
    """Two series; on one of them the last value is closer than the model."""
    rows = [judged("tools", 2024, 10.0, 12.0, 20.0), judged("stacks", 2024, 10.0, 30.0, 11.0)]
    table = pl.DataFrame(rows, schema=SCHEMA)
    return SimpleNamespace(kind="hindcast", tables={"hindcast": table}, sentences=SENTENCES, provenance=RECORD)


@pytest.fixture
def identified() -> SimpleNamespace:
    """Two parameters, one of them known."""
    verdicts = ["pinned down", "prior only"]
    spread = pl.DataFrame({"parameter": ["sigma_tier", "wear"], "spread": [0.3, 1.0], "verdict": verdicts})
    along = pl.DataFrame({"direction": [1, 2], "information": [8.0, 0.1], "made_of": ["sigma_tier", "wear"]})
    valley = pl.DataFrame({"parameter": ["sigma_tier"] * 3, "score": [-1.0, 0.0, 1.0], "rise": [4.0, 0.0, 4.0]})
    tables = {"identified": spread, "directions": along, "profiles": valley}
    return SimpleNamespace(kind="identify", tables=tables, sentences=SENTENCES, provenance=RECORD)


def swept(values: pl.DataFrame) -> SimpleNamespace:
    """A sweep of two levers in which compute denied is as given."""
    levers = values.with_row_index("number").with_columns(
        scenario=pl.format("s{}", "number"), status=pl.lit("solved"), reason=pl.lit("")
    )
    effects = levers.select(
        "scenario", "value", period=pl.lit("all"), quantity=pl.lit("compute denied"), where=pl.lit("adversary"),
        product=pl.lit("accelerators"), unit=pl.lit("H100e"),
    )  # fmt: skip
    return SimpleNamespace(
        name="grid", title="", mode="static", axes=["coverage", "duty"], scenarios=levers.drop("value").lazy(),
        effects=effects.lazy(), provenance=RECORD,
    )  # fmt: skip


@pytest.fixture
def grid() -> pl.DataFrame:
    """Two levers with three values each; denial rises with both."""
    levels = pl.DataFrame({"coverage": [0.0, 0.5, 1.0]}).join(pl.DataFrame({"duty": [0.0, 0.5, 1.0]}), how="cross")
    return levels.with_columns(value=1e6 * pl.col("coverage") + 1e5 * pl.col("duty"))


def drawn(chart: alt.VConcatChart) -> tuple[str, str]:
    """What a page says of itself, and all its words."""
    spec = chart.to_dict()
    return spec["description"], str(spec)


def test_a_hindcast_tells_where_it_loses_and_when_it_was_solved(looked_back: SimpleNamespace):
    described, words = drawn(hindcast.drawn(looked_back))
    assert described.startswith("Ranges and dots. Tools. million stacks.")
    assert "On 1 of 2 figures left for judgement a naive forecast is closer than the model." in described
    assert "backfill 0.1.0, solved on 5 March 2026" in words
    assert all(colour in words for colour in hindcast.FORECASTS.values())
    assert set(hindcast.FORECASTS.values()) <= set(SERIES)


def test_an_identification_counts_what_is_known(identified: SimpleNamespace):
    described, words = drawn(hindcast.drawn(identified))
    assert "1 of 2 parameters are known twice as well as before." in described
    assert "Along 1 direction the figures know more than the priors." in described
    assert "solved on 5 March 2026" in words


def test_a_grid_is_a_heat_map_that_names_its_extreme(grid: pl.DataFrame):
    described, words = drawn(sweep.sweep_chart(swept(grid)))
    assert described.startswith(
        "Heat map. Compute denied of the adversary is 1,100 thousand H100e where coverage is 100% and duty 100%."
    )
    assert "9 scenarios, all periods, each beside no-controls." in words
    assert "solved on 5 March 2026" in words


def test_without_a_grid_the_lever_that_moves_most_comes_first(grid: pl.DataFrame):
    described, _ = drawn(sweep.sweep_chart(swept(grid.head(8))))
    assert described.startswith("Dots. Compute denied of the adversary: coverage moves it most.")


def test_what_no_lever_moves_is_not_said_to_be_moved(grid: pl.DataFrame):
    described, _ = drawn(sweep.sweep_chart(swept(grid.head(8).with_columns(value=2.0))))
    assert described.startswith("Dots. Compute denied of the adversary: no lever moves it.")


def test_a_sweep_without_its_effects_says_so(grid: pl.DataFrame):
    with pytest.raises(NothingToDraw, match="none of the effects"):
        sweep.sweep_chart(swept(grid.clear()))

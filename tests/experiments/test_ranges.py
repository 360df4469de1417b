"""Ranges worked out by hand, and asked for through `run`."""

from __future__ import annotations

import dataclasses
import math

import polars as pl
import pytest

import backfill.experiments.run as running
from backfill.economy.priors import load_priors
from backfill.experiments.config import load_experiment
from backfill.experiments.ranges import METHOD, PARAMETERS, Variant, spread, variants
from tests.effects.test_results import make

LOW, HIGH = Variant("a", "low", 0.0), Variant("a", "high", 1.0)
OTHER_LOW, OTHER_HIGH = Variant("b", "low", 0.0), Variant("b", "high", 1.0)


def rows(**changes: float | None) -> pl.DataFrame:
    empty = dict.fromkeys(["low", "high"], None)
    told = [
        {"quantity": name, "where": "here", "period": "all", "unit": "1", "change": change, **empty, "note": ""}
        for name, change in changes.items()
    ]
    return pl.DataFrame(told, schema_overrides={"change": pl.Float64, "low": pl.Float64, "high": pl.Float64})


def test_swings_of_each_parameter_add_up_in_squares():
    solved = {
        LOW: rows(x=7.0, y=1.0),
        HIGH: rows(x=14.0, y=1.0),
        OTHER_LOW: rows(x=11.0, y=1.0),
        OTHER_HIGH: rows(x=13.0, y=3.0),
    }
    x, y = spread(rows(x=10.0, y=1.0), solved).to_dicts()
    assert (x["low"], x["high"]) == (10 - 3, 10 + 5)  # down: 3 by a, nothing by b; up: 4 by a, 3 by b
    assert (y["low"], y["high"]) == (1, 3)


def test_a_number_missing_in_a_variant_has_no_range_and_says_where():
    x, y = spread(rows(x=10.0, y=1.0), {LOW: rows(x=7.0, y=None), HIGH: rows(x=14.0, y=2.0)}).to_dicts()
    assert (x["low"], x["high"], x["note"]) == (7, 14, "")
    assert (y["low"], y["high"], y["note"]) == (None, None, "no range: no number where a is low")


def test_what_could_not_be_solved_is_said_on_every_row():
    x, gone = spread(rows(x=10.0, gone=None), {LOW: rows(x=7.0, gone=None)}, [HIGH]).to_dicts()
    assert (x["low"], x["high"], x["note"]) == (None, None, "no range: no number where a is high")
    assert gone["note"] == ""


def test_both_ends_of_every_parameter_that_the_file_leaves_open():
    known = load_priors()
    every = variants(known, {})
    assert [(v.parameter, v.end) for v in every] == [(name, end) for name in PARAMETERS for end in ("low", "high")]
    assert all(v.value == known[v.parameter].eighty[v.end == "high"] for v in every)
    assert {v.parameter for v in variants(known, {PARAMETERS[0]: 1.0})} == set(PARAMETERS[1:])


@pytest.mark.parametrize(("in_file", "asked", "given"), [(False, True, True), (True, None, True), (True, False, False)])
def test_ranges_are_given_where_the_file_or_the_caller_asks(in_file: bool, asked, given: bool, monkeypatch):
    central = make()
    swing = {"sigma_family low": -1.0, "sigma_family high": 2.0, "discount_factor low": -3.0, "discount_factor high": -2.0}
    seen: list[dict[str, float]] = []

    def compared(chosen, *_, **__):
        seen.append(dict(chosen.parameters))
        by = sum(swing.get(f"{n} {'low' if v == load_priors()[n].low else 'high'}", 0.0) for n, v in chosen.parameters.items())
        return dataclasses.replace(central, summary=central.summary.with_columns(pl.col("change") + by))

    monkeypatch.setattr(running, "_compared", compared)
    chosen = dataclasses.replace(load_experiment("current-policy"), ranges=in_file)
    result = running.run(chosen, ranges=asked)
    acquired = result.summary.row(0, named=True)
    assert acquired["change"] == -10_000
    if not given:
        assert seen == [{}]
        assert (acquired["low"], acquired["high"]) == (None, None)
        return
    assert len(seen) == 1 + 2 * len(PARAMETERS)
    assert acquired["low"] == pytest.approx(-10_000 - math.hypot(1, 3))
    assert acquired["high"] == pytest.approx(-10_000 + 2)
    record = result.provenance["ranges"]
    assert record["method"] == METHOD
    assert record["parameters"]["sigma_family"] == {"low": 1.5, "high": 6.0}


@pytest.mark.slow
def test_ranges_of_a_short_experiment_hold_its_central_values(tmp_path, monkeypatch):
    monkeypatch.setattr("backfill.experiments.ranges.PARAMETERS", ("demand_elasticity_compute",))
    (tmp_path / "short.toml").write_text(
        '[horizon]\nlast = 2024\n[run]\nranges = true\n[[measures]]\nkind = "export_control"\nby = "USA"\n'
        'products = "accelerators_frontier"\ndestinations = "CHN"\ncoverage = 0.8\n'
    )
    result = running.run(tmp_path / "short.toml")
    ranged = result.summary.filter(pl.col("low").is_not_null())
    assert ranged.filter(pl.col("quantity") == "compute denied").height == 1
    assert ranged.filter((pl.col("low") > pl.col("change")) | (pl.col("high") < pl.col("change"))).is_empty()
    denied = ranged.filter(pl.col("quantity") == "compute denied").row(0, named=True)
    assert denied["high"] > 1.05 * denied["change"]  # the more elastic demand is, the more a control denies

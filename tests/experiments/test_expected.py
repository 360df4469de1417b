"""The comparison with an expected summary sees what differs and nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from backfill.experiments.results import Result
from tests.effects.test_results import make
from tests.experiments import expected


@pytest.fixture
def result(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Result:
    result = make(second=True)
    monkeypatch.setattr(expected, "experiments_dir", lambda: tmp_path)
    expected.expected_file(result.name).write_text(expected.text(result))
    return result


def test_the_same_summary_does_not_differ(result: Result):
    assert result.summary.height == result.summary.unique(list(expected.KEYS)).height
    assert expected.differences(result.summary, result.name) == []


def test_a_part_in_a_hundred_thousand_is_seen_and_one_in_a_hundred_million_is_not(result: Result):
    def moved(by: float) -> pl.DataFrame:
        return result.summary.with_columns(pl.col("policy") * (1 + by))

    largest = pl.max_horizontal(*(pl.col(name).abs() for name in expected.NUMBERS[:5]))
    told = result.summary.filter((pl.col("policy").abs() * 1e-5) > expected.RELATIVE * largest).height
    assert len(expected.differences(moved(1e-5), result.name)) == told > 0
    assert expected.differences(moved(1e-8), result.name) == []


def test_a_row_or_a_number_missing_is_seen(result: Result):
    rows = result.summary
    (gone,) = expected.differences(rows.slice(1), result.name)
    assert gone.startswith("missing: ")
    emptied = rows.with_columns(pl.lit(None, pl.Float64).alias("reference"))
    assert len(expected.differences(emptied, result.name)) == rows["reference"].count() > 0
    assert expected.differences(rows.drop("high"), result.name)[0].startswith("columns are ")

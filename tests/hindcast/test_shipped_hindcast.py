"""The hindcast of the shipped benchmark: what it says is what the documentation says, and the fit is one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backfill.experiments.hindcast import observed as seen
from backfill.experiments.hindcast.page import BEGIN, END, computed
from backfill.experiments.hindcast.run import _data, hindcast, identification
from backfill.experiments.hindcast.worlds import Hindcast
from tests.hindcast.refresh import TABLE, shortened

NUMBER = re.compile(r"\d[\d,]*\.?\d*")


@pytest.fixture(scope="module")
def result():
    return hindcast()


@pytest.fixture(scope="module")
def identified():
    return identification()


def test_only_figures_that_set_parameters_are_fitted():
    given = Hindcast.shipped()
    chosen, y, s = _data(given)
    fitted = [given.figures[given.told[k]] for k in chosen]
    assert {figure.use for figure in fitted} == {"fits"}
    assert len(y) == len(s) == len(fitted) >= 8
    assert (s > 0).all()


def test_every_parameter_that_a_policy_can_set_is_varied_but_the_unit_and_the_hubs():
    given = Hindcast.shipped()
    assert {"sigma_tier", "diversion_slope", "control_coverage", "prerule_share", "export_grade"} <= set(given.names)
    assert not {"quality_theta", "threat_credibility"} & set(given.names)
    assert given.values(np.zeros(len(given.names))) == {}


def test_a_standard_deviation_is_that_of_the_prior():
    given = Hindcast.shipped()
    name = "sigma_tier"
    up = given.values(given.distances({name: 1.2816}))[name]
    assert up == pytest.approx(12.0, rel=1e-3)


@pytest.mark.slow
def test_the_world_is_solved_and_the_fit_stays(result):
    checks = result.checks
    assert checks["world at central values: converged"] == 1
    assert checks["world at central values: walras"] <= 1e-8
    assert checks["world at central values: complementarity"] <= 1e-7
    assert checks["last move of a score"] <= 0.02
    assert checks["ends of parameters not solved"] <= 3


@pytest.mark.slow
def test_the_fit_is_no_worse_than_central_values_on_what_it_is_fitted_to(result):
    """Figures and scores together: the least-squares problem's own measure."""
    found = result.tables["hindcast"].filter(pl.col("use") == "fits")
    before = ((found["before_fit"] / found["observed"]).log() ** 2).sum()
    after = ((found["model"] / found["observed"]).log() ** 2).sum()
    assert after < before


@pytest.mark.slow
def test_the_quadratics_hold_where_the_posterior_is(result):
    """Worlds solved at draws lie near the surface, by less than what is allowed for what the model leaves out."""
    assert result.checks["surface off at draws, logarithm, mean"] <= 0.1


@pytest.mark.slow
def test_the_accounts_of_the_table_add_up(result):
    found = result.tables["hindcast"]
    judged = found.filter(pl.col("use") == "judges")
    assert judged.height == result.checks["figures judged"] == 12
    assert judged["covered"].mean() == pytest.approx(result.checks["share within 80% range"])
    assert found.filter(pl.col("use") != "judges")["error"].null_count() == found.height - judged.height
    inside = found.drop_nulls("model")
    assert (inside["seen_low"] < inside["low"]).all()
    assert (inside["seen_high"] > inside["high"]).all()


@pytest.mark.slow
def test_the_benchmark_year_is_the_benchmark(result):
    """Without anything in force before October, 2022 is nearly the base year."""
    row = (
        result.tables["hindcast"]
        .filter((pl.col("series") == seen.BILLINGS) & (pl.col("year") == 2022))
        .row(0, named=True)
    )
    assert row["before_fit"] == pytest.approx(row["observed"], rel=0.05)


@pytest.mark.slow
def test_what_is_pinned_down_is_consistent(result, identified):
    spread = dict(result.tables["parameters"].select("parameter", "spread").iter_rows())
    table = identified.tables["identified"]
    for name, left, alone in table.select("parameter", "spread", "alone").iter_rows():
        assert left == pytest.approx(spread[name], abs=1e-6)
        assert alone <= left + 1e-9 <= 1 + 2e-9
    for _, rows in identified.tables["profiles"].group_by("parameter"):
        assert rows["rise"].min() >= -1e-6


@pytest.mark.slow
def test_it_writes_what_it_says_and_can_be_written_again(result, identified, tmp_path: Path):
    for one, names in (
        (result, {"hindcast", "parameters"}),
        (identified, {"identified", "directions", "weights", "profiles"}),
    ):
        folder = tmp_path / one.kind
        one.write(folder)
        one.write(folder, tables="csv")
        assert {path.name for path in folder.iterdir()} == {
            *(f"{name}.csv" for name in names), "checks.json", "provenance.json", "resolved.toml", "chart.html",
        }  # fmt: skip


@pytest.mark.slow
def test_the_page_says_what_the_command_writes(result, identified, repository: Path):
    """Words as they are; numbers to two units of their last digit, as machines round differently."""
    page = (repository / "docs" / "hindcast.md").read_text(encoding="utf-8")
    said = page[page.index(BEGIN) : page.index(END) + len(END)].splitlines()
    found = computed(result, identified).splitlines()
    assert len(said) == len(found)
    for mine, its in zip(said, found, strict=True):
        assert NUMBER.sub("#", mine) == NUMBER.sub("#", its)
        for a, b in zip(NUMBER.findall(mine), NUMBER.findall(its), strict=True):
            digits = len(b.split(".")[1]) if "." in b else 0
            assert abs(float(a.replace(",", "")) - float(b.replace(",", ""))) <= 2.01 * 10.0**-digits, (mine, its)


@pytest.mark.slow
def test_the_table_that_is_kept_is_what_the_command_writes(result):
    assert_frame_equal(pl.read_csv(TABLE), shortened(result.tables["hindcast"]), check_dtypes=False, rel_tol=2e-2)

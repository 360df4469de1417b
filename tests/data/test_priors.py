"""Priors honour their bounds, and a table that holds none is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import integrate

from backfill.economy.adjusted import ACTS, adjusted
from backfill.economy.priors import GAMES, HIGHEST, LOWEST, Prior, drawn, faults_of_priors, load_priors
from backfill.economy.tables import load_tables
from backfill.policy.odds import SHARES

PRIORS = load_priors()
GIVEN = ("model", "factor", "assumed", "here", "a thing")


def prior(distribution: str, central: float, low: float, high: float, bounds: str = "80%") -> Prior:
    return Prior("x", central, low, high, distribution, bounds, *GIVEN)


MADE = [
    prior("lognormal", 3, 1.5, 6),
    prior("logitnormal", 0.6, 0.44, 0.77),
    prior("normal", 0, -1, 1),
    prior("triangular", 0.25, 0.1, 0.3),
    prior("uniform", 5, 2, 8),
]


@pytest.mark.parametrize("one", [*PRIORS.values(), *MADE], ids=lambda one: f"{one.name} {one.distribution}")
def test_low_and_high_are_the_ten_and_ninety_percent_points(one: Prior):
    np.testing.assert_allclose(one.quantile([0.1, 0.9]), [one.low, one.high], rtol=1e-9, atol=1e-12)
    assert one.eighty == (one.low, one.high)
    middle = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(one.probability(one.quantile(middle)), middle, rtol=1e-9)


@pytest.mark.parametrize("one", MADE, ids=lambda one: one.distribution)
def test_the_density_is_the_slope_of_the_probability(one: Prior):
    for low, high in ((0.1, 0.5), (0.5, 0.9)):
        ends = float(one.quantile(low)), float(one.quantile(high))
        mass, _ = integrate.quad(lambda x: float(np.exp(one.log_density(x))), *ends)
        assert mass == pytest.approx(high - low, abs=1e-7)


def test_the_density_is_nothing_outside_the_support():
    assert prior("lognormal", 3, 1.5, 6).log_density(-1.0) == -np.inf
    assert prior("logitnormal", 0.6, 0.44, 0.77).log_density(1.5) == -np.inf


def test_support_bounds_are_the_ends():
    one = prior("uniform", 5, 2, 8, "support")
    np.testing.assert_allclose(one.eighty, (2.6, 7.4))
    np.testing.assert_allclose(one.ends, (2 + 6 * LOWEST, 2 + 6 * HIGHEST))


def test_draws_fill_eighty_percent_of_the_bounds_and_stay_within_the_ends():
    names = list(PRIORS)
    values = drawn([PRIORS[name] for name in names], np.random.default_rng(1).random((4000, len(names))))
    for n, name in enumerate(names):
        one = PRIORS[name]
        assert np.mean((values[:, n] >= one.low) & (values[:, n] <= one.high)) == pytest.approx(0.8, abs=0.03)
        assert one.ends[0] <= values[:, n].min() <= values[:, n].max() <= one.ends[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"distribution": "gamma"}, "distribution: gamma: use one of lognormal"),
        ({"low": 0.0}, "low: 0.0: a lognormal prior lies above 0: raise low"),
        ({"high": None}, "high: None: missing: give both bounds"),
        ({"low": 3.0, "high": 3.0}, "high: 3.0: is no higher than low"),
        ({"central": 1.6}, "central: 1.6: is at the 12% point of its prior"),
        ({"meaning": ""}, "meaning: : missing: say what the parameter is"),
        ({"distribution": "logitnormal"}, "high: 6.0: a logitnormal prior lies below 1"),
    ],
)
def test_a_row_that_is_no_prior_is_told_with_its_remedy(change: dict, told: str):
    row = {
        "row": 7, "parameter": "x", "product": "", "region": "", "central": 3.0, "low": 1.5, "high": 6.0, "unit": "factor",
        "grade": "assumed", "source": "here", "distribution": "lognormal", "bounds": "80%", "acts_on": "model",
        "meaning": "a thing",
    }  # fmt: skip
    assert faults_of_priors(pl.DataFrame([row]), "parameters.csv") == []
    (line,) = faults_of_priors(pl.DataFrame([{**row, **change}]), "parameters.csv")
    assert line.startswith("parameters.csv: row 7: ")
    assert told in line


def test_every_parameter_acts_somewhere():
    by = {kind: {name for name, one in PRIORS.items() if one.acts_on == kind} for kind in ("tables", "measures")}
    assert by == {"tables": set(ACTS), "measures": set(SHARES)}
    assert {one.acts_on for one in PRIORS.values()} == {"model", "tables", "measures", GAMES}


@pytest.fixture(scope="module")
def tables():
    return load_tables()


@pytest.mark.parametrize("name", list(ACTS))
def test_a_parameter_of_the_tables_at_its_central_value_changes_nothing_and_elsewhere_something(name: str, tables):
    assert adjusted(tables, {name: PRIORS[name].central}) is tables
    assert adjusted(tables, {name: PRIORS[name].high}).digest() != tables.digest()


@pytest.mark.parametrize("name", ["ai_demand", "adversary_demand", "adversary_design", "rented_demand"])
def test_paths_leave_the_base_year_alone_and_reach_their_factor_in_2030(name: str, tables):
    before, after = tables.compute_use, adjusted(tables, {name: 1.5}).compute_use
    ratio = after.select("year", ratio=after["kh100e"] / before["kh100e"])
    assert ratio.filter(pl.col("year") == 2022)["ratio"].max() == pytest.approx(1)
    assert ratio.filter(pl.col("year") == 2030)["ratio"].max() == pytest.approx(1.5)


def test_another_quality_index_counts_other_volumes_but_what_was_paid_stays(tables):
    other = adjusted(tables, {"quality_theta": 0.77})

    def paid(given) -> pl.DataFrame:
        price = given.accelerator_bill.group_by("year", "product").agg(pl.col("kusd_per_h100e").sum())
        spent = given.compute_use.join(price, on=["year", "product"], how="left")
        return spent.sort("year", "user", "product", "channel", "site").select(pl.col("kh100e") * pl.col("kusd_per_h100e"))

    np.testing.assert_allclose(paid(other).to_numpy(), paid(tables).to_numpy(), rtol=1e-12)
    grade = pl.col("product") == "accelerators_export_grade"
    after, before = (t.compute_use.filter(grade & (pl.col("year") == 2024))["kh100e"].sum() for t in (other, tables))
    assert after < 0.8 * before, "an H20 is mostly memory"

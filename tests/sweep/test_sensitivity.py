"""Indices against the Ishigami function's, swings and thresholds against functions that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backfill.cli import main
from backfill.errors import CommandError
from backfill.experiments.sweep.draws import cube
from backfill.experiments.sweep.file import SweepTable
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.sensitivity import (
    EXACT,
    FEWEST,
    FIRST,
    SALTELLI,
    Condition,
    Matrix,
    sobol,
    threshold,
    tornado,
)

NAMES = ("a", "b", "c")
A, B = 7.0, 0.1
KEYS = pl.DataFrame(
    {"quantity": ["q"], "where": ["us"], "product": ["all"], "period": ["2027"], "unit": ["million USD"]}
)
LEVERS = [{"measure": "M", "field": name, "name": name, "low": -np.pi, "high": np.pi} for name in NAMES]


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def exact() -> tuple[np.ndarray, np.ndarray]:
    """First and total indices in closed form (Ishigami and Homma 1990)."""
    one, two = 0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8
    both = B**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = one + two + both
    return np.array([one, two, 0.0]) / whole, np.array([one + both, two, both]) / whole


def of(plan: Plan, function=ishigami) -> Matrix:
    axes = plan.levers[plan.row]
    return Matrix(axes, np.arange(len(plan)), KEYS, function(axes)[None])


def planned(by: str, samples: int | None = None, **axis) -> Plan:
    choice = {"by": by} | ({} if samples is None else {"samples": samples})
    return Plan.of(SweepTable.model_validate({"policy": choice, "levers": [{**one, **axis} for one in LEVERS]}))


def test_saltelli_indices_of_the_ishigami_function():
    plan = planned("saltelli", 2048)
    found = sobol(of(plan), plan, NAMES)
    first, total = exact()
    assert set(found["method"]) == {SALTELLI}
    np.testing.assert_allclose(found["first"], first, atol=0.02)
    np.testing.assert_allclose(found["total"], total, atol=0.02)
    assert (found["first_error"] < 0.1).all()


def test_indices_over_a_grid_are_exact():
    plan = planned("grid", points=25)
    found = sobol(of(plan), plan, NAMES)
    assert set(found["method"]) == {EXACT}
    cells = ishigami(plan.levers).reshape(25, 25, 25)
    for n in range(3):
        others = tuple(m for m in range(3) if m != n)
        assert found["first"][n] == pytest.approx(cells.mean(others).var() / cells.var(), abs=1e-12)
        assert found["total"][n] == pytest.approx(cells.var(n).mean() / cells.var(), abs=1e-12)


def test_first_indices_of_other_draws():
    plan = planned("sobol", 4096)
    found = sobol(of(plan), plan, NAMES)
    assert set(found["method"]) == {FIRST}
    np.testing.assert_allclose(found["first"], exact()[0], atol=0.06)
    assert found["total"].null_count() == 3


def test_few_draws_have_no_indices():
    assert sobol(of(planned("random", FEWEST - 1)), planned("random", FEWEST - 1), NAMES).is_empty()
    assert sobol(of(planned("random", FEWEST)), planned("random", FEWEST), NAMES).height == 3


def test_part_of_a_grid_is_not_taken_for_the_whole():
    plan = planned("grid", points=5)
    whole = of(plan)
    part = whole.axes[:, 0] > 0
    found = sobol(Matrix(whole.axes[part], whole.numbers[part], KEYS, whole.values[:, part]), plan, NAMES)
    assert EXACT not in set(found["method"])


def test_a_saltelli_design_with_scenarios_missing_is_refused():
    plan = planned("saltelli", 8)
    whole = of(plan)
    with pytest.raises(CommandError, match="needs every scenario"):
        sobol(Matrix(whole.axes[1:], whole.numbers[1:], KEYS, whole.values[:, 1:]), plan, NAMES)


def test_swings_are_means_over_the_ends():
    plan = planned("grid", points=11)
    found = tornado(of(plan, lambda x: 3 * x[:, 0] + x[:, 1]), NAMES)
    assert found["axis"].to_list() == ["a", "b", "c"]
    np.testing.assert_allclose(found["swing"], [3 * 2 * np.pi * 0.9, 2 * np.pi * 0.9, 0.0], rtol=0.12, atol=1e-9)
    np.testing.assert_allclose(found["swing"], found["high"] - found["low"], atol=1e-12)


def test_a_threshold_is_where_the_effect_crosses():
    plan = planned("grid", points=41)
    found = of(plan, lambda x: 2 * x[:, 0] + x[:, 1])
    table = threshold(found, NAMES, Condition.of("q of us >= 1.5"), "a")
    assert table.height == 41 * 41
    for row in table.iter_rows(named=True):
        b = float(row["others"].split(",")[0].split("=")[1])
        at = (1.5 - b) / 2
        if -np.pi < at <= np.pi:
            assert row["threshold"] == pytest.approx(at, abs=1e-4)
        else:
            assert row["threshold"] in (None, pytest.approx(-np.pi))
    never = threshold(found, NAMES, Condition.of("q of us > 1e6"), "a")
    assert never["threshold"].null_count() == never.height


def test_a_threshold_of_drawn_points_is_refused():
    plan = planned("latin_hypercube", 64)
    with pytest.raises(CommandError, match="sweep a grid of it"):
        threshold(of(plan), NAMES, Condition.of("q >= 0"), "a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q", "is a condition such as"),
        ("r of us >= 1", "is no effect of this sweep"),
        ("q of uk >= 1", "did you mean|is no where here"),
        ("q in 2027 of us >= 1", "in this order"),
    ],
)
def test_conditions_that_cannot_be_read(text: str, said: str):
    with pytest.raises(CommandError, match=said):
        Condition.of(text).row(of(planned("saltelli", 2)))


def test_the_command_writes_and_prints_tables(finished: Path, capsys: pytest.CaptureFixture[str]):
    words = ["sensitivity", str(finished), "--threshold", "change in exports of us on electronics in 2024 <= -20000"]
    assert main(words) == 2
    assert "--lever" in capsys.readouterr().err
    assert (
        main(["sensitivity", str(finished), "--threshold", "change in exports of us <= -1", "--lever", "share closd"])
        == 2
    )
    assert 'did you mean "share closed"?' in capsys.readouterr().err
    condition = "change in sales to the adversary of us on tools <= -1"
    assert main(["sensitivity", str(finished), "--threshold", condition, "--lever", "share closed"]) == 2
    assert "backfill sensitivity" in capsys.readouterr().err
    assert (
        main(
            [
                "sensitivity",
                str(finished),
                "--threshold",
                "change in exports of us on all <= -1",
                "--lever",
                "share closed",
            ]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert EXACT in said
    assert "of 24 scenarios" not in said
    assert main(["sensitivity", str(finished), "--lever", "share closed"]) == 2
    assert "is read beside --threshold" in capsys.readouterr().err
    assert {"tornado.csv", "sobol.csv", "thresholds.csv"} <= {path.name for path in finished.iterdir()}
    thresholds = pl.read_csv(finished / "thresholds.csv")
    assert thresholds.height == 4


def test_sobol_points_are_balanced():
    assert np.abs(cube("sobol", 256, 4, "x").mean(0) - 0.5).max() < 0.01

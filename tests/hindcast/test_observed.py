"""Observed figures: checked as they are read, and converted on one basis."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backfill.economy.compile.accelerators import ADVERSARY, compute_use
from backfill.economy.compile.sources import Sources, read_sources
from backfill.economy.schema import DataError
from backfill.experiments.hindcast import observed as seen
from backfill.experiments.hindcast.observed import Figure, figures, of_mixture


@pytest.fixture(scope="module")
def sources(repository: Path) -> Sources:
    return read_sources(repository / "data" / "sources")


@pytest.fixture(scope="module")
def by(sources: Sources) -> dict[tuple[str, int], Figure]:
    return {(figure.series, figure.year): figure for figure in figures(sources)}


def test_every_series_has_figures(by: dict[tuple[str, int], Figure]):
    assert {series for series, _ in by} == set(seen.UNITS)


def test_the_published_figures_are_those_of_the_sources(by: dict[tuple[str, int], Figure]):
    """Thousand H100e of operations: China's purchases of Nvidia chips, smuggled and its own, as published."""
    published = {
        (seen.LEGAL, 2022): 31.791, (seen.LEGAL, 2023): 144.842, (seen.LEGAL, 2024): 143.348,
        (seen.LEGAL, 2025): 79.494 + 10.523, (seen.SMUGGLED, 2024): 158.675, (seen.SMUGGLED, 2025): 503.373,
        (seen.MADE, 2024): 180.112 + 6.468, (seen.MADE, 2025): 527.856 + 28.457,
    }  # fmt: skip
    for key, value in published.items():
        assert by[key].published == pytest.approx(value), key
    assert [by[seen.SHARE, year].published for year in range(2022, 2026)] == [0.1101, 0.1323, 0.0434, 0.0089]
    assert [by[seen.BILLINGS, year].value for year in range(2021, 2025)] == [29.62, 28.3, 36.6, 49.6]
    assert [by[seen.WORLD_BILLINGS, year].value for year in range(2021, 2025)] == [102.64, 107.6, 106.3, 117.1]


def test_an_h20_counts_more_in_quality_than_in_operations(by: dict[tuple[str, int], Figure]):
    """0.34 of an H100 against 0.15."""
    quality = (296 / 1979) ** 0.6 * (4 / 3.35) ** 0.4
    assert by[seen.LEGAL, 2024].value == pytest.approx(143.348 * quality / (296 / 1979))
    assert by[seen.LEGAL, 2024].value / by[seen.LEGAL, 2024].published == pytest.approx(2.3, abs=0.01)


def test_a_mixture_reproduces_its_operations():
    ops, q = {"a": 0.2, "b": 1.0, "c": 2.5}, {"a": 0.3, "b": 1.0, "c": 2.4}
    assert of_mixture(0.6, ("a", "b", "c"), ops, q) == pytest.approx(0.65)
    assert of_mixture(1.0, ("a", "b", "c"), ops, q) == pytest.approx(1.0)
    assert of_mixture(1.75, ("a", "b", "c"), ops, q) == pytest.approx(1.7)
    with pytest.raises(DataError, match="not between a and c"):
        of_mixture(3.0, ("a", "b", "c"), ops, q)


def test_errors_are_at_least_that_of_rounding(by: dict[tuple[str, int], Figure]):
    assert min(figure.error for figure in by.values()) == seen.ROUNDED
    assert by[seen.SMUGGLED, 2024].error == pytest.approx(0.57, abs=0.01)


def test_own_chips_of_2023_agree_with_the_reference_from_which_the_rules_raise_them(
    sources: Sources, by: dict[tuple[str, int], Figure]
):
    """A tenth of the market in units, each an Ascend 910B: under the first rule, and so no less than without rules."""
    figure = by[seen.MADE, 2023]
    assert figure.use == "fits"
    assert figure.value == pytest.approx(134 * (376 / 1979) ** 0.6 * (1.228 / 3.35) ** 0.4, rel=1e-3)
    without = sum(
        use.kh100e for use in compute_use(sources) if (use.year, use.user, use.product) == (2023, "CHN", ADVERSARY)
    )
    assert figure.low is not None
    assert figure.low < without < figure.value


def test_no_figure_of_the_last_years_sets_a_parameter_but_smuggling(by: dict[tuple[str, int], Figure]):
    """Smuggling has no earlier figures, and two priors were once set to meet these."""
    late = {series for (series, year), figure in by.items() if year >= 2024 and figure.use == "fits"}
    assert late == {seen.SMUGGLED, seen.PREMIUM}
    assert all(figure.year >= 2024 for figure in by.values() if figure.use == "judges")


def _edit(path: Path, line: int, change: Callable[[str], str]) -> None:
    lines = path.read_text().splitlines()
    lines[line - 1] = change(lines[line - 1])
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda line: line.rsplit(",", 1)[0] + ",guesses", "row 3: use: guesses: use one of benchmark, fits, judges"),
        (lambda line: line.replace(",2022,", ",2022Q1,"), "row 3: period: 2022Q1: is no year: write four digits"),
        (lambda line: line.replace("epoch_chip_sales", "nowhere"), "row 3: source: nowhere: not in bibliography.csv"),
        (lambda line: line.replace(",8.87,", ",-8.87,"), "row 3: value: -8.87: negative"),
        (lambda line: line.replace(",8.87,", ",20,"), "row 3: value: 20.0: lies outside its own low and high"),
    ],
)
def test_a_bad_figure_is_named(repository: Path, tmp_path: Path, change: Callable[[str], str], told: str):
    folder = Path(shutil.copytree(repository / "data" / "sources", tmp_path / "sources"))
    _edit(folder / "observations.csv", 3, change)
    with pytest.raises(DataError) as raised:
        read_sources(folder)
    assert any(fault.startswith(f"{folder / 'observations.csv'}: {told}") for fault in raised.value.faults)


def test_a_missing_file_is_named(repository: Path, tmp_path: Path):
    folder = Path(shutil.copytree(repository / "data" / "sources", tmp_path / "sources"))
    (folder / "observations.csv").unlink()
    with pytest.raises(DataError, match=r"observations.csv: missing file"):
        read_sources(folder)

"""The part of ``docs/hindcast.md`` that is computed, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backfill.experiments.hindcast.result import HindcastResult
from backfill.experiments.hindcast.words import factor_of, three

BEGIN, END = "<!-- computed by `python -m tests.hindcast.refresh` -->", "<!-- end of what is computed -->"


def computed(hindcast: HindcastResult, identified: HindcastResult) -> str:
    """Tables and sentences of both, between the marks of the page."""
    found = hindcast.tables["hindcast"]
    rows = [
        [
            row["series"],
            str(row["year"]),
            row["unit"],
            row["use"],
            three(row["published"]),
            _ranged(row["observed"], row["observed_low"], row["observed_high"]),
            three(row["before_fit"]),
            _ranged(row["model"], row["seen_low"], row["seen_high"]),
            *(_with_factor(row[name], row[error]) for name, error in NAIVE),
            _verdict(row),
        ]
        for row in found.iter_rows(named=True)
    ]
    moved = hindcast.tables["parameters"].head(SHOWN)
    priors = [
        [
            row["parameter"],
            _ranged(row["central"], row["low"], row["high"]),
            _ranged(row["fitted"], row["fitted_low"], row["fitted_high"]),
            f"{row['spread']:.0%}",
            row["meaning"],
        ]
        for row in moved.iter_rows(named=True)
    ]
    parts = [
        BEGIN,
        *markdown(HEADINGS, rows),
        "",
        *(f"- {sentence}" for sentence in hindcast.sentences),
        "",
        "## What the figures pin down",
        "",
        *(f"- {sentence}" for sentence in identified.sentences),
        "",
        f"The {len(priors)} parameters whose spread narrows most, with their 80% ranges before and after:",
        "",
        *markdown(("parameter", "prior", "fitted", "spread left", "what it is"), priors),
        END,
    ]
    return "\n".join(parts) + "\n"


HEADINGS = (
    "what", "year", "unit", "use", "published", "seen", "model, central", "model, fitted, 80%", "last value", "constant share",
    "off by",
)  # fmt: skip
NAIVE = (("last_value", "error_last"), ("constant_share", "error_constant"))
SHOWN = 12


def replaced(page: str, part: str) -> str:
    """A page with the part between the marks replaced.

    Raises:
        ValueError: the page has no such part.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"no part between {BEGIN} and {END}")
    return page[: page.index(BEGIN)] + part + page[page.index(END) + len(END) + 1 :]


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table as lines of Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines]


def _ranged(value: float | None, low: float | None, high: float | None) -> str:
    return three(value) + ("" if low is None or high is None else f" ({three(low)} to {three(high)})")


def _with_factor(value: float | None, error: float | None) -> str:
    return three(value) + ("" if error is None else f" (off by {factor_of(error)})")


def _verdict(row: dict) -> str:
    if row["error"] is None:
        return ""
    return factor_of(row["error"]) + (", within" if row["covered"] else ", outside")

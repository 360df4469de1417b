"""``backfill design``: the best package of measures."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from backfill.commands.folder import check_folder, put
from backfill.commands.interrupt import at_once
from backfill.commands.run import keep_compiled
from backfill.commands.validate import check
from backfill.errors import CommandError, Faults, MissingKeyError, UnsolvedError, UserError
from backfill.experiments.config import Experiment
from backfill.experiments.design.result import DesignResult, may_replace


def design_experiment(file_or_name: str, out: Path | None, ranges: bool, quiet: bool) -> bool:
    """Find an experiment's best package and write it; True if there is one that keeps every limit.

    Raises:
        Faults: everything wrong with the files and with the folder, before anything is solved.
        OutputError: the result cannot be written.
    """
    experiment, folder = _checked(file_or_name, out, ranges)
    with at_once():
        keep_compiled()
        from backfill import programs

        programs.prepare("design", experiment.name)
        from backfill.commands.report import progress_bar
        from backfill.experiments.design.run import design

        try:
            with progress_bar(quiet) as progress:
                result = design(experiment, ranges=ranges, progress=progress)
        except UnsolvedError as error:
            print(f"{experiment.name}: {' '.join(error.sentence.split())}", file=sys.stderr)
            return False
    programs.remember("design", experiment.name)
    put(folder, result.write)
    if not quiet:
        try:
            for line in report(result, folder):
                print(line)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"the result is in {folder}") from None
    kept = result.checks["limits_passed"] <= PASSED
    if not kept:
        print(f"{result.name}: no package keeps every limit; the one that passes them by least is in {folder}", file=sys.stderr)
    return kept


PASSED = 1e-2
"""Limits passed by less, as a share of what levers can do to them, count as kept."""


def _checked(file_or_name: str, out: Path | None, ranges: bool) -> tuple[Experiment, Path]:
    wrong: list[UserError] = []
    experiment, folder = None, out
    try:
        experiment, _ = check(file_or_name)
        folder = out or Path("results") / f"{experiment.name}-design"
        if experiment.design is None:
            remedy = "is missing; add a [design] table: objective, limits and levers (see docs/design.md)"
            wrong.append(MissingKeyError(file_or_name, "design", None, remedy))
        elif ranges and experiment.own is not None:
            remedy = "come from the benchmark's priors; leave it out with own tables"
            wrong.append(CommandError("backfill design", "--ranges", None, remedy))
    except UserError as error:
        wrong.append(error)
    if folder is not None:
        try:
            check_folder(folder, may_replace)
        except UserError as error:
            wrong.append(error)
    if wrong or experiment is None or folder is None:
        raise Faults(wrong)
    return experiment, folder


def report(result: DesignResult, folder: Path) -> list[str]:
    """What came out, as text: levers as written and at best, then sentences."""
    from backfill.commands.report import short, tabulated

    lines = [result.title or result.name]
    wide = result.tables["design"].pivot("package", index=["lever", "field"], values="value", maintain_order=True)
    there = dict(result.tables["design"].filter(pl.col("package") == "best").select("lever", "there").iter_rows())
    rows = [
        [
            row["lever"],
            row["field"],
            short(row["as written"]),
            short(row["best"]) if there[row["lever"]] else "left out",
        ]
        for row in wide.iter_rows(named=True)
    ]
    lines += tabulated(["lever", "field"], ["as written", "best"], rows)
    lines += result.sentences
    lines.append(f"files in {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    lines.append(f"open {folder / 'chart.html'} in a browser")
    return lines

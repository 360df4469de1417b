"""``backfill structure``: headline results of an experiment under other structural assumptions."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from backfill.commands.interrupt import at_once
from backfill.commands.validate import check
from backfill.errors import CommandError, OutputError
from backfill.experiments.structure import VARIANTS


def structure_table(file_or_name: str, out: Path | None, quiet: bool) -> Path:
    """Solve an experiment under each structure, print the table and write it; returns the file written.

    Raises:
        Faults: everything wrong with the experiment.
        CommandError: it is on a user's own tables.
        OutputError: the file cannot be written.
    """
    experiment, base = check(file_or_name, None)
    if experiment.own is not None:
        raise CommandError("backfill structure", file_or_name, None, "is on own tables; the switches are the benchmark's")
    target = out or Path("results") / f"{experiment.name}.structure.csv"
    if target.is_dir():
        raise OutputError(str(target), "", None, "is a folder; name a file")
    with at_once():
        from backfill.commands.run import keep_compiled

        keep_compiled()
        from backfill import programs

        programs.prepare("structure", experiment.name)
        from backfill.experiments.run import run
        from backfill.experiments.structure import headlines

        done: list[str] = []

        def solve(other):
            if not quiet:
                print(f"solving {len(done) + 1} of {len(VARIANTS)}", file=sys.stderr)
            done.append(other.name)
            return run(other, reference=base, ranges=False)

        table = headlines(experiment, solve)
        programs.remember("structure", experiment.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        table.write_csv(target)
    except OSError as error:
        raise OutputError(str(target), "", None, f"cannot be written ({error.strerror or error})") from None
    if not quiet:
        for line in lines(table):
            print(line)
        print(f"table in {target}")
    return target


def lines(table: pl.DataFrame) -> list[str]:
    """The table for people: a headline a row, a structure a column."""
    from backfill.commands.report import gains, short, tabulated

    solved = table.filter(pl.col("quantity") != "all")
    names = list(dict.fromkeys(solved["structure"]))
    keys = list(dict.fromkeys(solved.select("quantity", "where", "period", "unit").iter_rows()))
    found = {tuple(row[:5]): row[5] for row in solved.iter_rows()}
    rows = [[*key, *(short(found.get((name, *key))) for name in names)] for key in keys]
    notes = [f"{row['structure']}: {row['note']}" for row in table.filter(pl.col("quantity") == "all").iter_rows(named=True)]
    return [*tabulated(("change in", "where", "period", "unit"), names, rows), *gains(solved, ["change"]), *notes]

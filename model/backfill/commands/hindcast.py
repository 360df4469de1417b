"""``backfill hindcast`` and ``backfill identify``: what the model says of 2022 to 2025, and what those years say of the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from backfill.commands.folder import check_folder, put
from backfill.commands.interrupt import at_once
from backfill.commands.run import keep_compiled
from backfill.errors import Faults, UserError
from backfill.experiments.hindcast.result import may_replace
from backfill.experiments.hindcast.words import factor_of, three

if TYPE_CHECKING:
    from backfill.experiments.hindcast.result import HindcastResult

Kind = Literal["hindcast", "identify"]


def hindcast_rules(kind: Kind, out: Path | None, tables: Literal["csv", "parquet"], quiet: bool) -> None:
    """Solve the rules of 2022 to 2025 at many parameters; print what came out, and write it where that is asked for.

    Raises:
        Faults: something else in the folder, before anything is solved.
        UnsolvedError: the rules cannot be solved at central values.
        OutputError: the result cannot be written.
    """
    if out is not None:
        try:
            check_folder(out, lambda folder: may_replace(folder, kind))
        except UserError as error:
            raise Faults([error]) from None
    with at_once():
        keep_compiled()
        from backfill import programs

        programs.prepare("hindcast", kind)
        from backfill.commands.report import progress_bar
        from backfill.experiments.hindcast.run import hindcast, identification

        with progress_bar(quiet) as progress:
            result = hindcast(progress) if kind == "hindcast" else identification(progress)
    programs.remember("hindcast", kind)
    if out is not None:
        put(out, lambda folder: result.write(folder, tables=tables))
    if quiet:
        return
    for line in report(result):
        print(line)
    if out is not None:
        print(f"files in {out}: {', '.join(sorted(path.name for path in out.iterdir()))}")
        print(f"open {out / 'chart.html'} in a browser")


def report(result: HindcastResult) -> Iterator[str]:
    """What came out, as text: the table, then sentences."""
    from backfill.commands.report import tabulated

    if result.kind == "hindcast":
        yield from tabulated(*hindcast_rows(result.tables["hindcast"]))
    else:
        yield from tabulated(*identified_rows(result.tables["identified"]))
    yield from result.sentences


def hindcast_rows(found: pl.DataFrame) -> tuple[list[str], list[str], list[list[str]]]:
    """Headings and cells of the hindcast table as people read it: words, numbers, rows."""
    words = ["what", "year", "unit", "use"]
    numbers = ["seen", "model", "80% range", "central values", "last value", "constant share", "off by"]
    rows = []
    for row in found.iter_rows(named=True):
        range_ = "" if row["seen_low"] is None else f"{three(row['seen_low'])} to {three(row['seen_high'])}"
        factor = "" if row["error"] is None else f"{factor_of(row['error'])}{'' if row['covered'] else ' *'}"
        naive = [three(row[name]) for name in ("last_value", "constant_share")]
        cells = [row["series"], str(row["year"]), row["unit"], row["use"], three(row["observed"])]
        rows.append([*cells, three(row["model"]), range_, three(row["before_fit"]), *naive, factor])
    return words, numbers, rows


def identified_rows(found: pl.DataFrame) -> tuple[list[str], list[str], list[list[str]]]:
    """Headings and cells of what is pinned down."""
    rows = [
        [row["parameter"], row["verdict"], f"{row['spread']:.0%}", f"{row['alone']:.0%}"]
        for row in found.iter_rows(named=True)
    ]
    return ["parameter", "verdict"], ["spread left", "if all else were known"], rows

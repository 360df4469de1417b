"""``backfill compare``: headline numbers of several results in one table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from backfill.commands.folder import check_folder, put
from backfill.commands.found import result_folder, solved_result
from backfill.errors import CommandError, Faults, UserError
from backfill.experiments.beside import KEYS, SideBySide, may_replace, side_by_side
from backfill.experiments.results import Result, Status


def compare(*results: Result | str | os.PathLike[str]) -> SideBySide:
    """Results side by side.

    Args:
        results: two or more: results, their folders, or names of experiments whose results lie under ``results``.

    Raises:
        Faults: folders that hold no result, all at once.
        CommandError: fewer than two, one twice, one that could not be solved, or results of different economies, horizons or
            references.
    """
    found: list[tuple[Result, str]] = []
    wrong: list[UserError] = []
    for one in results:
        try:
            if isinstance(one, Result):
                if one.status is not Status.SOLVED:
                    raise CommandError(
                        "backfill compare", one.name, None, "could not be solved; there is nothing in it"
                    )
                found.append((one, one.name))
            else:
                folder = result_folder(os.fspath(one))
                found.append((solved_result(folder), str(folder)))
        except UserError as error:
            wrong.append(error)
    if wrong:
        raise Faults(wrong)
    if len(found) < 2:
        raise CommandError("backfill compare", "", None, "takes two results or more")
    return side_by_side(_called(found))


def _called(found: Sequence[tuple[Result, str]]) -> dict[str, Result]:
    """Results by name or, where experiments of one name were run twice, by folder."""
    names = [result.name for result, _ in found]
    called: dict[str, Result] = {}
    for result, place in found:
        label = result.name if names.count(result.name) == 1 else place
        if label in called:
            raise CommandError("backfill compare", label, None, "is named twice; name each result once")
        called[label] = result
    return called


def compare_results(named: Sequence[str], out: Path | None, quiet: bool) -> None:
    """Print results side by side; write table and chart to a folder if one is named.

    Raises:
        UserError: results that are missing or do not belong together, or a folder that cannot be written.
    """
    if out is not None:
        check_folder(out, may_replace)
    both = compare(*named)
    if out is not None:
        put(out, both.write)
    if quiet:
        return
    for line in told(both):
        print(line)
    if out is not None:
        print(f"files in {out}: " + ", ".join(sorted(path.name for path in out.iterdir())))
        print(f"open {out / 'chart.html'} in a browser")


def told(both: SideBySide) -> list[str]:
    """The table as lines: the reference's level, and the change of each world with its range if it has one."""
    from backfill.commands.report import WORDS, gains, rates, short, tabulated

    rows, missing = [], []
    for row in both.table.iter_rows(named=True):
        changes = [row[f"{world}: change"] for world in both.worlds]
        if all(change is None for change in changes):
            missing.append(f"{row['quantity']}, {row['where']}")
            continue
        cells = [
            short(change) + _range(row.get(f"{world}: low"), row.get(f"{world}: high"))
            for world, change in zip(both.worlds, changes, strict=True)
        ]
        rows.append([*(row[key] for key in KEYS), short(row["reference"]), *cells])
    lines = tabulated(WORDS, [both.reference, *(f"change, {world}" for world in both.worlds)], rows)
    head = f"{', '.join(both.worlds)}: changes from {both.reference}"
    given = both.table.filter(pl.any_horizontal(pl.col(f"{world}: change").is_not_null() for world in both.worlds))
    told = [f"{world}: {what}" for world in both.worlds for what in ("change", "low", "high")]
    notes = [*rates(given["quantity"], [both.reference], "each world"), *gains(both.table, told)]
    apart = both.provenance.get("apart")
    differ = [f"set apart not by measures alone: {'; '.join(apart)}"] if isinstance(apart, list) and apart else []
    return [head, *lines, *notes, *([f"not given in any: {'; '.join(missing)}"] if missing else []), *differ]


def _range(low: float | None, high: float | None) -> str:
    from backfill.commands.report import short

    return "" if low is None or high is None else f" ({short(low)} to {short(high)})"

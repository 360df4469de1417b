"""``backfill explain``: which measure moved what, of a result of an earlier run."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

import polars as pl

from backfill.commands.found import result_folder, solved_result
from backfill.commands.interrupt import at_once, writing
from backfill.errors import OutputError
from backfill.experiments.config import Experiment, load_experiment
from backfill.experiments.explain import KEYS, Explanation, Numbers, explain
from backfill.experiments.groups import By
from backfill.experiments.provenance import data_sha256
from backfill.experiments.results import EXPLANATION, Result
from backfill.policy.library import find

SAME = 0.01, 1e-6
"""How far a number may be from the one on file: share of the change, and of the level."""

MOST_COLUMNS = 8
MAIN = ("compute denied", "capacity, logic_advanced", "welfare, present value")
"""Beginnings of the numbers that are printed where there are more groups than columns."""


def explain_result(named: str, by: By, orders: int, quiet: bool) -> None:
    """Explain a result, write the table into its folder and print it.

    Raises:
        UserError: no such result, or one that is not of this version's model or data.
        UnsolvedError: a combination of measures cannot be solved.
    """
    folder = result_folder(named)
    result = solved_result(folder)
    if result.provenance.get("data_sha256") != data_sha256():
        raise OutputError(str(folder), "", None, f"was solved with other data; {_again(result)}")
    experiment = load_experiment(folder / "resolved.toml", inert_allowed=True)
    reference = _reference(folder, result, experiment)
    _check_writable(folder)
    with at_once():
        from backfill.commands.report import progress_bar
        from backfill.commands.run import keep_compiled

        keep_compiled()
        from backfill import programs

        programs.prepare("explain", experiment.name)
        with progress_bar(quiet) as progress:
            found = explain(
                experiment,
                reference,
                by=by,
                orders=orders,
                progress=progress,
                checked=lambda numbers: _check_same(folder, result, numbers),
            )
    programs.remember("explain", experiment.name)
    if found is None:
        remedy = f"has the same measures as {result.reference}, so that there is nothing to explain"
        raise OutputError(str(folder), "", None, remedy)
    _write(folder, found.table)
    if quiet:
        return
    try:
        print(told(found, by))
        print(f"every number is in {folder / EXPLANATION}")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"the table is in {folder / EXPLANATION}") from None


def _reference(folder: Path, result: Result, experiment: Experiment) -> Experiment:
    """What a result was compared with: as its experiment says or, where that is another, by the name on file."""
    wanted = result.reference.removesuffix(" (reference)")
    for named in dict.fromkeys((experiment.reference, wanted)):
        if find(named, Path()) is None:
            continue
        base = load_experiment(named, beside=Path(), compared_with=experiment, inert_allowed=True)
        if base.name == wanted:
            return base if experiment.as_of is None else base.known_on(experiment.as_of)
    remedy = f"is not found by its name; {_again(result)}, with the reference named in the experiment file"
    raise OutputError(str(folder), "reference", wanted, remedy)


def _check_same(folder: Path, result: Result, numbers: Numbers) -> None:
    """See that the model still says what is on file, before all combinations are solved.

    Raises:
        OutputError: it says something else.
    """
    of_change, of_level = SAME
    for row in result.summary.iter_rows(named=True):
        now, before = numbers.get(tuple(row[key] for key in KEYS)), row["change"]
        if now is None or before is None or math.isnan(now):
            continue
        level = max(abs(row[key] or 0.0) for key in ("reference", "policy"))
        if abs(now - before) > of_change * abs(before) + of_level * level:
            what = f"{row['quantity']}, {row['where']}, {row['period']}"
            remedy = f"is another change of {what} than the model finds now, {now:.6g}; {_again(result)}"
            raise OutputError(str(folder), "", before, remedy)


def _again(result: Result) -> str:
    return f"run {result.name} again"


def told(found: Explanation, by: str) -> str:
    """The explanation as text: a column for each group, or a row where there are many."""
    wide = len(found.groups) <= MOST_COLUMNS
    if found.orders is None:
        how = f"Shapley values over all {found.solved} combinations"
    else:
        how = f"means over {found.orders} random orders ({found.solved} combinations), ± their standard error"
    along = "rows" if wide else "columns"
    lines = [
        f"{found.name}, compared with {found.reference}: what each {by} adds to the change",
        f"{how}; {along} add up",
        *(_by_number(found) if wide else _by_group(found)),
    ]
    if by != "measure":
        lines += [f"{group.name}: {'; '.join(group.labels)}" for group in found.groups]
    if found.left_out:
        lines.append(f"not given, as they do not exist in some combination: {'; '.join(found.left_out)}")
    return "\n".join(lines)


def _by_number(found: Explanation) -> list[str]:
    from backfill.commands.report import WORDS, short, tabulated

    rows = []
    for key, part in found.table.group_by(KEYS, maintain_order=True):
        if (part["contribution"] != 0).any():
            rows.append([*map(str, key), short(part["total"][0]), *_cells(part)])
    return tabulated(WORDS, ["change", *(group.name for group in found.groups)], rows)


def _by_group(found: Explanation) -> list[str]:
    from backfill.commands.report import short, tabulated

    shown = found.table.filter(pl.any_horizontal(pl.col("quantity").str.starts_with(start) for start in MAIN))
    heads, columns = [], []
    for (quantity, where, period, unit), part in shown.group_by(KEYS, maintain_order=True):
        heads.append(f"{quantity}, {where}, {period} ({unit})")
        columns.append([*_cells(part), short(part["total"][0])])
    names = [*(group.name for group in found.groups), "change"]
    return tabulated(["measure"], heads, [list(row) for row in zip(names, *columns, strict=True)])


def _cells(part: pl.DataFrame) -> list[str]:
    """Contributions to one number, with their standard error where they have one."""
    from backfill.commands.report import short

    pairs = part.select("contribution", "standard_error").iter_rows()
    return [short(value) + ("" if error is None else f" ± {short(error)}") for value, error in pairs]


def _check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from None


def _write(folder: Path, table: pl.DataFrame) -> None:
    """Put the table into the folder, whole or not at all, in the place of an earlier one."""
    with writing():
        part = folder / f".{EXPLANATION}.part"
        try:
            table.write_csv(part)
            os.replace(part, folder / EXPLANATION)
        except (OSError, pl.exceptions.ComputeError) as error:  # the second is how polars reports a full disk
            raise _unwritable(folder, error) from None
        finally:
            part.unlink(missing_ok=True)


def _unwritable(folder: Path, error: Exception) -> OutputError:
    why = getattr(error, "strerror", None) or str(error)
    return OutputError(str(folder / EXPLANATION), "", None, f"cannot be written ({why})")

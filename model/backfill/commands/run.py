"""``backfill run``: check, solve, write, report."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import Literal

from backfill.commands.folder import check_folder, write
from backfill.commands.interrupt import at_once
from backfill.commands.validate import check, notes
from backfill.errors import CommandError, Faults, UnsolvedError, UserError
from backfill.experiments.config import Experiment
from backfill.policy.superseding import superseded


def run_experiment(
    file_or_name: str,
    out: Path | None,
    reference: str | None,
    tables: Literal["csv", "parquet"],
    ranges: bool | None,
    quiet: bool,
    as_of: dt.date | None = None,
) -> bool:
    """Run an experiment and write its result; True if it could be solved.

    Raises:
        Faults: everything wrong with the files and with the folder, before anything is solved.
        OutputError: the result cannot be written.
    """
    experiment, base, folder, late = _checked(file_or_name, out, reference, as_of)
    if not quiet:
        for note in (*late, *notes(experiment)):
            print(note, file=sys.stderr)
    with at_once():
        keep_compiled()
        from backfill import programs

        programs.prepare("run", experiment.name)
        from backfill.commands.report import progress_bar, report
        from backfill.experiments.results import Status
        from backfill.experiments.run import run

        try:
            with progress_bar(quiet) as progress:
                result = run(experiment, reference=base, ranges=ranges, as_of=as_of, progress=progress)
        except UnsolvedError as error:
            result = failed(experiment, error)
    programs.remember("run", experiment.name)
    written = write(result, folder, tables)
    if result.status is not Status.SOLVED:
        told = f"{' '.join(result.message.split())} Residuals: {written / 'checks.json'}"
        stays = "" if written == folder else f"; the earlier result in {folder} stays"
        print(f"{experiment.name}: cannot be solved: {told}{stays}", file=sys.stderr)
        return False
    if quiet:
        return True
    try:
        report(result, experiment.title, folder, ranges_possible=experiment.own is None)
        for name, said in dict(result.provenance.get("answers", {})).items():
            print(f"{name} {said}")
        for label in experiment.left_out:
            print(f"left out, as of {experiment.as_of}: {label}")
        ended = {name for name, by in superseded(experiment.policy.placed).items() if not by.measure.included_from}
        for inert in experiment.inert():
            if inert.placed.measure.name not in ended:
                print(f"note: {inert.placed.label} changes nothing here", file=sys.stderr)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"the result is in {folder}") from None
    return True


def _checked(
    file_or_name: str, out: Path | None, reference: str | None, as_of: dt.date | None
) -> tuple[Experiment, Experiment, Path, list[str]]:
    """The experiment as known on the day, its reference, the folder of its result, and what may not be meant of the day."""
    wrong: list[UserError] = []
    late: list[str] = []
    pair, folder = None, out
    try:
        pair = check(file_or_name, reference)
        folder = out or Path("results") / (pair[0].name + ("" if as_of is None else f" as of {as_of.isoformat()}"))
        if as_of is not None:
            known = _as_known(pair[0], as_of)
            late = too_late(pair[0], known, as_of)
            pair = known, pair[1]
    except UserError as error:
        wrong.append(error)
    if folder is not None:
        try:
            check_folder(folder)
        except UserError as error:
            wrong.append(error)
    if wrong or pair is None or folder is None:
        raise Faults(wrong)
    return *pair, folder, late


def _as_known(experiment: Experiment, day: dt.date) -> Experiment:
    """The experiment as it was known on a day on which something of it was."""
    known = experiment.known_on(day)
    if known.policy.placed or not known.left_out:
        return known
    measures = (*experiment.policy.measures, *(placed.measure for placed in experiment.withdrawn))
    spans = [(begun, one.withdrawn) for one in measures if (begun := one.announced or one.begin)]
    first, gone = min(spans, key=lambda span: span[0])
    remedy = f"is a day on which nothing of {experiment.name} was known; it was announced on {first.isoformat()}"
    if gone is not None and gone <= day:
        remedy += f" and withdrawn on {gone.isoformat()}"
    raise CommandError("backfill run", "--as-of", day.isoformat(), remedy)


def too_late(experiment: Experiment, known: Experiment, day: dt.date) -> list[str]:
    """A note where everything in an experiment was known by a day."""
    days = [begun for one in experiment.policy.measures if (begun := one.announced or one.begin)]
    if not days or experiment.as_of is not None or known.policy.measures != experiment.policy.measures:
        return []
    remedy = f"changes nothing: the last measure of {experiment.name} was announced on {max(days).isoformat()}"
    return [f"note: {CommandError('backfill run', '--as-of', day, remedy)}"]


def failed(experiment: Experiment, error: UnsolvedError):
    """The result of an experiment that could not even be set up: checks alone."""
    import polars as pl

    from backfill.experiments.results import EffectTables, Result, Status

    return Result(
        name=experiment.name,
        reference=experiment.reference,
        also_against=None,
        tables=EffectTables.empty(),
        summary=pl.DataFrame(),
        status=Status.FAILED,
        message=error.sentence,
        checks={"converged": 0.0, **error.checks},
        provenance={},
        resolved=experiment.resolved_toml(),
    )


def cache_folder() -> Path:
    """Where compiled programs are kept: ``$XDG_CACHE_HOME/backfill/jax``, by default under ``~/.cache``."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~")) / ".cache"
    return root / "backfill" / "jax"


def keep_compiled() -> None:
    """Keep compiled programs and calibrated economies on disk, where ``JAX_COMPILATION_CACHE_DIR`` says if it is set.

    Where there is no place for them nothing is kept. Freed memory is kept too, for what is solved next.
    """
    import jax

    from backfill.kept import keep_in
    from backfill.memory import reuse

    reuse()

    told = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    folder = cache_folder() if told is None else Path(told)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return
    keep_in(folder / "kept")
    if told is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)

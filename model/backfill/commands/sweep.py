"""``backfill sweep``: an experiment at thousands of levers and parameters."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.commands.validate import check, notes
from backfill.errors import CommandError, Faults, MissingKeyError, OutputError, UserError

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment
    from backfill.experiments.sweep.folder import Part
    from backfill.experiments.sweep.plan import Plan
    from backfill.experiments.sweep.run import Progress, Told

EVERY = 60.0
"""Seconds between lines of a log."""


def sweep_experiment(
    file_or_name: str,
    out: Path | None,
    *,
    part: str | None = None,
    workers: int | None = None,
    keep: str = "effects",
    retry: bool = False,
    dry_run: bool = False,
    scheduler: str | None = None,
    quiet: bool = False,
) -> bool:
    """Run a sweep, or go on with it; True if every scenario of it is solved.

    Raises:
        Faults: everything wrong with the files and the command line, before anything is solved.
        OutputError: the folder holds something else, is at work, or cannot be written.
        UnsolvedError: a process ended over a chunk.
    """
    experiment, reference, chosen = _checked(file_or_name, part, workers)
    from backfill.experiments.sweep.folder import SweepFolder
    from backfill.experiments.sweep.plan import Plan
    from backfill.experiments.sweep.run import cores, failures, solve

    assert experiment.sweep is not None
    plan = Plan.of(experiment.sweep)
    count = workers or cores()
    if not quiet:
        for note in notes(experiment):
            print(note, file=sys.stderr)
    if dry_run:
        from backfill.experiments.sweep.trial import trial

        try:
            for line in trial(experiment, reference, plan, count, keep):
                print(line)
        except (OSError, OutputError) as error:
            told = getattr(error, "strerror", None) or error
            remedy = f"cannot write its trial into {tempfile.gettempdir()} ({told}); make room there or set TMPDIR"
            raise CommandError("backfill sweep", "--dry-run", None, remedy) from None
        return True
    folder = SweepFolder((out or Path("results") / f"{experiment.name}-sweep").absolute())
    try:
        with _client(scheduler) as client:
            folder.begin(experiment, reference, plan, keep)
            with _shown(quiet) as told:
                if client is None:
                    progress = solve(folder, plan, chosen, count, told, retry=retry)
                else:
                    from backfill.commands.worker import chunk_on
                    from backfill.experiments.sweep.cluster import solve_on

                    progress = solve_on(client, folder, plan, chosen, chunk_on, told, retry=retry)
    except OSError as error:
        raise OutputError(
            str(folder.path), "", None, f"cannot be written ({error.strerror or error}); what is finished stays"
        ) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"what is finished is in {folder.path}; the same command goes on") from None
    finished = folder.finished(plan.chunks)
    whole = len(finished) == len(plan.chunks)
    done = [chunk for chunk in plan.chunks if chunk.number in finished and chosen.has(chunk)]
    lost = sum(failures(folder, done).values())
    if whole and (progress.done or not (folder.path / CHART).is_file()):
        _draw(folder.path)
    if not quiet:
        _report(folder.path, plan, progress, lost)
        if (folder.path / CHART).is_file():
            print(f"open {folder.path / CHART} in a browser; `backfill sensitivity {folder.path}` says what matters")
    return lost == 0


@contextmanager
def _client(scheduler: str | None) -> Iterator[Any]:
    """A client of a Dask scheduler; None if none is named."""
    if scheduler is None:
        yield None
        return
    from backfill.experiments.sweep.cluster import connected

    with connected(scheduler) as client:
        yield client


CHART = "chart.html"


def _draw(folder: Path) -> None:
    """The page of charts of a finished sweep; none where nothing is solved."""
    from backfill.charts.sweep import page
    from backfill.experiments.sweep.folder import place_text
    from backfill.experiments.sweep.load import load_sweep

    try:
        text = page(load_sweep(folder))
    except ValueError:
        return
    place_text(folder / CHART, text)


def _checked(file_or_name: str, part: str | None, workers: int | None) -> tuple[Experiment, Experiment, Part]:
    from backfill.experiments.sweep.folder import Part

    wrong: list[UserError] = []
    pair, chosen = None, Part()
    try:
        pair = check(file_or_name)
        if pair[0].sweep is None:
            wrong.append(
                MissingKeyError(file_or_name, "sweep", None, "is missing; add a [sweep] table (see docs/sweeps.md)")
            )
    except UserError as error:
        wrong.append(error)
    if part is not None:
        try:
            number, of = (int(word) for word in part.split("/"))
            if not 1 <= number <= of:
                raise ValueError
            chosen = Part(number, of)
        except ValueError:
            wrong.append(CommandError("backfill sweep", "--part", part, "is which of how many, such as 1/4"))
    if workers is not None and workers < 1:
        wrong.append(CommandError("backfill sweep", "--workers", workers, "must be a number of processes, at least 1"))
    if wrong or pair is None:
        raise Faults(wrong)
    return *pair, chosen


@contextmanager
def _shown(quiet: bool) -> Iterator[Told | None]:
    """A bar on stderr with rate and time left, or a line now and then where that is no terminal; None if nobody watches."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield _logged()
    else:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        with Bar(TextColumn("{task.description}"), BarColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("starting", total=1.0)

            def told(progress: Progress) -> None:
                if progress.done:
                    share = (progress.before + progress.done) / max(progress.before + progress.scenarios, 1)
                    bar.update(task, description=_how_far(progress), completed=share)

            yield told


def _logged() -> Told:
    """What writes a line to stderr every `EVERY` seconds."""
    last = time.monotonic()

    def told(progress: Progress) -> None:
        nonlocal last
        if progress.done and time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(_how_far(progress), file=sys.stderr, flush=True)

    return told


def _how_far(progress: Progress) -> str:
    done, total = progress.before + progress.done, progress.before + progress.scenarios
    return f"{done:,} of {total:,}, {progress.rate:,.1f} a second, {duration(progress.left)} left"


def _report(folder: Path, plan: Plan, progress: Progress, lost: int) -> None:
    done = progress.before + progress.done
    print(f"{done:,} of {len(plan):,} scenarios are in {folder}")
    if progress.done:
        print(f"this run: {progress.done:,} in {duration(progress.seconds)}, {progress.rate:,.1f} a second")
    if lost:
        print(f"{lost:,} are not solved; `--retry` tries each alone, column `reason` of scenarios says why")


def duration(seconds: float) -> str:
    """A time in two units at most."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def status_lines(directory: Path) -> list[str]:
    """How far the sweep in a folder is.

    Raises:
        CommandError: there is none.
    """
    from backfill.experiments.config import load_experiment
    from backfill.experiments.sweep.folder import FILE, SweepFolder
    from backfill.experiments.sweep.plan import Plan
    from backfill.experiments.sweep.run import failures

    folder = SweepFolder(directory)
    try:
        record = folder.record
    except FileNotFoundError:
        raise CommandError(
            "backfill sweep", "--status", str(directory), "holds no sweep; name the folder of one"
        ) from None
    experiment = load_experiment(directory / FILE, inert_allowed=True)
    assert experiment.sweep is not None
    plan = Plan.of(experiment.sweep)
    finished = folder.finished(plan.chunks)
    done = [chunk for chunk in plan.chunks if chunk.number in finished]
    lost = failures(folder, done)
    size = sum(path.stat().st_size for path in directory.rglob("*.parquet"))
    solved = sum(len(chunk.scenarios) for chunk in done)
    lines = [
        f"{record['title'] or record['name']} ({record['mode']})",
        f"{solved:,} of {len(plan):,} scenarios, {len(done):,} of {len(plan.chunks):,} chunks done",
        f"{sum(lost.values()):,} scenarios not solved",
        f"{size / 1e6:,.1f} MB on disk",
    ]
    if lost and any(lost.values()):
        import polars as pl

        from backfill.experiments.sweep.load import load_sweep

        reasons = (
            load_sweep(directory)
            .scenarios.filter(pl.col("status") == "failed")
            .group_by("reason")
            .len()
            .sort("len")
            .collect()
        )
        lines += [f"  {count:,}: {reason}" for reason, count in reasons.reverse().iter_rows()]
    return lines

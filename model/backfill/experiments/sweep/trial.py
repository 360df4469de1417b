"""What a sweep would take: its size, and time and disk estimated from a few chunks solved in a folder of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from backfill.experiments.sweep.folder import SweepFolder
from backfill.experiments.sweep.plan import Chunk, Plan
from backfill.experiments.sweep.run import Processes, Progress

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment

CHUNKS = 3
"""Chunks solved in a trial: the first prepares and compiles, the others are timed."""


def trial(experiment: Experiment, reference: Experiment, plan: Plan, workers: int, keep: str) -> Iterator[str]:
    """Lines that say how large a sweep is and what it would take.

    Args:
        experiment, reference: the sweep's.
        plan: its scenarios.
        workers: processes.
        keep: what is kept.

    Raises:
        UnsolvedError: a process ended over a chunk.
    """
    yield from _sizes(plan)
    chosen = _spread(plan)
    with tempfile.TemporaryDirectory(prefix="backfill-trial-") as place:
        folder = SweepFolder(Path(place) / "sweep")
        folder.begin(experiment, reference, plan, keep)
        progress = Progress(sum(len(chunk.scenarios) for chunk in chosen), 0)
        Processes(folder, 1).run(plan, chosen, progress)
        disk = sum(path.stat().st_size for path in folder.path.rglob("*.parquet")) / progress.done
    each = [seconds / count for seconds, count in progress.chunks]
    alone = min(each[1:] or each)
    started = max(progress.seconds - sum(alone * count for _, count in progress.chunks), 0.0)
    whole = started + alone * len(plan) / workers
    told = "1 process" if workers == 1 else f"{workers} processes"
    yield f"time: about {_time(whole)} with {told}, of which each takes {alone * 1e3:.3g} ms a scenario"
    yield f"disk: about {disk * len(plan) / 1e6:,.0f} MB ({disk:,.0f} bytes a scenario)"
    if progress.failed:
        yield f"not solved in the trial: {progress.failed} of {progress.done}"


def _sizes(plan: Plan) -> Iterator[str]:
    table = plan.table
    yield f"{len(plan):,} scenarios ({table.mode}), {len(plan.chunks):,} chunks of at most {plan.size:,}"
    if table.levers:
        yield f"levers: {len(plan.levers):,} choices ({table.policy_by}) of {', '.join(one.label for one in table.levers)}"
    if table.parameters:
        told = ", ".join(one.label for one in table.parameters)
        yield f"parameters: {len(plan.draws):,} draws ({table.uncertainty_by}) of {told}; each is calibrated once"


def _spread(plan: Plan) -> list[Chunk]:
    """A few chunks from the first to the last."""
    count = len(plan.chunks)
    return [plan.chunks[n] for n in dict.fromkeys(round(k * (count - 1) / max(CHUNKS - 1, 1)) for k in range(CHUNKS))]


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

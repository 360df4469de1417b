"""A sweep on a Dask cluster: the same chunks as tasks, written by its workers to the folder, which they share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from backfill.errors import CommandError, OutputError, UnsolvedError
from backfill.experiments.sweep.folder import Part, SweepFolder
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.run import Progress, Told, failures

LONGEST_WAIT = 60.0
"""Seconds to wait for a scheduler and its first worker."""


def solve_on(
    scheduler: str,
    folder: SweepFolder,
    plan: Plan,
    part: Part,
    solve_chunk: Callable[[str, str, int], dict[str, Any]],
    told: Told | None = None,
    *,
    retry: bool = False,
) -> Progress:
    """Have the workers of a Dask scheduler solve what is left of a part of a sweep.

    A chunk whose worker is lost goes to another one; what is written is the same whoever writes it.

    Args:
        scheduler: its address, such as ``tcp://node1:8786``.
        folder: where, on storage that workers see under the same path.
        plan: the scenarios.
        part: which chunks.
        solve_chunk: a function of a module that takes a folder, ``"solve"`` or ``"retry"`` and the number of a chunk.
        told: called as it goes on.
        retry: solve what failed, each scenario alone, instead of what is left.

    Raises:
        CommandError: Dask is not installed, or the scheduler does not answer.
        OutputError: the folder cannot be written.
        UnsolvedError: a chunk that no worker survives, or what a worker cannot handle.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        remedy = "needs Dask; install backfill[cluster]"
        raise CommandError("backfill sweep", "--scheduler", scheduler, remedy) from None
    with folder.alone(part):
        mine = [chunk for chunk in plan.chunks if part.has(chunk)]
        finished = folder.finished(mine)
        if retry:
            lost = failures(folder, [chunk for chunk in mine if chunk.number in finished])
            todo, size = [chunk for chunk in mine if lost.get(chunk.number)], sum(lost.values())
        else:
            todo = [chunk for chunk in mine if chunk.number not in finished]
            size = sum(len(chunk.scenarios) for chunk in todo)
        progress = Progress(size, sum(len(chunk.scenarios) for chunk in mine) - size)
        if not todo:
            return progress
        try:
            client = Client(scheduler, timeout=LONGEST_WAIT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            remedy = f"does not answer ({error}); name the address of a running scheduler"
            raise CommandError("backfill sweep", "--scheduler", scheduler, remedy) from None
        with client, client.as_current():
            word, now = "retry" if retry else "solve", time.time_ns()
            tasks = [
                client.submit(
                    solve_chunk, str(folder.path), word, chunk.number, pure=False, key=f"{word}-{chunk.name}-{now}"
                )
                for chunk in todo
            ]
            for task in as_completed(tasks):
                _noted(task, folder, progress)
                if told:
                    told(progress)
        return progress


def _noted(task: Any, folder: SweepFolder, progress: Progress) -> None:
    try:
        answer = task.result()
    except OSError as error:
        raise OutputError(
            str(folder.path), "", None, f"cannot be written ({error.strerror or error}); what is finished stays"
        ) from None
    except Exception as error:
        raise UnsolvedError(f"A worker ended with {type(error).__name__}: {error}; what is finished stays") from None
    progress.add(int(answer["solved"]), int(answer["failed"]), float(answer["seconds"]))

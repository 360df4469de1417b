"""A sweep on a Dask cluster: the same chunks as tasks, written by its workers to the folder, which they share."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from backfill.errors import CommandError, OutputError, UnsolvedError
from backfill.experiments.sweep.folder import Part, SweepFolder
from backfill.experiments.sweep.plan import Plan
from backfill.experiments.sweep.run import Progress, Told, left

LONGEST_WAIT = 60.0
"""Seconds to wait for a scheduler and its first worker."""


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of a Dask scheduler.

    Args:
        scheduler: its address, such as ``tcp://node1:8786``.

    Raises:
        CommandError: Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
    except ImportError:
        remedy = "needs Dask; install backfill[cluster]"
        raise CommandError("backfill sweep", "--scheduler", scheduler, remedy) from None
    try:
        _wait_for(*get_address_host_port(scheduler))
        client = Client(scheduler, timeout=LONGEST_WAIT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        remedy = f"does not answer ({error}); name the address of a running scheduler, such as tcp://node1:8786"
        raise CommandError("backfill sweep", "--scheduler", scheduler, remedy) from None
    with client:
        yield client


def _wait_for(host: str, port: int) -> None:
    """Wait until somebody listens: a client that finds nobody goes on trying after it has given up, and says so at the end."""
    until = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            socket.create_connection((host, port), timeout=LONGEST_WAIT).close()
            return
        except socket.gaierror:
            raise
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def solve_on(
    client: Any,
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
        client: see `connected`.
        folder: where, on storage that workers see under the same path.
        plan: the scenarios.
        part: which chunks.
        solve_chunk: a function of a module that takes a folder, ``"solve"`` or ``"retry"`` and the number of a chunk.
        told: called as it goes on.
        retry: solve what failed, each scenario alone, instead of what is left.

    Raises:
        OutputError: the folder cannot be written.
        UnsolvedError: a chunk that no worker survives, or what a worker cannot handle.
    """
    from distributed import as_completed

    with folder.alone(part):
        todo, progress = left(folder, plan, part, retry=retry)
        if not todo:
            return progress
        with client.as_current():
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

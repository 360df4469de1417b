"""A sweep on one machine: chunks handed to processes, draws of parameters kept together, finished work left alone."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backfill.errors import OutputError, UnsolvedError
from backfill.experiments.sweep.folder import Part, SweepFolder
from backfill.experiments.sweep.plan import Chunk, Plan

Told = Callable[["Progress"], None]
TRIES = 2
"""Times a chunk is given to a process that may end over it."""


@dataclass
class Progress:
    """How far a sweep is.

    Attributes:
        scenarios: of this run, those that were done before left out.
        before: scenarios that were done before.
        done, failed: scenarios done in this run, and how many of them are not solved.
        begun: when it began.
        first: when the first chunk was done, and how many scenarios it had.
        chunks: seconds and scenarios of each chunk done in this run.
    """

    scenarios: int
    before: int
    done: int = 0
    failed: int = 0
    begun: float = field(default_factory=time.perf_counter)
    first: tuple[float, int] | None = None
    chunks: list[tuple[float, int]] = field(default_factory=list)

    def add(self, solved: int, failed: int, seconds: float) -> None:
        """A chunk is done, which took a process so long."""
        self.done += solved + failed
        self.failed += failed
        self.chunks.append((seconds, solved + failed))
        if self.first is None:
            self.first = time.perf_counter(), self.done

    @property
    def seconds(self) -> float:
        """Time taken so far."""
        return time.perf_counter() - self.begun

    @property
    def rate(self) -> float:
        """Scenarios a second since the first chunk, whose time is that of starting too."""
        if self.first is not None and self.done > self.first[1]:
            return (self.done - self.first[1]) / max(time.perf_counter() - self.first[0], 1e-9)
        return self.done / max(self.seconds, 1e-9)

    @property
    def left(self) -> float:
        """Seconds to go at this rate."""
        return (self.scenarios - self.done) / self.rate if self.rate > 0 else float("inf")


class Processes:
    """Processes that solve chunks of a folder.

    Args:
        folder: the sweep's.
        count: how many.
        word: ``"solve"`` or ``"retry"``.
    """

    def __init__(self, folder: SweepFolder, count: int, word: str = "solve") -> None:
        self.folder, self.count, self.word = folder, count, word
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._holds: dict[int, tuple[Chunk, int]] = {}

    def run(self, plan: Plan, chunks: Sequence[Chunk], progress: Progress, told: Told | None = None) -> None:
        """Have chunks solved.

        Raises:
            OutputError: the folder cannot be written.
            UnsolvedError: a process ended over a chunk, or met what it cannot handle.
        """
        todo = _by_draw(plan, chunks)
        again: deque[tuple[Chunk, int]] = deque()
        draws: dict[int, int | None] = {}
        places = selectors.DefaultSelector()
        warm = False
        try:
            while todo or again or self._holds:
                for n in range(self.count if warm else 1):
                    if n in self._holds or not (todo or again):
                        continue
                    if n not in self._running:
                        self._start(n, places)
                    chunk, tries = again.popleft() if again else (_next(todo, draws, n, plan), 0)
                    self._order(n, chunk, tries)
                for key, _ in places.select(timeout=1.0):
                    n = key.data
                    answer = self._answer(n)
                    chunk, tries = self._holds.pop(n)
                    if answer is None:
                        places.unregister(key.fileobj)
                        ended = self._running.pop(n).wait()
                        if tries + 1 >= TRIES:
                            raise UnsolvedError(_ended(chunk, ended))
                        again.append((chunk, tries + 1))
                        continue
                    warm = True
                    if "unwritable" in answer:
                        remedy = f"cannot be written ({answer['unwritable']}); what is finished stays"
                        raise OutputError(str(self.folder.path), "", None, remedy)
                    if "error" in answer:
                        raise UnsolvedError(f"Chunk {chunk.number} ended with {answer['error']}")
                    progress.add(int(answer["solved"]), int(answer["failed"]), float(answer["seconds"]))
                if told:
                    told(progress)
        finally:
            places.close()
            self.stop()

    def _start(self, n: int, places: selectors.BaseSelector) -> None:
        threads = max(cores() // self.count, 1)
        line = [sys.executable, "-m", "backfill.commands.worker", str(self.folder.path), str(threads)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._running[n] = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        output = self._running[n].stdout
        assert output is not None
        places.register(output, selectors.EVENT_READ, n)

    def _order(self, n: int, chunk: Chunk, tries: int) -> None:
        line = self._running[n].stdin
        assert line is not None
        self._holds[n] = chunk, tries
        try:
            line.write(f"{self.word} {chunk.number}\n".encode())
            line.flush()
        except BrokenPipeError:
            return  # its output ends too, which is seen there

    def _answer(self, n: int) -> dict | None:
        output = self._running[n].stdout
        assert output is not None
        line = output.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def stop(self) -> None:
        """End all processes."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue
        self._running.clear()
        self._holds.clear()


def solve(
    folder: SweepFolder, plan: Plan, part: Part, workers: int, told: Told | None = None, *, retry: bool = False
) -> Progress:
    """Solve what is left of a part of a sweep that was begun in a folder.

    Args:
        folder: where.
        plan: its scenarios.
        part: which chunks.
        workers: processes.
        told: called as it goes on.
        retry: solve what failed, each scenario alone, instead of what is left.

    Raises:
        OutputError: another process is at it, or the folder cannot be written.
        UnsolvedError: see `Processes.run`.
    """
    with folder.alone(part):
        if part.of == 1:
            folder.clear()
        todo, progress = left(folder, plan, part, retry=retry)
        if todo:
            count = min(workers, len(todo))
            Processes(folder, count, "retry" if retry else "solve").run(plan, todo, progress, told)
    return progress


def left(folder: SweepFolder, plan: Plan, part: Part, *, retry: bool) -> tuple[list[Chunk], Progress]:
    """Chunks of a part that are to be solved, or have failures to be tried again, and where that begins."""
    mine = [chunk for chunk in plan.chunks if part.has(chunk)]
    finished = folder.finished(mine)
    done = [chunk for chunk in mine if chunk.number in finished]
    before = sum(len(chunk.scenarios) for chunk in done)
    if retry:
        lost = failures(folder, done)
        again = sum(lost.values())
        return [chunk for chunk in done if lost[chunk.number]], Progress(again, before - again)
    todo = [chunk for chunk in mine if chunk.number not in finished]
    return todo, Progress(sum(len(chunk.scenarios) for chunk in todo), before)


def failures(folder: SweepFolder, chunks: Sequence[Chunk]) -> dict[int, int]:
    """Scenarios that are not solved, by chunk."""
    import polars as pl

    from backfill.experiments.sweep.folder import SCENARIOS

    found = {}
    for chunk in chunks:
        status = pl.read_parquet(folder.file(SCENARIOS, chunk), columns=["status"])["status"]
        found[chunk.number] = int((status == "failed").sum())
    return found


def cores() -> int:
    """Processes for this machine: one for each core, one where an accelerator does the work."""
    if Path("/dev/nvidia0").exists():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_draw(plan: Plan, chunks: Sequence[Chunk]) -> dict[int, deque[Chunk]]:
    """Chunks by the draw of parameters with which they begin."""
    found: dict[int, deque[Chunk]] = {}
    for chunk in chunks:
        found.setdefault(int(plan.draw[chunk.scenarios[0]]), deque()).append(chunk)
    return found


def _next(todo: dict[int, deque[Chunk]], draws: dict[int, int | None], n: int, plan: Plan) -> Chunk:
    """The next chunk of the draw that a process has, of one that no other has, or of the one with most left."""
    taken = {draw for other, draw in draws.items() if other != n}
    mine = draws.get(n)
    free = [draw for draw in todo if draw not in taken]
    draw = mine if mine in todo else free[0] if free else max(todo, key=lambda one: len(todo[one]))
    assert draw is not None
    chunk = todo[draw].popleft()
    if not todo[draw]:
        del todo[draw]
    draws[n] = int(plan.draw[chunk.scenarios[-1]])
    return chunk


def _ended(chunk: Chunk, code: int) -> str:
    why = f"signal {-code}, which is what happens where memory runs out" if code < 0 else f"exit code {code}"
    return f"A process ended with {why} over chunk {chunk.number}; what is finished stays, and the same command goes on"

"""Solving chunks of a sweep and writing them to its folder, in whatever process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from backfill.errors import UnsolvedError
from backfill.experiments.sweep.folder import FILE, FLOWS, REFERENCE, SCENARIOS, SweepFolder
from backfill.experiments.sweep.plan import Chunk, Plan
from backfill.memory import give_back


class Worker:
    """Solves chunks of the sweep in a folder and writes them there.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        from backfill.experiments.config import load_experiment
        from backfill.experiments.sweep.economies import Economies

        self.folder = SweepFolder(path)
        experiment = load_experiment(path / FILE, inert_allowed=True)
        reference = load_experiment(path / REFERENCE, compared_with=experiment, inert_allowed=True)
        assert experiment.sweep is not None
        self.plan = Plan.of(experiment.sweep)
        self.about = self.folder.record["identity"]
        self.keep = self.about["keep"] == FLOWS
        self.economies = Economies(experiment, self.plan)
        self.solver = self._solver(reference.policy)

    def _solver(self, reference):
        if self.plan.table.mode == "static":
            from backfill.experiments.sweep.static import Static

            return Static(self.economies, reference, keep=self.keep)
        from backfill.experiments.sweep.coupled import Coupled

        return Coupled(self.economies, reference, keep=self.keep)

    def solve(self, number: int) -> dict[str, Any]:
        """Solve a chunk and write it."""
        begun = time.perf_counter()
        chunk = self.plan.chunks[number]
        answer = self._written(chunk, self._solved(chunk.scenarios, alone=False), begun)
        give_back()
        return answer

    def retry(self, number: int) -> dict[str, Any]:
        """Solve the scenarios of a chunk that failed, each alone, and write the chunk anew if one is solved now."""
        import polars as pl

        begun = time.perf_counter()
        chunk = self.plan.chunks[number]
        before = pl.read_parquet(self.folder.file(SCENARIOS, chunk))
        again = np.array(before.filter(pl.col("status") == "failed")["number"].to_list(), int)
        solved = self._solved(again, alone=True)
        if all(solved.reasons):
            return {"chunk": number, "solved": 0, "failed": len(again), "seconds": time.perf_counter() - begun}
        return self._mended(chunk, solved, begun)

    def _solved(self, scenarios: np.ndarray, *, alone: bool):
        from backfill.experiments.sweep.solved import failed, in_order

        groups = np.split(scenarios, np.flatnonzero(np.diff(self.plan.draw[scenarios])) + 1)
        parts = []
        for group in groups:
            for some in np.split(group, len(group)) if alone else [group]:
                try:
                    parts.append(self.solver.solve(int(self.plan.draw[some[0]]), some))
                except UnsolvedError as error:
                    parts.append(failed(some, error.sentence))
        return in_order(parts, scenarios, keep=self.keep)

    def _tables(self, solved):
        from backfill.experiments.sweep.write import tables

        structure = None
        if self.keep:
            structure = self.economies.setting(int(self.plan.draw[solved.scenarios[0]])).economy.structure
        return tables(self.plan, solved, self.about, structure)

    def _written(self, chunk: Chunk, solved, begun: float) -> dict[str, Any]:
        self.folder.write(chunk, self._tables(solved))
        lost = sum(map(bool, solved.reasons))
        return {
            "chunk": chunk.number,
            "solved": len(solved.scenarios) - lost,
            "failed": lost,
            "seconds": time.perf_counter() - begun,
        }

    def _mended(self, chunk: Chunk, solved, begun: float) -> dict[str, Any]:
        """The chunk with the rows of some scenarios in the place of those it had."""
        import polars as pl

        found = self._tables(solved)
        ids = found[SCENARIOS]["scenario"]
        order = {name: n for n, name in enumerate(pl.read_parquet(self.folder.file(SCENARIOS, chunk))["scenario"])}
        for kind, table in found.items():
            old = pl.read_parquet(self.folder.file(kind, chunk)).filter(~pl.col("scenario").is_in(ids.implode()))
            new = pl.concat([old, table])
            if kind == SCENARIOS:
                new = new.sort(pl.col("scenario").replace_strict(order, return_dtype=pl.Int64))
            found[kind] = new
        self.folder.write(chunk, found)
        lost = sum(map(bool, solved.reasons))
        return {
            "chunk": chunk.number,
            "solved": len(solved.scenarios) - lost,
            "failed": lost,
            "seconds": time.perf_counter() - begun,
        }

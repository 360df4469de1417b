"""The folder of a sweep: what is in it, whose it is, and writing into it whole or not at all."""

from __future__ import annotations

import fcntl
import io
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.errors import OutputError
from backfill.experiments.provenance import provenance
from backfill.experiments.replace import names_in
from backfill.experiments.sweep.apart import apart
from backfill.experiments.sweep.identity import by_itself, identity
from backfill.experiments.sweep.plan import Chunk, Plan

if TYPE_CHECKING:
    import polars as pl

    from backfill.experiments.config import Experiment

RECORD, FILE, REFERENCE = "sweep.json", "sweep.toml", "reference.toml"
SCENARIOS, EFFECTS, FLOWS = "scenarios", "effects", "flows"
_FILES = {"file": FILE, "reference": REFERENCE}
_LOCK, _BEGUN = ".lock", ".lock-begin"
_MAGIC = b"PAR1"
"""Last bytes of a whole Parquet file."""


@dataclass(frozen=True)
class Part:
    """Which chunks one of several processes solves: every ``of``-th from ``number`` on.

    Attributes:
        number: from 1.
        of: how many parts there are.
    """

    number: int = 1
    of: int = 1

    def has(self, chunk: Chunk) -> bool:
        """Whether a chunk is of this part."""
        return chunk.number % self.of == self.number - 1


@dataclass(frozen=True)
class SweepFolder:
    """A folder that holds a sweep, or is to hold one.

    Attributes:
        path: where it is.
    """

    path: Path

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """What ``sweep.json`` says.

        Raises:
            FileNotFoundError: there is no sweep.
        """
        place = self.path / RECORD
        if not place.is_file():
            raise FileNotFoundError(f"{self.path} holds no sweep: there is no {RECORD}")
        return json.loads(place.read_text(encoding="utf-8"))

    def file(self, kind: str, chunk: Chunk | str) -> Path:
        """The file of a chunk."""
        return self.path / kind / f"{chunk if isinstance(chunk, str) else chunk.name}.parquet"

    def finished(self, chunks: Iterable[Chunk]) -> set[int]:
        """Numbers of the chunks all of whose files are there and whole."""
        return {chunk.number for chunk in chunks if self.has(chunk.name)}

    def has(self, chunk: str) -> bool:
        """Whether all files of a chunk are there and whole."""
        kinds = [SCENARIOS, EFFECTS, *([FLOWS] if (self.path / FLOWS).is_dir() else [])]
        return all(_is_whole(self.file(kind, chunk)) for kind in kinds)

    def begin(self, experiment: Experiment, reference: Experiment, plan: Plan, keep: str) -> None:
        """Write down what the sweep is, or see that it is the one that was begun here.

        Raises:
            OutputError: the folder holds something else, or a sweep of another file, data or version.
            OSError: it cannot be written.
        """
        about = identity(experiment, reference, keep)
        if not (self.path / RECORD).is_file():
            self._free()
            self.path.mkdir(parents=True, exist_ok=True)
            with _held(self.path / _BEGUN):
                if not (self.path / RECORD).is_file():
                    self._write_down(experiment, reference, plan, about)
        self._same(about, {FILE: experiment, REFERENCE: reference})

    def _free(self) -> None:
        """See that the folder holds nothing else."""
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(str(self.path), "", None, "is a file; name a folder")
        known = {RECORD, FILE, REFERENCE, SCENARIOS, EFFECTS, FLOWS}  # what a process killed early may have left
        if {name for name in names_in(self.path) if not name.startswith(".") and name not in known}:
            raise OutputError(
                str(self.path), "", None, "is not empty and holds no sweep; name another folder or empty it"
            )

    def _write_down(
        self, experiment: Experiment, reference: Experiment, plan: Plan, about: Mapping[str, str]
    ) -> None:
        for kind in (SCENARIOS, EFFECTS, *([FLOWS] if about["keep"] == FLOWS else [])):
            (self.path / kind).mkdir(parents=True, exist_ok=True)
        resolved, against = experiment.resolved_toml(), reference.resolved_toml()
        place_text(self.path / FILE, resolved)
        place_text(self.path / REFERENCE, against)
        origin = provenance(experiment=experiment.name, resolved=resolved, reference=reference.name, parameters={})
        record = {
            "name": experiment.name,
            "title": experiment.title,
            "mode": plan.table.mode,
            "scenarios": len(plan),
            "chunks": len(plan.chunks),
            "identity": about,
            "provenance": {
                key: value for key, value in origin.items() if key not in ("worlds", "solve_seconds", "parameters")
            },
        }
        place_text(self.path / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    def _same(self, about: Mapping[str, str], files: Mapping[str, Experiment]) -> None:
        """See that the sweep of the folder is that one."""
        before = self.record.get("identity", {})
        told = {"file": "another file", "reference": "another reference", "data": "other data", "version": "another version",
                "keep": "another --keep"}  # fmt: skip
        other = [word for word in told if before.get(word) != about[word]]
        if other:
            what = ", ".join(told[word] for word in other)
            where = [self._differences(name, files[name]) for word, name in _FILES.items() if word in other]
            what += "".join(f" ({one})" for one in where if one)
            raise OutputError(str(self.path), "", None, f"holds a sweep of {what}, which stays; name another folder")

    def _differences(self, name: str, now: Experiment) -> str:
        try:
            before = (self.path / name).read_text(encoding="utf-8")
            return apart(by_itself(before), by_itself(now.resolved_toml()))
        except (OSError, tomllib.TOMLDecodeError):
            return ""

    @contextmanager
    def alone(self, part: Part) -> Iterator[None]:
        """The only right to work on a part, or on all of it if there is one part.

        Raises:
            OutputError: another process is at it.
        """
        shared, own = self.path / _LOCK, self.path / f"{_LOCK}-{part.number}-of-{part.of}"
        handles = []
        try:
            for place, kind in ((shared, fcntl.LOCK_SH if part.of > 1 else fcntl.LOCK_EX), (own, fcntl.LOCK_EX)):
                handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
                handles.append(handle)
                try:
                    fcntl.flock(handle, kind | fcntl.LOCK_NB)
                except BlockingIOError:
                    whose = f"part {part.number} of {part.of} of it" if place == own and part.of > 1 else "it"
                    remedy = f"another sweep is at {whose}; wait until it ends, or stop it"
                    raise OutputError(str(self.path), "", None, remedy) from None
            yield
        finally:
            for handle in handles:
                os.close(handle)

    def write(self, chunk: Chunk, tables: Mapping[str, pl.DataFrame]) -> None:
        """Write a chunk; it counts as done once its scenarios are there, which come last.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        for kind in (FLOWS, EFFECTS, SCENARIOS):
            if kind in tables:
                held = io.BytesIO()
                tables[kind].write_parquet(held, compression="zstd", compression_level=3, statistics=True)
                place_bytes(self.file(kind, chunk), held.getvalue())

    def clear(self) -> None:
        """Remove what killed processes left half written."""
        for kind in (SCENARIOS, EFFECTS, FLOWS):
            for left in (self.path / kind).glob(".*.part"):
                left.unlink(missing_ok=True)


def place_text(path: Path, text: str) -> None:
    """Write a text whole."""
    place_bytes(path, text.encode())


def place_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place and give it its name when it is whole."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Wait for a lock that is held for a moment only, and hold it."""
    handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_whole(path: Path) -> bool:
    """Whether a Parquet file is there and has its end."""
    try:
        with path.open("rb") as handle:
            handle.seek(-len(_MAGIC), os.SEEK_END)
            return handle.read() == _MAGIC
    except OSError:
        return False

"""Reading a sweep back: lazy tables of its scenarios and effects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from backfill.experiments.sweep.folder import EFFECTS, FILE, FLOWS, SCENARIOS, SweepFolder


@dataclass(frozen=True)
class Sweep:
    """A sweep, as far as it is done.

    Attributes:
        folder: where it lies.
        name, title: the experiment's.
        mode: ``"static"`` or ``"coupled"``.
        axes: names of levers, then of parameters: the columns of ``scenarios`` that move.
        scenarios: ``scenario`` (id), ``number``, ``status`` (``"solved"`` or ``"failed"``), ``reason``, and a column an axis.
        effects: long: ``scenario``, ``period``, ``quantity``, ``where``, ``product``, ``unit``, ``value``; where there is no such
            number there is no row.
        flows: all flows, if they were kept; None if not.
        file: the experiment it was run from, everything included.
        provenance: versions, hashes, platform, date.
        total: how many scenarios there are when all is done.
    """

    folder: Path
    name: str
    title: str
    mode: str
    axes: tuple[str, ...]
    scenarios: pl.LazyFrame
    effects: pl.LazyFrame
    flows: pl.LazyFrame | None
    file: str
    provenance: Mapping[str, Any]
    total: int


def load_sweep(directory: str | os.PathLike[str]) -> Sweep:
    """Read a sweep that `backfill sweep` wrote, finished or not; nothing but its record is read until tables are collected.

    Raises:
        FileNotFoundError: there is no sweep, or no chunk of it is finished.
    """
    folder = SweepFolder(Path(directory))
    record = folder.record
    done = sorted(place for place in (folder.path / SCENARIOS).glob("chunk-*.parquet") if folder.has(place.stem))
    if not done:
        raise FileNotFoundError(
            f"{folder.path} holds a sweep of which nothing is finished; `backfill sweep` goes on with it"
        )
    names = [place.name for place in done]
    scenarios = pl.scan_parquet(done)
    flows = [folder.path / FLOWS / name for name in names]
    columns = scenarios.collect_schema().names()
    return Sweep(
        folder=folder.path,
        name=str(record["name"]),
        title=str(record["title"]),
        mode=str(record["mode"]),
        axes=tuple(columns[4:]),
        scenarios=scenarios,
        effects=pl.scan_parquet([folder.path / EFFECTS / name for name in names]),
        flows=pl.scan_parquet(flows) if all(place.is_file() for place in flows) else None,
        file=(folder.path / FILE).read_text(encoding="utf-8"),
        provenance=record["provenance"],
        total=int(record["scenarios"]),
    )

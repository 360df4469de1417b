"""What makes two sweeps, or two scenarios, the same: hashes of everything that their numbers depend on besides the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.experiments.provenance import data_sha256, text_sha256
from backfill.experiments.sweep.file import Choice, SweepTable
from backfill.kept import source
from backfill.resources import version

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment

NO_DIFFERENCE = ("name", "title", "purpose", "reference", "regions")
"""Keys of a resolved file that say what it is called, and where what it reads lies."""


def identity(experiment: Experiment, reference: Experiment, keep: str) -> dict[str, str]:
    """Hashes of everything that the numbers depend on besides the machine; ``inputs`` of what a scenario's values stand for."""
    data = hashlib.sha256(data_sha256().encode())
    for place in _inputs(experiment):
        data.update(place.name.encode() + place.read_bytes())
    return {
        "file": text_sha256(_anywhere(experiment)),
        "inputs": text_sha256(_anywhere(replace(experiment, sweep=_what_moves(experiment)))),
        "reference": text_sha256(_anywhere(reference)),
        "data": data.hexdigest(),
        "version": f"{version()}+{source()[:12]}",
        "keep": keep,
    }


def _anywhere(experiment: Experiment) -> str:
    """The experiment as a file, wherever what it reads lies."""
    closure = "" if experiment.own is None else experiment.own.closure
    bare = replace(experiment, name="", title="", purpose="", mapping=None, own=None, reference="")
    return bare.resolved_toml() + closure


def _what_moves(experiment: Experiment) -> SweepTable | None:
    """The sweep but for how values are chosen and chunks are cut: what a scenario's values mean."""
    if experiment.sweep is None:
        return None
    still = {"values": None, "low": None, "high": None, "points": None}
    table = experiment.sweep
    return table.model_copy(
        update={
            "combine": "crossed", "chunk": None, "policy": Choice.model_validate({}), "uncertainty": Choice.model_validate({}),
            "levers": tuple(one.model_copy(update=still) for one in table.levers),
            "parameters": tuple(one.model_copy(update=still) for one in table.parameters),
        }
    )  # fmt: skip


def _inputs(experiment: Experiment) -> list[Path]:
    """Files besides the benchmark that an experiment reads."""
    own = sorted(experiment.own.folder.glob("*.csv")) if experiment.own is not None else []
    return [*own, *([experiment.mapping] if experiment.mapping is not None else [])]


def by_itself(written: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved file without what it is called and where what it reads lies, which make no difference."""
    economy = {key: value for key, value in written.get("economy", {}).items() if key != "tables"}
    return {key: value for key, value in written.items() if key not in NO_DIFFERENCE} | {"economy": economy}

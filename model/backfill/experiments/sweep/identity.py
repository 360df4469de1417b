"""What makes two sweeps, or two scenarios, the same: hashes of everything that their numbers depend on besides the machine."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.experiments.provenance import data_sha256, text_sha256
from backfill.kept import source
from backfill.resources import version

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment

NO_DIFFERENCE = ("name", "title", "purpose", "reference", "regions")
"""Keys of a resolved file that say what it is called, and where what it reads lies."""

CHOICE, POINTS = ("combine", "chunk", "policy", "uncertainty"), ("values", "low", "high", "points")
"""Keys of a sweep, and of its axes, that say which scenarios there are, not what they are."""


def identity(experiment: Experiment, reference: Experiment, keep: str) -> dict[str, str]:
    """Hashes of everything that the numbers depend on besides the machine; ``inputs`` of what a scenario's values stand for."""
    data = hashlib.sha256(data_sha256().encode())
    for place in _inputs(experiment):
        data.update(place.name.encode() + place.read_bytes())
    own = by_itself(experiment.resolved_toml())
    return {
        "file": _hash(own),
        "inputs": _hash(own | {"sweep": _what_moves(own.get("sweep", {}))}),
        "reference": _hash(by_itself(reference.resolved_toml())),
        "data": data.hexdigest(),
        "version": f"{version()}+{source()[:12]}",
        "keep": keep,
    }


def by_itself(resolved: str) -> dict[str, Any]:
    """A resolved file without what it is called and where what it reads lies, which make no difference."""
    written = tomllib.loads(resolved)
    economy = {key: value for key, value in written.get("economy", {}).items() if key != "tables"}
    return {key: value for key, value in written.items() if key not in NO_DIFFERENCE} | {"economy": economy}


def _what_moves(sweep: Mapping[str, Any]) -> dict[str, Any]:
    """The sweep but for how values are chosen and chunks are cut: what a scenario's values mean."""
    axes = {
        kind: [{key: value for key, value in axis.items() if key not in POINTS} for axis in sweep.get(kind, ())]
        for kind in ("levers", "parameters")
    }
    return {key: value for key, value in sweep.items() if key not in CHOICE} | axes


def _hash(written: Mapping[str, Any]) -> str:
    return text_sha256(json.dumps(written, sort_keys=True, default=str))


def _inputs(experiment: Experiment) -> list[Path]:
    """Files besides the benchmark that an experiment reads."""
    own = sorted(experiment.own.folder.glob("*.csv")) if experiment.own is not None else []
    return [*own, *([experiment.mapping] if experiment.mapping is not None else [])]

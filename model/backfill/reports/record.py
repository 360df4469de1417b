"""What is on record of a result: provenance, its day, the experiment as a file, and the commands that give it again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from backfill.reports.words import day

_TOLD = {
    "experiment": "experiment",
    "reference": "reference",
    "experiment_sha256": "SHA-256 of the experiment",
    "data_sha256": "SHA-256 of the benchmark data",
    "python": "Python",
    "platform": "machine",
    "solve_seconds": "seconds to solve",
}


def provenance(record: Mapping[str, Any], before: str = "") -> tuple[tuple[str, str], ...]:
    """What a record says, as (what, which) pairs, each what after ``before``."""
    rows = [(before + told, str(record[key])) for key, told in _TOLD.items() if record.get(key) is not None]
    packages = record.get("packages")
    if isinstance(packages, Mapping):
        rows.append((f"{before}versions", ", ".join(f"{name} {number}" for name, number in packages.items())))
    worlds = record.get("worlds")
    if isinstance(worlds, Mapping) and worlds:
        told = "; ".join(
            f"{name}: {facts.get('verdict', '')}" for name, facts in worlds.items() if isinstance(facts, Mapping)
        )
        rows.append((f"{before}worlds", told))
    return tuple(rows) or ((f"{before}provenance", "not on record"),)


def date(record: Mapping[str, Any]) -> str:
    """The day on which it was solved; empty if that is not on record."""
    try:
        return day(dt.datetime.fromisoformat(str(record.get("date"))).date())
    except ValueError:
        return ""


def file_name(name: str) -> str:
    """The name of a file with an experiment."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-") + ".toml"


def again(verb: str, name: str, place: str, *, ranges: bool = False) -> tuple[str, ...]:
    """What to type to have a result and its report again."""
    out = f" --out {place}" if place else ""
    return (
        f"backfill {verb} {file_name(name)}{' --ranges' if ranges else ''}{out}",
        *([f"backfill report {place}"] if place else []),
    )


def files(name: str, resolved: str) -> tuple[tuple[str, str], ...]:
    """An experiment that can be saved; none if there is no text."""
    return ((file_name(name), resolved),) if resolved.strip() else ()

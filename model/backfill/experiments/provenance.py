"""Where a result comes from: versions, data, experiment, machine kind, and every parameter with its grade."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from backfill.resources import data_dir, version

PACKAGES = ("polars", "numpy", "scipy", "jax", "jaxlib", "equinox", "pyomo", "highspy", "altair", "pydantic")


def data_sha256(directory: Path | None = None) -> str:
    """SHA-256 over the names and bytes of the baseline tables, in the order of their names.

    Args:
        directory: folder of CSV tables; the shipped baseline if None.
    """
    digest = hashlib.sha256()
    for path in sorted((directory or data_dir() / "baseline").glob("*.csv")):
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def text_sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def package_versions() -> dict[str, str]:
    """Versions of the libraries that produce the numbers; those not installed are left out."""
    found = {"backfill": version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def provenance(
    *,
    experiment: str,
    resolved: str,
    reference: str,
    parameters: Mapping[str, tuple[float, str, str]],
    directory: Path | None = None,
    worlds: Mapping[str, Mapping[str, object]] | None = None,
    seconds: float | None = None,
) -> dict[str, object]:
    """The record written to ``provenance.json``.

    Args:
        experiment: name of the policy.
        resolved: text of ``resolved.toml``; its hash identifies the experiment.
        reference: name of the reference.
        parameters: name to (value, grade, source).
        directory: folder of the baseline tables; the shipped one if None.
        worlds: what is known of each solved world (rounds, verdict).
        seconds: wall-clock time of solving all worlds.
    """
    return {
        "experiment": experiment,
        "experiment_sha256": text_sha256(resolved),
        "reference": reference,
        "data_sha256": data_sha256(directory),
        "packages": package_versions(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "solve_seconds": None if seconds is None else round(seconds, 3),
        "worlds": {name: dict(facts) for name, facts in (worlds or {}).items()},
        "parameters": {
            name: {"value": value, "grade": grade, "source": source}
            for name, (value, grade, source) in sorted(parameters.items())
        },
    }

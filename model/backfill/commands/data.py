"""``backfill data``: build the benchmark's tables and describe them."""

from __future__ import annotations

from pathlib import Path

from backfill.errors import CommandError, OutputError
from backfill.resources import data_dir


def build_baseline(sources: Path | None, out: Path | None) -> Path:
    """Compile the tables and return the folder they were written to.

    Raises:
        CommandError: there is no such folder of sources.
        OutputError: the folder cannot be written.
        DataError: a figure is missing or impossible.
    """
    given, folder = sources or data_dir() / "sources", out or data_dir() / "baseline"
    if not given.is_dir():
        raise CommandError(
            "backfill data build", "--sources", str(given), "is no folder; name the folder of source figures"
        )
    from backfill.economy.compile import build

    try:
        build(given, folder)
    except OSError as error:
        raise OutputError(str(folder), "", None, f"cannot be written ({error.strerror or error})") from None
    return folder


def description() -> str:
    """The shipped benchmark in words: coverage, grades, adjustments."""
    from backfill.economy.describe import describe

    return "\n".join(describe().lines())

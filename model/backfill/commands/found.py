"""Results of earlier runs, by folder or by the name of the experiment."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from backfill.errors import MissingFileError, OutputError, did_you_mean
from backfill.experiments.results import Result, Status, is_result, load_result

RESULTS = Path("results")


def result_folder(named: str) -> Path:
    """The folder of a result: itself, or that of an experiment run before.

    Raises:
        MissingFileError: there is none of that name.
    """
    for folder in (Path(named), RESULTS / named):
        if named and folder.is_dir() and is_result(folder):
            return folder
    if named and Path(named).is_dir():
        raise MissingFileError(named, "", None, "holds no result; name a folder that `backfill run` wrote")
    known = sorted(one.name for one in RESULTS.iterdir() if one.is_dir()) if RESULTS.is_dir() else []
    remedy = did_you_mean(named, known) if known else "`backfill run EXPERIMENT` writes one"
    raise MissingFileError(named or '""', "", None, f"no such folder, nor a result under {RESULTS}; {remedy}")


def solved_result(folder: Path) -> Result:
    """A result that holds tables.

    Raises:
        OutputError: it is of an experiment that could not be solved, or cannot be read.
    """
    try:
        result = load_result(folder)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        why = " ".join(str(error).split())
        raise OutputError(str(folder), "", None, f"cannot be read ({why}); run the experiment again") from None
    if result.status is not Status.SOLVED:
        raise OutputError(str(folder), "", None, "is of an experiment that could not be solved; there is nothing in it")
    return result

"""The folder a result goes to: whether it may be written, and writing it whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from polars.exceptions import ComputeError

from backfill.commands.interrupt import writing
from backfill.errors import OutputError
from backfill.experiments.results import Result, may_replace
from backfill.policy.library import called


def check_folder(folder: Path, allowed: Callable[[Path], None] = may_replace) -> None:
    """See that something can be written, leaving nothing behind.

    Args:
        folder: where.
        allowed: raises where the folder holds something that may not be replaced; anything but a result by default.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
    """
    try:
        allowed(folder)
        if Path.cwd().is_relative_to(folder.resolve()):
            raise OutputError(str(folder), "", None, "holds the working directory, which stays; name another folder")
        parent = _existing(folder.resolve())
        with tempfile.TemporaryDirectory(prefix=".backfill-", dir=parent):
            pass
    except FileExistsError as error:
        raise _refused(folder, error) from None
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from None


def write(result: Result, folder: Path, tables: Literal["csv", "parquet"] = "parquet") -> Path:
    """Write a result in the place of an earlier one; on failure or interruption nothing of it stays.

    Returns:
        the folder written; another than the one named where a failed run leaves an earlier result as it is.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
    """
    named = folder.resolve()
    written = put(folder, lambda target: result.write(target, tables=tables))
    return folder if written == named else Path(called(written))


def put(folder: Path, write: Callable[[Path], Path]) -> Path:
    """Have a folder written, whole or not at all; folders made on the way to it stay only if it does.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
    """
    target = folder.resolve()
    absent = [place for place in target.parents if not place.exists()]
    with writing():
        try:
            return write(target)
        except BaseException as error:
            for place in absent:
                if place.is_dir() and not any(place.iterdir()):
                    place.rmdir()
            if isinstance(error, FileExistsError):
                raise _refused(folder, error) from None
            if isinstance(error, OSError | ComputeError):  # the second is how polars reports a full disk
                raise _unwritable(folder, error) from None
            raise


def _existing(folder: Path) -> Path:
    """The nearest folder above that exists."""
    parent = folder.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    return parent


def _refused(folder: Path, error: FileExistsError) -> OutputError:
    kind = (
        "is a file; name a folder"
        if folder.is_file()
        else "is not empty and holds no result; name another folder or empty it"
    )
    return OutputError(str(folder), "", None, kind if error.errno is None else f"cannot be written ({error.strerror})")


def _unwritable(folder: Path, error: Exception) -> OutputError:
    why = getattr(error, "strerror", None) or str(error).split(" (os error")[0].rpartition(": ")[2]
    return OutputError(str(folder), "", None, f"cannot be written ({why}); name another folder with --out")

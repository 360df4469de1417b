"""Replacing a folder by a new one, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backfill.errors import OutputError

_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave in folders they show."""

_SHOWN = 5


def names_in(folder: Path) -> set[str]:
    """Names of everything in a folder but what file managers leave there; none if it does not exist."""
    return {path.name for path in folder.iterdir()} - _LITTER if folder.is_dir() else set()


def check_replaceable(folder: Path, what: str, is_one: Callable[[Path], bool], written: set[str]) -> None:
    """Check that a folder may be replaced: absent, empty, or with what was written there before and nothing else.

    Args:
        folder: the folder.
        what: what is written there, in a word.
        is_one: whether a folder holds such a thing, whatever else it holds.
        written: names of all files of such a thing.

    Raises:
        OutputError: a file, or a folder with something else in it.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(str(folder), "", None, "is a file; name a folder")
    names = names_in(folder)
    if names and not is_one(folder):
        raise OutputError(str(folder), "", None, f"is not empty and holds no {what}; name another folder or empty it")
    foreign = sorted(names - written)
    if foreign:
        told = ", ".join(foreign[:_SHOWN]) + (f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else "")
        remedy = f"holds {told} beside a {what}, which would be lost; move it elsewhere or name another folder"
        raise OutputError(str(folder), "", None, remedy)


def replace_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder and put it in the place of ``target``.

    The new folder is written in a hidden sibling. POSIX cannot exchange two folders: the old one is moved into the sibling,
    the new one takes its name, the sibling is deleted. If taking the name fails the old one gets it back; if the process
    is killed just then, the next call puts the old one back. What killed calls left is deleted.

    Args:
        target: the folder; its parent exists.
        fill: writes the contents into the folder it is given.

    Raises:
        OSError: whatever writing or renaming raises; ``target`` is then as it was.
    """
    with _alone(target.parent):
        _clear_leftovers(target)
        sibling = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
        new, old = sibling / "new", sibling / "old"
        try:
            new.mkdir()
            fill(new)
            if target.exists():
                target.rename(old)
            new.rename(target)
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(sibling, ignore_errors=True)


def _prefix(target: Path) -> str:
    return f".{target.name}.part-"


def _clear_leftovers(target: Path) -> None:
    """Give ``target`` back what a killed call moved aside, and delete the rest."""
    for sibling in [path for path in target.parent.iterdir() if path.name.startswith(_prefix(target))]:
        if (sibling / "old").exists() and not target.exists():
            (sibling / "old").rename(target)
        shutil.rmtree(sibling, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the only right to replace folders in ``folder``; without it on file systems that know no locks."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

"""Replacing a folder by a new one, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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

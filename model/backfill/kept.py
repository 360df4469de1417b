"""What took long to make, kept on disk where a command says so: compiled programs, calibrated economies, worlds.

Each is kept under a name that tells apart everything it depends on. What is read is run: the folder must be one to which only
its owner can write.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

MOST_FILES = 400
"""Some 1 MB each. A design needs some sixteen programs of two files each; with few files commands drive out one another's."""

MOST_BYTES = 2 * 10**9
"""An economy takes 36 MB, the worlds that experiments share some 70."""

_folder: Path | None = None
Made = TypeVar("Made")


def keep_in(folder: Path | None) -> None:
    """Keep what is made from now on in ``folder`` and look for it there; None keeps nothing."""
    global _folder
    _folder = folder


def keeping() -> bool:
    """Whether anything is kept."""
    return _folder is not None


def kept(make: Callable[[], Made], *about: object) -> Made:
    """``make()``, or what it returned when it was last called for the same ``about``.

    Args:
        make: returns something that can be pickled.
        about: everything the result depends on, such as `source`; told apart by ``repr``.
    """
    found = recalled(*about)
    if found is None:
        found = make()
        keep(found, *about)
    return found


def recalled(*about: object) -> Any:
    """What is kept for ``about``; None if there is nothing."""
    return None if _folder is None else _read(_file(_folder, about))


def keep(made: object, *about: object) -> None:
    """Keep something, in place of what was kept for the same ``about``."""
    if _folder is not None:
        _write(_file(_folder, about), made)


@functools.cache
def source() -> str:
    """A hash of the package's source."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()


def _file(folder: Path, about: tuple[object, ...]) -> Path:
    return folder / hashlib.sha256(repr(about).encode()).hexdigest()


def _read(file: Path) -> Any:
    """What a file holds; None if there is none or it cannot be used, as one cut short."""
    try:
        found = pickle.loads(file.read_bytes())
        os.utime(file)
    except Exception:
        return None
    return found


def _write(file: Path, made: object) -> None:
    """Keep something if that can be done; what was used least recently makes room."""
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_bytes(pickle.dumps(made))
        part.replace(file)
        _make_room(file.parent)
    except (OSError, ValueError, pickle.PicklingError):
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    """Remove what was used least recently, down to so many files and bytes."""
    found = sorted(((one.stat().st_mtime, one.stat().st_size, one) for one in folder.iterdir()), reverse=True)
    size = 0
    for number, (_, own, file) in enumerate(found):
        size += own
        if number >= MOST_FILES or size > MOST_BYTES:
            file.unlink(missing_ok=True)

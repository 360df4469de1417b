"""Compiled programs: compiled once for given settings and shapes, kept in memory and, where a command says so, on disk.

JAX's own cache on disk spares compiling but not tracing and lowering, which here take longer than solving. What is kept is
the executable itself, under a name that tells apart everything it depends on: the package's source, JAX, Python, the
processor, the function, its settings and the shapes of its arguments.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import platform
import sys
from collections.abc import Callable, Hashable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

MOST_FILES = MOST_IN_MEMORY = 64

_in_memory: dict[Hashable, Program] = {}
_folder: Path | None = None


class Program(NamedTuple):
    """A compiled function of arrays that returns NumPy arrays.

    Attributes:
        executable: takes and returns leaves.
        result: the function's result with places of leaves instead of arrays.
    """

    executable: jax.stages.Compiled
    result: Any

    def __call__(self, *arguments: Any) -> Any:
        with jax.enable_x64(True):
            leaves = self.executable(*map(np.asarray, jax.tree.leaves(arguments)))
        return jax.tree.map(lambda place: np.asarray(leaves[place]), self.result)


def keep_in(folder: Path | None) -> None:
    """Keep programs compiled from now on in ``folder`` and look for them there; None keeps them in memory alone.

    What is read from there is run: it must be a folder to which only its owner can write.
    """
    global _folder
    _folder = folder


def program(function: Callable[..., Any], settings: tuple[Hashable, ...], *arguments: Any) -> Program:
    """``function(*settings, *arguments)`` compiled in double precision for the shapes of ``arguments``.

    Args:
        function: a function of a module that JAX can trace.
        settings: its first arguments; their ``repr`` tells them apart.
        arguments: arrays, in any containers that JAX knows.
    """
    leaves, shape = jax.tree.flatten(arguments)
    shapes = tuple((np.shape(leaf), str(np.asarray(leaf).dtype)) for leaf in leaves)
    key = (function, settings, shape, shapes)
    if key not in _in_memory:
        file = _folder and _folder / _name(function, settings, shape, shapes)
        found = _read(file) if file else None
        if found is None:
            found = _compile(function, settings, shape, leaves)
            if file:
                _write(file, found)
        _in_memory[key] = found
        if len(_in_memory) > MOST_IN_MEMORY:
            del _in_memory[next(iter(_in_memory))]
        return found
    return _in_memory[key]


def _compile(function: Callable[..., Any], settings: tuple, shape: Any, leaves: list[Any]) -> Program:
    results = []

    def flat(*leaves: Any) -> list[Any]:
        out, result = jax.tree.flatten(function(*settings, *jax.tree.unflatten(shape, leaves)))
        results.append(jax.tree.unflatten(result, range(len(out))))
        return out

    with jax.enable_x64(True):
        executable = jax.jit(flat).lower(*map(np.asarray, leaves)).compile()
    return Program(executable, results[-1])


def _name(function: Callable[..., Any], settings: tuple, shape: Any, shapes: tuple) -> str:
    about = (_everything_else(), function.__module__, function.__qualname__, settings, str(shape), shapes)
    return hashlib.sha256(repr(about).encode()).hexdigest()


@functools.cache
def _everything_else() -> str:
    """A hash of what any program depends on besides its own function, settings and shapes."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for file in sorted(root.rglob("*.py")):
        digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    processor = Path("/proc/cpuinfo")
    processor = Path("/proc/cpuinfo")
    lines = processor.read_text().splitlines() if processor.exists() else []
    flags = {line for line in lines if line.startswith(("flags", "Features", "model name"))}
    about = (
        *(version(name) for name in ("jax", "jaxlib", "numpy", "equinox")),
        sys.version,
        platform.platform(),
        os.environ.get("XLA_FLAGS", ""),
        [(device.platform, device.device_kind) for device in jax.devices()],
        sorted(flags),
    )
    digest.update(repr(about).encode())
    return digest.hexdigest()


@functools.cache
def _find_lapack() -> None:
    """Let JAX look up LAPACK's routines, as it does while lowering; a program read from a file calls them unprepared."""
    jax.jit(jax.numpy.linalg.solve).lower(*np.ones((2, 1, 1), np.float32))


def _read(file: Path) -> Program | None:
    """The program in a file; None if there is none or it cannot be used, as one cut short or of another machine."""
    from jax.experimental.serialize_executable import deserialize_and_load

    if not file.exists():
        return None
    _find_lapack()
    try:
        with jax.enable_x64(True):
            executable, taken, given, result = pickle.loads(file.read_bytes())
            found = Program(deserialize_and_load(executable, taken, given), result)
        os.utime(file)
    except Exception:
        return None
    return found


def _write(file: Path, program: Program) -> None:
    """Keep a program if that can be done; what was used least recently makes room."""
    from jax.experimental.serialize_executable import serialize

    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_bytes(pickle.dumps((*serialize(program.executable), program.result)))
        part.replace(file)
        kept = sorted(file.parent.iterdir(), key=lambda one: one.stat().st_mtime)
        for old in kept[:-MOST_FILES]:
            old.unlink(missing_ok=True)
    except (OSError, ValueError, pickle.PicklingError):
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)

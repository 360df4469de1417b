"""Compiled programs: compiled once for given settings and shapes, kept in memory and, where a command says so, on disk.

JAX's own cache on disk spares compiling but not tracing and lowering, which here take longer than solving. What is kept is
the executable itself.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import os
import platform
import sys
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental.compilation_cache import compilation_cache
from jax.experimental.serialize_executable import deserialize_and_load, serialize
from jax.sharding import AxisType, PartitionSpec

from backfill.kept import keep, keeping, kept, recalled, source
from backfill.memory import give_back

MOST_IN_MEMORY = 16
"""A large program takes some 1,200 maps of memory, of which Linux grants a process 65,530 and XLA aborts it at the next."""

_in_memory: dict[Hashable, Program] = {}
_used: dict[str, None] = {}
_early: dict[str, Future] = {}


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
            given = (leaf if isinstance(leaf, jax.Array) else np.asarray(leaf) for leaf in jax.tree.leaves(arguments))
            leaves = self.executable(*given)
        return jax.tree.map(lambda place: np.asarray(leaves[place]), self.result)


def program(function: Callable[..., Any], settings: tuple[Hashable, ...], *arguments: Any, spread: int = 0) -> Program:
    """``function(*settings, *arguments)`` compiled in double precision for the shapes of ``arguments``.

    Args:
        function: a function of a module that JAX can trace.
        settings: its first arguments; their ``repr`` tells them apart.
        arguments: arrays, in any containers that JAX knows.
        spread: on machines with several devices, how many of the first arguments, and every result, have a leading axis that
            is shared out among them, each device running the function on its part by itself. Such programs are not kept on
            disk.
    """
    leaves, shape = jax.tree.flatten(arguments)
    shapes = tuple((np.shape(leaf), getattr(leaf, "dtype", None) or np.asarray(leaf).dtype) for leaf in leaves)
    key = (function, settings, shape, shapes, spread)
    shared_out = spread > 0 and len(jax.devices()) > 1
    found = _in_memory.pop(key, None)
    if found is None and shared_out:
        lowered, result = _lowered(function, settings, shape, leaves, len(jax.tree.leaves(arguments[:spread])))
        found = Program(lowered.compile(), result)
    found = found or _made(function, settings, shape, leaves, shapes)
    _in_memory[key] = found
    if len(_in_memory) > MOST_IN_MEMORY:
        del _in_memory[next(iter(_in_memory))]
    return found


def forget(function: Callable[..., Any]) -> None:
    """Drop the programs of a function from memory, of which they take much; they are loaded again when they are asked for."""
    for key in [key for key in _in_memory if isinstance(key, tuple) and key[0] is function]:
        del _in_memory[key]
    gc.collect()
    give_back()


def prepare(*about: str) -> None:
    """Load the programs that the last command about the same used, or the last of all, on another thread: that takes as long as
    to solve. What an earlier command of this process prepared and did not use is dropped.
    """
    for waiting in _early.values():
        waiting.cancel()
    _early.clear()
    names = recalled(*_last_used(about)) or recalled(*_last_used(())) or ()
    if names:
        pool = ThreadPoolExecutor(2, "programs")
        _early.update({name: pool.submit(_loaded, name) for name in names})
        pool.shutdown(wait=False)
        _find_lapack()


def remember(*about: str) -> None:
    """Let the next command's `prepare` load the programs that this process has used."""
    for what in (about, ()):
        if _used and tuple(_used) != recalled(*_last_used(what)):
            keep(tuple(_used), *_last_used(what))


def _last_used(about: tuple[str, ...]) -> tuple:
    return "last used", source(), machine(), about


def _loaded(what: str) -> jax.stages.Compiled | None:
    """The executable kept under its name, if there is one."""
    stored = recalled(what, machine())
    if stored is None:
        return None
    with jax.enable_x64(True):
        loaded = deserialize_and_load(*stored)
    give_back()
    return loaded


def _made(function: Callable[..., Any], settings: tuple, shape: Any, leaves: list[Any], shapes: tuple) -> Program:
    """A program: what it is in XLA's terms, by the package's source and its own name, and the executable by what it is."""
    shapes = tuple((size, str(kind)) for size, kind in shapes)
    new: dict[str, jax.stages.Lowered] = {}

    def lowered() -> tuple[str, Any]:
        new["lowered"], result = _lowered(function, settings, shape, leaves)
        # What a program does not use is not in its text but is among what it is called with.
        text = f"{shapes}\n{new['lowered'].as_text()}"
        return hashlib.sha256(text.encode()).hexdigest(), result

    what, result = kept(
        lowered, source(), machine(), function.__module__, function.__qualname__, settings, str(shape), shapes
    )
    _used[what] = None
    _find_lapack()
    executable = _early.pop(what).result() if what in _early else _loaded(what)
    if executable is None:
        if "lowered" not in new:
            lowered()
        with _fresh():
            executable = new["lowered"].compile()
        if keeping():
            keep(serialize(executable), what, machine())
    return Program(executable, result)


def _lowered(
    function: Callable[..., Any], settings: tuple, shape: Any, leaves: list[Any], spread: int = 0
) -> tuple[jax.stages.Lowered, Any]:
    """The function traced and lowered, and its result with places of leaves instead of arrays.

    Args:
        spread: how many of the first leaves are shared out among devices.
    """
    results = []

    def flat(*leaves: Any) -> list[Any]:
        out, result = jax.tree.flatten(function(*settings, *jax.tree.unflatten(shape, leaves)))
        results.append(jax.tree.unflatten(result, range(len(out))))
        return out

    run = flat
    if spread:
        mesh = jax.make_mesh((len(jax.devices()),), ("lane",), (AxisType.Auto,))
        part = PartitionSpec("lane")
        given = tuple(part if n < spread else PartitionSpec() for n in range(len(leaves)))
        run = jax.shard_map(flat, mesh=mesh, in_specs=given, out_specs=part, check_vma=False)
    with jax.enable_x64(True):
        return jax.jit(run).lower(*map(np.asarray, leaves)), results[-1]


@contextlib.contextmanager
def _fresh() -> Iterator[None]:
    """JAX's own cache on disk out of the way: an executable read from it cannot be written again."""
    folder = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()
    try:
        yield
    finally:
        jax.config.update("jax_compilation_cache_dir", folder)
        compilation_cache.reset_cache()


@functools.cache
def machine() -> tuple:
    """What a program depends on besides the package's source and its own function, settings and shapes."""
    processor = Path("/proc/cpuinfo")
    lines = processor.read_text().splitlines() if processor.exists() else []
    flags = {line for line in lines if line.startswith(("flags", "Features", "model name"))}
    return (
        *(version(name) for name in ("jax", "jaxlib", "numpy", "equinox")),
        sys.version,
        platform.platform(),
        os.environ.get("XLA_FLAGS", ""),
        tuple((device.platform, device.device_kind) for device in jax.devices()),
        tuple(sorted(flags)),
    )


@functools.cache
def _find_lapack() -> None:
    """Let JAX look up LAPACK's routines, as it does while lowering; a program read from a file calls them unprepared."""
    jax.jit(jax.numpy.linalg.solve).lower(*np.ones((2, 1, 1), np.float32))

"""Ending a process on a signal: soon, with one line, nothing half written, whatever compiled code is busy with.

Python raises `KeyboardInterrupt` only between its own instructions, and a compiler's threads do not survive an ordinary exit.
A second thread therefore ends the process where the first does not come back in time, and both leave without unwinding. Where
nothing is written yet no exception is raised at all: libraries swallow it in their callbacks, or abort while they are imported.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

INTERRUPTED = 130
GRACE = 1.0
"""Seconds the first thread has to stop by itself."""

NOTHING = "interrupted: nothing written"
_SHOW_CURSOR = "\x1b[?25h"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_alone = False

_writing = threading.Lock()
_ending = threading.Lock()


@contextmanager
def writing() -> Iterator[None]:
    """While files are written: an interruption waits until they are whole, or are cleared away."""
    with _writing:
        yield


@contextmanager
def at_once(*, alone: bool | None = None) -> Iterator[None]:
    """While there is nothing to clear away: an interruption ends the process there and then, if it is ours.

    Args:
        alone: whether it is ours; None takes what `heard` was told.
    """
    ours = _alone if alone is None else alone
    if not ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: leave(NOTHING)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def heard(*, alone: bool) -> Iterator[None]:
    """Have SIGINT and SIGTERM raise `KeyboardInterrupt`.

    Args:
        alone: the process is ours, and ends if that is not noticed within `GRACE`.
    """
    global _alone
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in _SIGNALS}
    mouth = _watched() if alone else None
    _alone = alone
    try:
        yield
    finally:
        _alone = False
        if mouth:
            signal.set_wakeup_fd(-1)
            mouth.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _watched() -> socket.socket:
    """A thread that learns of signals at once; its line, to be closed when there is nothing more to end."""
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ear,), daemon=True).start()
    return mouth


def _watch(ear: socket.socket) -> None:
    if ear.recv(1):
        time.sleep(GRACE)
        with _writing:
            leave(NOTHING)


def leave(line: str) -> NoReturn:
    """Print a line and end the process at once; the first of several calls counts."""
    _ending.acquire()
    if sys.stderr.isatty():
        line = _SHOW_CURSOR + line
    try:
        os.write(sys.stderr.fileno(), f"{line}\n".encode())  # a signal may come while something is printed
    finally:
        os._exit(INTERRUPTED)

"""Ending a process on a signal: soon, with one line, nothing half written, whatever compiled code is busy with.

Python raises `KeyboardInterrupt` only between its own instructions, and a compiler's threads do not survive an ordinary exit.
A second thread therefore ends the process where the first does not come back in time, and both leave without unwinding.
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

_writing = threading.Lock()
_ending = threading.Lock()


@contextmanager
def writing() -> Iterator[None]:
    """While files are written: an interruption waits until they are whole, or are cleared away."""
    with _writing:
        yield


@contextmanager
def heard(*, alone: bool) -> Iterator[None]:
    """Have SIGINT and SIGTERM raise `KeyboardInterrupt`.

    Args:
        alone: the process is ours, and ends if that is not noticed within `GRACE`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    mouth = _watched() if alone else None
    try:
        yield
    finally:
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
        print(line, file=sys.stderr, flush=True)
    finally:
        os._exit(INTERRUPTED)

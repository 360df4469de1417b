"""A process that solves chunks of a sweep, one after the other, as it is told on its standard input.

``python -m backfill.commands.worker FOLDER THREADS`` reads lines ``solve 12`` or ``retry 12`` and answers each with a line of
JSON. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.threads import use_at_most

if TYPE_CHECKING:
    from backfill.experiments.sweep.worker import Worker

_held: dict[str, Worker] = {}


def chunk_on(path: str, word: str, number: int) -> dict[str, Any]:
    """Solve one chunk; what is prepared is kept for the next of the same sweep.

    Args:
        path: folder of the sweep.
        word: ``"solve"``, or ``"retry"`` what failed.
        number: of the chunk.

    Raises:
        OSError: the folder cannot be written.
    """
    from backfill.experiments.sweep.worker import Worker

    key = f"{path} {os.path.getmtime(Path(path) / 'sweep.json')}"
    if key not in _held:
        from backfill.commands.run import keep_compiled

        _held.clear()
        keep_compiled()
        _held[key] = Worker(Path(path))
    return _held[key].solve(number) if word == "solve" else _held[key].retry(number)


def serve(path: Path) -> None:
    """Answer orders until there are no more; ends at once if whoever gives them is gone."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    orders: list[str] = []
    ready = threading.Condition()

    def listen() -> None:
        for line in sys.stdin:
            with ready:
                orders.append(line)
                ready.notify()
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        with ready:
            while not orders:
                ready.wait()
            word, number = orders.pop(0).split()
        try:
            answer = chunk_on(str(path), word, int(number))
        except OSError as error:
            answer = {"chunk": int(number), "unwritable": error.strerror or str(error)}
        except Exception as error:
            answer = {"chunk": int(number), "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    use_at_most(int(sys.argv[2]))
    serve(Path(sys.argv[1]))

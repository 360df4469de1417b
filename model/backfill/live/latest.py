"""One answer after another in a thread of its own, the newest question first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")


class Latest(Generic[Question]):
    """Answers questions one at a time; of those that come meanwhile only the last is answered.

    Args:
        answer: what is done with a question, in the thread.
        idle: called in the thread when nothing is left to do.
    """

    def __init__(self, answer: Callable[[Question], None], idle: Callable[[], None]) -> None:
        self._answer, self._idle = answer, idle
        self._lock = threading.Lock()
        self._waiting: list[Question] = []
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is being worked on."""
        with self._lock:
            return self._thread is not None

    def ask(self, question: Question) -> None:
        """Answer this next; what waited before is dropped."""
        with self._lock:
            self._waiting = [question]
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="backfill-panel", daemon=True)
                self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do; False if it took longer."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return not self.busy

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    break
                question = self._waiting.pop()
            self._answer(question)
        self._idle()

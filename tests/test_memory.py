"""What happens to freed memory, and on how many threads problems are solved."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading

import pytest

from backfill import memory, threads

GROWN_AND_FREED = """
import resource
from backfill import memory
{before}
for _ in range(4):
    held = [bytearray(400_000) for _ in range(100)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(before: str) -> int:
    done = subprocess.run([sys.executable, "-c", GROWN_AND_FREED.format(before=before)], capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again():
    assert faults("memory.reuse()") < 0.6 * faults("")


def test_nothing_happens_where_the_c_library_cannot(monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(memory, "_routine", lambda name: asked.append(name))
    memory.reuse()
    memory.give_back()
    assert asked == ["mallopt", "malloc_trim"]


def test_no_more_threads_than_are_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(threads, "_most", 4)
    threads.use_at_most(0)
    assert len(set(threads.side_by_side(lambda _: threading.get_ident(), range(8)))) == 1
    threads.use_at_most(2)
    gate = threading.Barrier(2, timeout=30)
    assert len(set(threads.side_by_side(lambda _: (gate.wait(), threading.get_ident())[1], range(2)))) == 2

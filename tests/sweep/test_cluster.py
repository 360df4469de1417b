"""A Dask cluster solves the same chunks to the same bytes, whoever of its workers survives."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from backfill.cli import main
from tests.sweep.conftest import tables

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.mark.slow
def test_a_worker_is_killed_and_the_result_is_the_same(file: Path, tmp_path: Path, finished: Path):
    from distributed import LocalCluster

    out = tmp_path / "out"
    killed = []

    def kill(pid: int) -> None:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            if 1 <= len(tables(out)) < len(tables(finished)) - 2:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return
            time.sleep(0.01)

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        first = next(iter(cluster.workers.values()))
        watch = threading.Thread(target=kill, args=(first.pid,), daemon=True)
        watch.start()
        assert main(["sweep", str(file), "--out", str(out), "--scheduler", cluster.scheduler_address, "--quiet"]) == 0
        watch.join()
    assert killed
    assert tables(out) == tables(finished)


def test_a_scheduler_that_does_not_answer_is_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("backfill.experiments.sweep.cluster.LONGEST_WAIT", 1.0)
    words = ["sweep", str(file), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:9", "--quiet"]
    assert main(words) == 2
    assert "does not answer" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

"""JupyterLab on a notebook with the network off: it runs, a slider and a switch are moved, the charts follow."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
pytest.importorskip("jupyterlab", reason="needs the extra notebooks")

NOTEBOOK = "01_start_here.ipynb"
START_S, RUN_MS, MOVE_MS = 120, 900_000, 60_000


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def lab(repository: Path, tmp_path: Path) -> Iterator[str]:
    """Address of a JupyterLab of its own on a copy of the notebooks."""
    folder = tmp_path / "notebooks"
    shutil.copytree(repository / "notebooks", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    port = _free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "work"), "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings")}
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}/lab"
            _wait(address, server, tmp_path / "lab.log")
            yield f"{address}/tree/{NOTEBOOK}"
        finally:
            server.terminate()
            server.wait(30)


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    """Until the server answers."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def test_a_notebook_runs_and_its_charts_follow_a_slider_or_a_switch(lab: str, open_page):
    one = open_page(lab, local=True, width=1400, height=1000)
    page = one.page
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=RUN_MS)
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    page.evaluate(
        "() => { window.ran = null; jupyterapp.commands.execute('notebook:run-all-cells').then(() => (window.ran = true)); }"
    )
    page.wait_for_function("window.ran === true", timeout=RUN_MS)
    failed = page.evaluate(
        """() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.flatMap(
             cell => (cell.getOutputs?.() ?? []).filter(one => one.output_type === 'error').map(one => one.evalue))"""
    )
    assert failed == []
    page.evaluate(
        """() => { const book = jupyterapp.shell.currentWidget.content;
             const at = book.widgets.findIndex(cell => cell.model.sharedModel.getSource().startsWith('board = backfill.panel()'));
             book.activeCellIndex = at; return book.scrollToItem(at, 'start'); }"""
    )
    drawing = page.locator(".vega-embed svg").first
    drawing.wait_for(timeout=MOVE_MS)
    before = drawing.inner_html()
    handle = page.locator(".widget-slider .noUi-handle").nth(4)
    readout = page.locator(".widget-slider .widget-readout").nth(4)
    shown = readout.inner_text()
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "shown => document.querySelectorAll('.widget-slider .widget-readout')[4].innerText !== shown", arg=shown
    )
    page.wait_for_function(
        "before => document.querySelector('.vega-embed svg')?.innerHTML !== before", arg=before, timeout=MOVE_MS
    )
    moved = drawing.inner_html()
    page.locator(".widget-checkbox input").first.click()
    page.wait_for_function(
        "before => document.querySelector('.vega-embed svg')?.innerHTML !== before", arg=moved, timeout=MOVE_MS
    )
    bars = page.locator(".vega-embed svg .mark-rect path")
    assert bars.count() >= 6
    assert (one.errors, one.asked) == ([], [])

"""A headless Chromium without a network, and axe-core, for every test of a page."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
HERE = Path(__file__).parent
READY_MS = 60_000


@dataclass
class Opened:
    """A page and what went wrong on it.

    Attributes:
        page: the page, driven by Playwright.
        failed: addresses asked for in vain.
        asked: addresses outside the machine that were asked for at all.
        errors: errors on the console and those that nothing caught.
    """

    page: Page
    failed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def axe(self, worst: tuple[str, ...] = ("serious", "critical"), **options: object) -> list[str]:
        """Findings of axe-core of the impacts named, one line each."""
        found = self.page.evaluate("options => axe.run(document, options)", options)["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:160]} {node.get('failureSummary', '')}"
            for one in found
            if one["impact"] in worst
            for node in one["nodes"]
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; without its sandbox, which it refuses to root."""
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        pytest.fail("browser tests need Chromium: apt install chromium")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, fetched by npm at the version that package.json names."""
    wanted = json.loads((HERE / "package.json").read_text())["devDependencies"]["axe-core"]
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("browser tests need npm: apt install npm")
    folder = Path(HERE.parents[1] / "build" / "browser" / f"axe-core-{wanted}")
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", folder)
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode or not source.is_file():
            pytest.fail(f"npm could not install axe-core {wanted}: {done.stderr.strip()[-400:]}")
    return source.read_text(encoding="utf-8")


@pytest.fixture
def open_page(browser: Browser, axe: str) -> Iterator[Callable[..., Opened]]:
    """Opens a page with the network off (but for this machine if ``local``) and keeps what goes wrong on it."""
    contexts = []

    def opened(
        address: str | Path, *, width: int = 1280, height: int = 900, local: bool = False, **options: Any
    ) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True, **options)
        contexts.append(context)
        if not local:
            context.set_offline(True)
        one = Opened(context.new_page())
        page = one.page

        def seen(request) -> None:
            here = (
                "file:",
                "data:",
                "blob:",
                *(("http://localhost", "http://127.0.0.1", "ws://localhost", "ws://127.0.0.1") if local else ()),
            )
            if not request.url.startswith(here):
                one.asked.append(request.url)

        page.on("request", seen)
        page.on("requestfailed", lambda request: one.failed.append(request.url))
        page.on("console", lambda message: one.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: one.errors.append(str(error)))
        page.goto(address if isinstance(address, str) else address.absolute().as_uri())
        page.evaluate(axe)
        return one

    yield opened
    for context in contexts:
        context.close()

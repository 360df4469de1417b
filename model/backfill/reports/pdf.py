"""A page as PDF, printed by a browser that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from backfill.errors import CommandError, OutputError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
SECONDS = 120


def browser() -> str | None:
    """Path of a browser that can print without a window; None if there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found or next((place for place in PLACES if Path(place).is_file()), None)


def check_browser() -> str:
    """Path of a browser.

    Raises:
        CommandError: there is none; says what to do.
    """
    found = browser()
    if found is None:
        remedy = (
            "needs Chromium or Chrome, and none is found; install one, or open the report in any browser and print it"
        )
        raise CommandError("backfill report", "--pdf", None, remedy)
    return found


def print_page(page: Path, target: Path) -> None:
    """Print a page on A4.

    Args:
        page: an HTML file.
        target: the PDF to write.

    Raises:
        CommandError: no browser is found.
        OutputError: the browser printed nothing.
    """
    program = check_browser()
    with tempfile.TemporaryDirectory(prefix="backfill-print-") as profile:
        part = Path(profile) / "page.pdf"
        command = [
            program, "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions",
            f"--user-data-dir={profile}/profile",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000", "--run-all-compositor-stages-before-draw",
            "--no-pdf-header-footer", f"--print-to-pdf={part}", page.absolute().as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses its sandbox to root
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            why = (done.stderr.strip().splitlines() or [""])[-1]
        except subprocess.TimeoutExpired:
            why = f"not done after {SECONDS} seconds"
        if not part.is_file() or not part.stat().st_size:
            raise OutputError(
                str(target), "", None, f"cannot be printed by {Path(program).name} ({why}); print {page} by hand"
            )
        try:
            shutil.move(part, target)
        except OSError as error:
            raise OutputError(
                str(target), "", None, f"cannot be written ({error.strerror}); name another file with --out"
            ) from None

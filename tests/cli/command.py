"""The command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEAVY = {"jax", "jaxlib", "pyomo", "highspy", "altair", "scipy"}
"""What starting, checking and writing files must never import."""


def backfill(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``backfill WORDS`` in a folder."""
    command = [sys.executable, "-m", "backfill.cli", *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=900, env={**os.environ, **environment}
    )

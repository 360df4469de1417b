"""Targets of the Makefile that need nothing installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def made(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What `make` says where no other `make` called it, as these tests may be."""
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(["make", *words], cwd=folder, env=alone, capture_output=True, text=True)


@pytest.fixture
def bare(repository: Path, tmp_path: Path) -> Path:
    """A folder with the Makefile and what it installs from, and nothing else."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(repository / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("target", ["run", "test", "bench", "lab", "notebooks", "docs"])
def test_every_target_installs_first_and_none_waits_for_itself(bare: Path, target: str):
    done = made(bare, "--dry-run", target)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "-m venv .venv" in done.stdout

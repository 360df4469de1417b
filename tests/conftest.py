"""What every test shares."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".pytest_cache" / "compiled"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=50)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def programs_on_disk() -> None:
    """Compile once for all workers and the commands they start."""
    from backfill.commands.run import keep_compiled

    keep_compiled()


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def vocabulary():
    """Names of the shipped benchmark."""
    from backfill.economy.tables import load_vocabulary

    return load_vocabulary()


@pytest.fixture(scope="session")
def tables():
    """Tables of the shipped benchmark."""
    from backfill.economy.tables import load_tables

    return load_tables()

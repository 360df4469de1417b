"""The wheel carries data and experiments and works away from the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, repository, cwd=folder)
    (built,) = folder.glob("backfill-*.whl")
    return built


def test_wheel_holds_every_data_file_and_experiment(wheel: Path, repository: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = _run("git", "ls-files", "data", "experiments", cwd=repository).split()
    assert tracked
    assert {f"backfill/_{name}" for name in tracked} <= names
    assert not any(name.startswith("model/") for name in names)


@pytest.fixture(scope="module")
def installed(wheel: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a fresh environment with the wheel and its dependencies, without the repository on its path."""
    folder = tmp_path_factory.mktemp("elsewhere")
    _run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", "-c", repository / "constraints.txt", wheel, cwd=folder)
    return python


def test_installed_package_finds_its_own_folders(installed: Path):
    script = "from backfill import resources as r; print(r.data_dir(), r.experiments_dir(), r.version())"
    data, experiments, version = _run(installed, "-c", script, cwd=installed.parent).split()
    environment = installed.parent.parent
    assert Path(data).is_relative_to(environment.resolve())
    assert Path(experiments).is_relative_to(environment.resolve())
    assert version == "0.1.0"


def test_shipped_experiment_runs_by_name(installed: Path, tmp_path: Path):
    _run(installed.parent / "backfill", "run", "allied-alignment", "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert (tmp_path / "out" / "checks.json").is_file()

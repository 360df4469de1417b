"""Shipped folders are found in the package first and in the repository second."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfill import resources


def test_repository_folders_are_found(repository: Path):
    assert resources.data_dir() == repository / "data"
    assert resources.experiments_dir() == repository / "experiments"


def test_packaged_folders_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("package/_data", "data"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(resources, "_REPOSITORY", tmp_path)
    assert resources.data_dir() == tmp_path / "package" / "_data"
    with pytest.raises(FileNotFoundError, match="reinstall"):
        resources.experiments_dir()


def test_version_is_that_of_the_project(repository: Path):
    assert f'version = "{resources.version()}"' in (repository / "pyproject.toml").read_text()

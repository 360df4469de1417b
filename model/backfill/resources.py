"""Where the shipped data and experiments lie: inside the installed package, else in the repository."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_REPOSITORY = _PACKAGE.parent.parent


def _locate(packaged: str, in_repository: str) -> Path:
    candidates = (_PACKAGE / packaged, _REPOSITORY / in_repository)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(f"no {in_repository} folder at {looked}: reinstall the package")


def data_dir() -> Path:
    """Folder of the shipped data (``baseline/``, ``sources/``).

    Raises:
        FileNotFoundError: the package was installed without it.
    """
    return _locate("_data", "data")


def experiments_dir() -> Path:
    """Folder of the shipped experiment files.

    Raises:
        FileNotFoundError: the package was installed without it.
    """
    return _locate("_experiments", "experiments")


def version() -> str:
    """Version of the installed distribution, ``"0.0.0+uninstalled"`` when imported without one."""
    try:
        return metadata.version("backfill")
    except metadata.PackageNotFoundError:
        return "0.0.0+uninstalled"

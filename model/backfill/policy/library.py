"""Policy files: where a name is found, what a file says, and which files it includes."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backfill.errors import (
    EmptyFileError,
    IncludeCycleError,
    MissingFileError,
    TomlSyntaxError,
    UnreadableFileError,
    UserError,
    did_you_mean,
)
from backfill.policy.faults import path as key_path
from backfill.resources import experiments_dir

CHAINED = " > "
"""Between the names of files of which each includes the next."""


@dataclass(frozen=True)
class PolicyFile:
    """A file as read.

    Attributes:
        path: where it lies.
        label: what messages call it.
        raw: its keys and tables.
        chain: how it came to be included, ``"current-policy > h20"``, ending with its own name; empty if it was not.
    """

    path: Path
    label: str
    raw: Mapping[str, Any]
    chain: str = ""

    @property
    def name(self) -> str:
        """Its ``name``, else the file's name without ``.toml``."""
        given = self.raw.get("name")
        return given if isinstance(given, str) and given else self.path.stem


def find(name: str | os.PathLike[str], beside: Path | None = None) -> Path | None:
    """The file meant by a path or a name: beside a file, then among the shipped experiments and rules, then by its ``name`` key.

    Args:
        name: a path, or a name with or without ``.toml``.
        beside: folder to look in first; the working directory if None.
    """
    wanted = Path(name)
    near = beside if beside is not None else Path()
    # Without a file ending, a folder or file of that name (results of an earlier run, say) is not what is meant.
    exact = [near / wanted] if wanted.suffix == ".toml" else []
    named = [folder / f"{wanted}.toml" for folder in (near, *shipped_folders())]
    if wanted.suffix == ".toml":
        named = [folder / wanted for folder in shipped_folders()]
    for candidate in [*exact, *named]:
        if candidate.is_file():
            return candidate
    if wanted.parent == Path() and wanted.suffix != ".toml":
        for candidate in [*sorted(near.glob("*.toml")), *_shipped_files()]:
            if _name_in(candidate) == str(wanted):
                return candidate
    return near / wanted if (near / wanted).is_file() else None


def known_names(beside: Path | None = None) -> list[str]:
    """Names that can be meant: files beside, then shipped experiments."""
    near = sorted((beside if beside is not None else Path()).glob("*.toml"))
    return list(dict.fromkeys(path.stem for path in [*near, *_shipped_files()]))


def shipped_folders() -> tuple[Path, Path]:
    """Where shipped experiments lie, and dated rules."""
    return experiments_dir(), experiments_dir() / "rules"


def _shipped_files() -> list[Path]:
    return [path for folder in shipped_folders() for path in sorted(folder.glob("*.toml"))]


def rule_names() -> list[str]:
    """Names of the dated rules, oldest first."""
    return [path.stem for path in sorted(shipped_folders()[1].glob("*.toml"))]


def shipped_names() -> list[str]:
    """Names of the shipped experiments."""
    return sorted(path.stem for path in experiments_dir().glob("*.toml"))


def missing(name: str | os.PathLike[str], beside: Path | None = None) -> str:
    """Remedy for a name nobody knows."""
    wanted = Path(name)
    there = (beside if beside is not None else Path()) / wanted
    if os.fspath(name) and there.exists():
        return f"is {'a folder' if there.is_dir() else 'no regular file'}; name an experiment file"
    near = did_you_mean(wanted.stem, known_names(beside), "`backfill list` names those that are shipped")
    return f"no such file or experiment; {near}"


def read(path: Path, label: str | None = None) -> PolicyFile:
    """Read one file.

    Raises:
        EmptyFileError: it says nothing.
        TomlSyntaxError: it is not TOML.
        UnreadableFileError: it cannot be opened, or is not text in UTF-8.
    """
    called = label or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(text)
        if not raw:
            raise EmptyFileError(called, "", None, "is empty; `backfill new NAME` writes a file to start from")
        return PolicyFile(path, called, raw)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(called, text, str(error)) from None
    except UnicodeDecodeError:
        raise UnreadableFileError(called, "", None, "is not text in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise UnreadableFileError(
            called, "", None, f"cannot be read ({error.strerror or error}); check the path"
        ) from None


def with_included(file: PolicyFile) -> tuple[tuple[PolicyFile, ...], list[UserError]]:
    """The file and those it includes, each once, included ones first; and files that are missing, unreadable or circular."""
    found: dict[Path, PolicyFile] = {}
    wrong: list[UserError] = []
    _include(file, (), found, wrong)
    return tuple(found.values()), wrong


def _include(
    file: PolicyFile, above: tuple[PolicyFile, ...], found: dict[Path, PolicyFile], wrong: list[UserError]
) -> None:
    chain = (*above, file)
    for number, name in enumerate(include_list(file)):
        key = key_path("include", number)
        place = find(name, file.path.parent)
        if place is None:
            wrong.append(MissingFileError(file.label, key, name, missing(name, file.path.parent)))
            continue
        place = place.resolve()
        if place in [one.path.resolve() for one in chain]:
            circle = CHAINED.join([*(one.name for one in chain), name])
            wrong.append(
                IncludeCycleError(file.label, key, name, f"includes itself ({circle}); remove it from the list")
            )
        elif place not in found:
            try:
                other = read(place, called(place))
                other = replace(other, chain=CHAINED.join([*(one.name for one in chain[1:]), other.name]))
                _include(other, chain, found, wrong)
            except UserError as error:
                wrong.append(error)
    found[file.path.resolve()] = file


def include_list(file: PolicyFile) -> list[str]:
    """Names under ``include``, one or several; anything that is not a name is left to the check of types."""
    given = file.raw.get("include", [])
    listed: Iterable[Any] = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return [name for name in listed if isinstance(name, str)]


def called(place: Path) -> str:
    """What messages call a file: relative to the working directory if it lies inside, else in full."""
    full = place.resolve()
    return os.path.relpath(full) if full.is_relative_to(Path().resolve()) else str(full)


def _name_in(path: Path) -> str | None:
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("name")
    except (OSError, ValueError):
        return None
    return name if isinstance(name, str) else None


_HINTS = (
    (re.compile(r"[=\[,{]\s*[-+]?\.\d"), "; write 0.5, not .5"),
    (re.compile(r"[=\[,{]\s*[-+]?\d+\.(?!\d)"), "; write 5.0, not 5."),
    (re.compile(r"[=\[,{]\s*[-+]?\d[\d.]*\s*%"), "; write 0.25 for 25%"),
    (re.compile(r"=\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"), "; dates are written 2026-01-31"),
    (re.compile(r"=\s*(?!true\b|false\b|inf\b|nan\b)[A-Za-z]"), "; text needs quotes"),
)
"""What people write that TOML does not take, and what to write instead."""


def _syntax(label: str, text: str, message: str) -> TomlSyntaxError:
    place = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", message)
    if place is None:
        return TomlSyntaxError(label, "", None, f"is not TOML: {message}")
    lines = text.splitlines()
    number = int(place[1]) if place[1] else max(len(lines), 1)
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    code = re.sub(r'"[^"]*"|#.*', '""', line)
    hint = next((hint for pattern, hint in _HINTS if pattern.search(code)), "")
    return TomlSyntaxError(label, f"line {number}", line, f"is not TOML: {message[: place.start()]}{hint}")

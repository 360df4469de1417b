"""Mistakes people make in files and on the command line, one class a kind, and worlds that cannot be solved.

A `UserError` prints as one line, ``FILE: key.path: value: remedy``. In a key path, items of a list count from 1:
``measures[2].coverage`` belongs to the second ``[[measures]]``. Everything wrong with a file is raised at once as `Faults`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence

_LONGEST_VALUE = 80
_FEW = 8


class UserError(Exception):
    """A mistake with its place and remedy.

    Args:
        file: file (or command) in which it stands, as the person named it.
        key: path of keys inside the file; empty if it concerns the whole file.
        value: what was written there.
        remedy: what to write instead.
    """

    def __init__(self, file: str, key: str, value: object, remedy: str) -> None:
        super().__init__(file, key, value, remedy)
        self.file, self.key, self.value, self.remedy = file, key, value, remedy

    @property
    def lines(self) -> tuple[str, ...]:
        """The message as lines for the terminal, one for each mistake."""
        return (str(self),)

    def __str__(self) -> str:
        parts = (self.file, self.key, show(self.value), self.remedy)
        return ": ".join(" ".join(part.split()) for part in parts if part)


class Faults(UserError):
    """All mistakes of a file and of those it includes.

    Args:
        faults: at least one.
    """

    def __init__(self, faults: Sequence[UserError]) -> None:
        first = faults[0]
        super().__init__(first.file, first.key, first.value, first.remedy)
        self.faults = tuple(faults)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line for fault in self.faults for line in fault.lines))

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __reduce__(self) -> tuple[type[Faults], tuple[tuple[UserError, ...]]]:
        return Faults, (self.faults,)


class TomlSyntaxError(UserError):
    """A file that is not TOML."""


class UnreadableFileError(UserError):
    """A file that exists but cannot be read."""


class EmptyFileError(UserError):
    """A file that says nothing."""


class MissingFileError(UserError):
    """A file or shipped experiment that does not exist."""


class IncludeCycleError(UserError):
    """A file that includes itself, directly or through others."""


class IncludedSettingsError(UserError):
    """Settings in an included file that would be lost: only its measures are taken over."""


class UnknownKeyError(UserError):
    """A key nobody reads."""


class MissingKeyError(UserError):
    """A key that has no default and is not given."""


class WrongTypeError(UserError):
    """A value of another type than the key takes."""


class UnknownKindError(UserError):
    """A measure of a kind that does not exist."""


class UnknownRegionError(UserError):
    """A name that is no region, bloc or hub."""


class UnknownProductError(UserError):
    """A name that is no product or product group."""


class UnknownUnitError(UserError):
    """A unit that does not exist or does not fit the product."""


class UnknownChoiceError(UserError):
    """A word outside the short list a key takes."""


class UnknownParameterError(UserError):
    """A parameter without a prior."""


class NotFiniteError(UserError):
    """A number that is infinite or not a number."""


class OutOfRangeError(UserError):
    """A number outside its bounds."""


class RateTooLowError(OutOfRangeError):
    """A rate of -1 or below: no price left."""


class DateOrderError(UserError):
    """Dates that do not follow one another."""


class SelfReferenceError(UserError):
    """A policy compared with itself."""


class OtherRegionsError(UserError):
    """A reference over other regions than the policy's."""


class InertMeasureError(UserError):
    """A measure that changes nothing."""


class ContradictionError(UserError):
    """Two measures that cannot both be meant."""


class DuplicateMeasureError(UserError):
    """A measure, or the name of one, given twice."""


class TableError(UserError):
    """A table a person supplies that is missing something or holds an impossible figure."""


class OutputError(UserError):
    """A place where nothing can be written."""


class CommandError(UserError):
    """A command line that cannot be understood."""


class UnsolvedError(Exception):
    """An experiment that cannot be solved.

    Args:
        sentence: why, and what to try.
        checks: residuals by name, as far as they are known.
    """

    def __init__(self, sentence: str, checks: Mapping[str, float] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.checks = dict(checks or {})


def show(value: object) -> str:
    """A value on one line, as it would be written in TOML, shortened if long; None is empty."""
    if value is None:
        return ""
    if isinstance(value, dt.date | dt.datetime):
        text = value.isoformat()
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = repr(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", see: str = "") -> str:
    """``did you mean "x"?`` for the nearest known words, else the given text.

    Args:
        word: what was written.
        known: what could have been meant; compared without regard to case.
        otherwise: remedy where nothing is near; if empty the known words, of many the three nearest.
        see: where all of many are listed.
    """
    choices = [choice for choice in dict.fromkeys(known) if choice != word]
    lower: dict[str, str] = {}
    for choice in choices:
        lower.setdefault(choice.lower(), choice)
    near = difflib.get_close_matches(word.lower(), list(lower), n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f'"{lower[match]}"' for match in near) + "?"
    if otherwise:
        return otherwise
    if len(choices) <= _FEW:
        return "known are " + ", ".join(choices)
    nearest = difflib.get_close_matches(word.lower(), list(lower), n=3, cutoff=0.0)
    return "; ".join(part for part in ("nearest are " + ", ".join(f'"{lower[one]}"' for one in nearest), see) if part)

"""``backfill measures``: the kinds of measure there are, and what each does."""

from __future__ import annotations

import inspect
import sys
import textwrap

from backfill.errors import CommandError
from backfill.policy.kinds import example, fields, kinds, sentence
from backfill.policy.measure import Measure, kind_meant

_WIDTH = 100
_KEYS = 22
"""Least width of the column of fields."""


def listing() -> str:
    """Every kind with its sentence; ``kind<TAB>sentence`` lines where nobody looks at a screen."""
    known = {name: sentence(measure) for name, measure in kinds().items()}
    if not sys.stdout.isatty():
        return "\n".join(f"{name}\t{said}" for name, said in known.items())
    wide = max(map(len, known))
    lines = []
    for name, said in known.items():
        lines += textwrap.wrap(said, _WIDTH, initial_indent=name.ljust(wide + 2), subsequent_indent=" " * (wide + 2))
    return "\n".join([*lines, "", "`backfill measures KIND` explains one, with an example that runs."])


def explained(name: str) -> str:
    """What a kind does, its fields, its sources, and an experiment file that shows it.

    Raises:
        CommandError: there is no such kind.
    """
    measure = kinds().get(name)
    if measure is None:
        raise CommandError("backfill measures", "", name, kind_meant(name, kinds()))
    rows = _rows(measure)
    wide = max(_KEYS, *(len(key) + 4 for key, _ in rows))
    return "\n".join(
        [
            name,
            "",
            inspect.cleandoc(measure.__doc__ or ""),
            "",
            "Fields",
            *(_field(key, told, wide) for key, told in rows),
            "",
            "Sources",
            textwrap.fill(measure.sources, _WIDTH, initial_indent="  ", subsequent_indent="  "),
            "",
            "An experiment file that runs:",
            "",
            example(measure).rstrip(),
        ]
    )


def _rows(measure: type[Measure]) -> list[tuple[str, str]]:
    rows = []
    for field in fields(measure):
        facts = [
            field.unit,
            field.bounds,
            f"default {field.default}" if field.default not in ("", "needed") else field.default,
        ]
        told = "; ".join(fact for fact in facts if fact)
        rows.append((field.key, f"{field.description} ({told})" if told else field.description))
    return rows


def _field(key: str, told: str, wide: int) -> str:
    return textwrap.fill(told, _WIDTH, initial_indent=f"  {key}".ljust(wide), subsequent_indent=" " * wide)

"""``backfill new``: a commented experiment file that is valid as it stands and shows the commonest kinds of measure."""

from __future__ import annotations

import textwrap
from pathlib import Path

from backfill.errors import CommandError, OutputError
from backfill.policy.kinds import fields, kinds, sentence
from backfill.policy.library import rule_names, shipped_names
from backfill.policy.measure import Measure

SHOWN = ("export_control", "alignment", "secondary_tariff", "export_levy", "tariff", "enforcement")
"""Kinds written out, the first as a measure, the others as comments."""

_HEAD = """\
# Run with `backfill run {file}`; check with `backfill validate {file}`. Dates have no quotes; shares and rates are fractions.

title = "{name}"
purpose = \"\"\"
What is asked, and what would answer it.
\"\"\"

# Policies this one builds on: files beside this one, or shipped ones.
# include = ["current-policy"]

# What it is compared with.
reference = "no-controls"

# What builders of capacity expect: "perfect" (the policy as dated), "myopic" (surprises pass), "fixed" (no answer).
foresight = "perfect"

# run.ranges = true                  # give headline numbers their ranges; takes some dozen solves

[horizon]
last = 2030                        # from 2022, the year of the benchmark
periods_per_year = 1               # 2 for half-years
"""


def starter(name: str, file: str) -> str:
    """Text of a starter file: one measure of its own, other common kinds commented out, the rest by name.

    Args:
        name: the experiment's name.
        file: its file, for the commands in the comments.
    """
    known = kinds()
    parts = [_HEAD.format(name=name, file=file)]
    for kind in SHOWN:
        body = "[[measures]]\n" + known[kind].example.rstrip()
        parts.append(_about(known[kind]) + "\n" + (body if kind == SHOWN[0] else _commented(body)) + "\n")
    others = textwrap.fill(", ".join(kind for kind in known if kind not in SHOWN) + ".", 100)
    parts.append(_commented(f"Other kinds; `backfill measures KIND` explains one, with an example:\n{others}") + "\n")
    return "\n".join(parts)


def write_starter(name: str) -> Path:
    """Write ``NAME.toml`` and return its path.

    Raises:
        CommandError: a name no file can have, or that of a shipped experiment.
        OutputError: the file exists, or cannot be written.
    """
    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    plain = path.stem
    if not plain or plain.startswith(".") or any(c in plain for c in ':*?"<>|\\') or not name.isprintable():
        raise CommandError("backfill new", "", name, "is used for a file and a folder; use letters, digits, - and _")
    if plain in (*shipped_names(), *rule_names()):
        raise CommandError("backfill new", "", name, "is the name of a shipped experiment; choose another")
    if not path.parent.is_dir():
        raise OutputError(str(path), "", None, f"there is no folder {path.parent}; make it first, or give a plain name")
    text = starter(plain, str(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(str(path), "", None, "exists; choose another name") from None
    except OSError as error:
        raise OutputError(str(path), "", None, f"cannot be written ({error.strerror or error})") from None
    return path


def _about(measure: type[Measure]) -> str:
    lines = [f"# {sentence(measure)}"]
    lines += [
        f"#   {field.key}: {field.description}" + (f" ({field.unit})" if field.unit else "")
        for field in fields(measure)
    ]
    return "\n".join(lines)


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())

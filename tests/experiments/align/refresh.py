"""Rewrite the expected summaries of the shipped games: ``python -m tests.experiments.align.refresh [NAME ...]``.

Look at the difference before committing it: it is what changed in the answers.
"""

from __future__ import annotations

import sys

from backfill.commands.run import keep_compiled
from backfill.errors import UnsolvedError
from backfill.experiments.align.run import align
from tests.experiments.align.expected import NAMES, expected_file, text


def main(names: list[str]) -> int:
    """Solve and rewrite; 1 if a game could not be solved, or some world of it, whose file stays as it was."""
    keep_compiled()
    failed = False
    for name in names or NAMES:
        try:
            result = align(name, ranges=False)
        except UnsolvedError as error:
            print(f"{name}: {error.sentence}", file=sys.stderr)
            failed = True
            continue
        if result.checks["unsolved"]:
            print(f"{name}: {result.checks['unsolved']:.0f} worlds have no solution", file=sys.stderr)
            failed = True
            continue
        expected_file(name).write_text(text(result), encoding="utf-8")
        print(f"wrote {expected_file(name)}")
        print(*result.sentences, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

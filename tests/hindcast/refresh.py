"""Rewrite the computed part of ``docs/hindcast.md``: ``python -m tests.hindcast.refresh``.

Look at the difference before committing it: it is what changed in the answers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from backfill.commands.run import keep_compiled
from backfill.experiments.hindcast.page import computed, replaced
from backfill.experiments.hindcast.run import hindcast, identification

PAGE = Path(__file__).parent.parent.parent / "docs" / "hindcast.md"


def main() -> int:
    """Solve and rewrite."""
    keep_compiled()
    text = replaced(PAGE.read_text(encoding="utf-8"), computed(hindcast(), identification()))
    PAGE.write_text(text, encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

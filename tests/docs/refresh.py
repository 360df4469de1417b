"""Write stored figures into README and pages: ``python -m tests.docs.refresh``.

Sentences whose claim no longer holds are named and left to be written anew.
"""

from __future__ import annotations

import sys

from tests.docs.stated import PAGES, SENTENCES, written
from tests.docs.stored import REPOSITORY


def main() -> int:
    """Rewrite; 1 if a sentence has to be written anew."""
    failed = False
    for page in PAGES:
        place = REPOSITORY / page
        before = place.read_text(encoding="utf-8")
        after, wrong = written(page, before)
        for line in wrong:
            print(line, file=sys.stderr)
            failed = True
        if after != before:
            place.write_text(after, encoding="utf-8")
            print(f"wrote {place}")
    for one in SENTENCES:
        if not one.holds():
            print(f"{one.page}: no longer so: {one.words!r}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

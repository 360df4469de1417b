"""Draw the pictures of README and pages again, and say of which day they are: ``python -m tests.docs.pictures``."""

from __future__ import annotations

import datetime as dt
import io
import re
import sys

from PIL import Image

from backfill.charts.export import save
from backfill.charts.of_result import exports_map, who_backfills
from backfill.charts.overview import overview
from backfill.commands.run import keep_compiled
from backfill.experiments.results import Status
from backfill.experiments.run import run
from tests.docs.stored import DOCS, REPOSITORY

NAME = "allied-alignment"
PICTURES = {"allied-alignment.png": overview, "who-backfills.png": who_backfills, "exports-map.png": exports_map}
"""Files under ``docs/images``, and what draws them of a result."""

CAPTIONS = (REPOSITORY / "README.md", DOCS / "charts.md")
DAY = re.compile(r"(benchmark of 2022,(?: experiment `allied-alignment`,)? run on )\d+ \w+ \d{4}")
COLOURS = 256


def dated(text: str, day: dt.date) -> str:
    """A page whose caption says of which day its pictures are.

    Raises:
        ValueError: it has no such caption, or several.
    """
    found, count = DAY.subn(rf"\g<1>{day.day} {day:%B %Y}", text)
    if count != 1:
        raise ValueError(f"{count} captions like {DAY.pattern!r}")
    return found


def main() -> int:
    """Solve, draw and rewrite; 1 if there is nothing to draw."""
    keep_compiled()
    result = run(NAME)
    if result.status is not Status.SOLVED:
        print(f"{NAME}: {result.message}", file=sys.stderr)
        return 1
    for name, drawn in PICTURES.items():
        place = save(drawn(result), DOCS / "images" / name)
        small = io.BytesIO()
        with Image.open(place) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        place.write_bytes(small.getvalue())
        print(f"wrote {place}")
    for page in CAPTIONS:
        page.write_text(dated(page.read_text(encoding="utf-8"), dt.date.today()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

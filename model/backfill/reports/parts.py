"""What a report is made of, whatever it reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backfill.reports.asked import Question
from backfill.reports.checked import Check
from backfill.reports.sentence import Sentence


@dataclass(frozen=True)
class Table:
    """A table as it is shown.

    Attributes:
        caption: what it holds.
        head: names of columns.
        rows: cells as text.
        numbers: columns that hold numbers.
        open: whether it is shown at once, or behind its caption.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    open: bool = True


@dataclass(frozen=True)
class Drawing:
    """A chart, ready to be shown.

    Attributes:
        name: unique on the page, letters, digits and hyphens.
        title, below: the sentence it shows, and its units and reference.
        alt: what is to be seen, for who does not see it.
        spec: Vega-Lite without title and footer.
        svg: the chart drawn, for where scripts do not run.
        series: names and colours that can be picked.
        table: its data.
        wide: whether it keeps its width and is scrolled where there is less room.
    """

    name: str
    title: str
    below: str
    alt: str
    spec: Mapping[str, object]
    svg: str
    series: tuple[tuple[str, str], ...]
    table: Table
    wide: bool


@dataclass(frozen=True)
class Report:
    """What a page shows, from top to bottom.

    Attributes:
        kind: what is reported, in a word or two.
        title: of the page.
        questions: what was asked, one for each experiment.
        answer: five sentences.
        beside: heading and sentences against a second reference.
        said: what must be known to read the numbers.
        numbers: tables of key numbers.
        drawings: charts.
        assumptions: parameters with values, ranges, grades, sources.
        grades: what the assumptions add up to, in a sentence.
        checks: in words.
        provenance: (what, which) pairs.
        commands: what to type to get this page again.
        files: (name, text) of experiments that can be saved.
        date: day on which it was solved.
    """

    kind: str
    title: str
    questions: tuple[Question, ...]
    answer: tuple[Sentence, ...]
    beside: tuple[str, tuple[Sentence, ...]] | None
    said: tuple[str, ...]
    numbers: tuple[Table, ...]
    drawings: tuple[Drawing, ...]
    assumptions: Table
    grades: str
    checks: tuple[Check, ...]
    provenance: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = field(default=())
    date: str = ""

"""What ``backfill run`` shows: progress while it works, then what changed and where the files are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from backfill.effects.welfare import GAIN, UNSETTLED
from backfill.experiments.groups import CURRENT_POLICY
from backfill.experiments.ranges import HEADLINES, PARAMETERS, influence
from backfill.experiments.results import Result

WORDS = ("what", "where", "period", "unit")
_PLACE = ("quantity", "where", "period", "unit")
_WIDE = 1000
CHANGES = ("change", "against_current_policy", "low", "high")


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[str, float], None] | None]:
    """A bar on stderr that disappears at the end, taking a message and the share done; None if nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        yield lambda message, share: bar.update(task, description=message, completed=share)


def report(result: Result, title: str, folder: Path, *, ranges_possible: bool = True) -> None:
    """Print the summary's rows and the names of the files; in full width where the output is piped."""
    second = result.also_against
    varied: Any = result.provenance.get("ranges")
    ranged = varied is not None
    numbers = [result.reference, result.name, "change", *(["80% range of the change"] if ranged else [])]
    keys = ["reference", "policy", "change", *(["against_current_policy"] if second else [])]
    rows = []
    for row in result.summary.iter_rows(named=True):
        if all(row[key] is None for key in keys):
            continue
        cells = [short(row[key]) for key in keys]
        range_ = [_range(row["low"], row["high"])] if ranged else []
        rows.append([*(str(row[key] or "") for key in _PLACE), *cells[:3], *range_, *cells[3:]])
    print(title or result.name)
    for line in tabulated(WORDS, [*numbers, *([f"against {second}"] if second else [])], rows):
        print(line)
    given = result.summary.filter(pl.any_horizontal(pl.col("change", "against_current_policy").is_not_null()))
    for line in rates(given["quantity"], [one for one in (result.reference, second) if one], result.name):
        print(line)
    for line in (*gains(result.summary, CHANGES), *unsettled(result.summary), *left_out(result.summary)):
        print(line)
    if second is None and ranges_possible:
        print(_alone(result.name, result.reference))
    if ranged or ranges_possible:
        print(_varied(varied) if ranged else UNRANGED)
    for line in driven(result):
        print(line)
    print(f"files in {folder}: " + ", ".join(sorted(path.name for path in folder.iterdir())))
    print(f"open {folder / 'chart.html'} in a browser")


def tabulated(words: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table as lines, as wide as the screen, or as need be where the output is piped.

    Args:
        words: headings of the first columns, which hold text.
        numbers: headings of those that follow.
        rows: cells of all columns.
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for name in words:
        table.add_column(Text(name), overflow="fold")
    for name in numbers:
        table.add_column(Text(name), justify="right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def driven(result: Result) -> Iterator[str]:
    """What moves each headline change most, with its share of the sum of squared swings."""
    if result.drivers.is_empty():
        return
    for quantity, where in HEADLINES:
        rows = result.drivers.filter(
            (pl.col("quantity") == quantity) & (pl.col("where") == where) & (pl.col("share") > 0)
        )
        told = ", ".join(
            f"{name} {share:.0%}" for name, share in rows.sort("rank").head(4).select("parameter", "share").rows()
        )
        if told:
            yield f"{quantity}, {where}: driven by {told} (share of squared swings; all: drivers.csv)"
    order = ", ".join(name for name, _ in influence(result.drivers))
    yield f"in the order of influence (largest share in any of these): {order}"


def rates(given: pl.Series, references: Sequence[str], policy: str) -> Iterator[str]:
    """What stands in the columns of changes where a row is a rate, if one is.

    Args:
        given: quantities that have a number.
        references, policy: worlds compared.
    """
    if given.str.contains(r"\brate\b|per unit").any():
        yield f"a rate, or a cost per unit, is that between {' or '.join(references)} and {policy}, not a change of rates"
    if given.str.starts_with("backfill rate").any():
        yield "backfill rates are in value at current prices; the table backfilling has two other measures"


def gains(table: pl.DataFrame, columns: Sequence[str]) -> Iterator[str]:
    """What a cost below nothing says, if one is told.

    Args:
        table: rows with their ``quantity``.
        columns: where numbers that are told stand; those that the table lacks are passed over.
    """
    costs = table.filter(pl.col("quantity") == "cost per unit denied").select(one for one in columns if one in table.columns)
    if any(cost is not None and cost < 0 for row in costs.iter_rows() for cost in row):
        yield f"cost per unit denied: {GAIN}"


def unsettled(summary: pl.DataFrame) -> Iterator[str]:
    """What a gain of the adversary's says, if one is told, at central values or in its range."""
    told = summary.filter((pl.col("quantity") == "welfare, present value") & (pl.col("where") == "adversary"))
    if any(change is not None and change > 0 for row in told.select(CHANGES).iter_rows() for change in row):
        yield f"welfare of the adversary: not settled: {UNSETTLED}"


def _alone(name: str, reference: str) -> str:
    """Why nothing stands beside current policy."""
    if name == CURRENT_POLICY:
        why = "this is that policy"
    elif reference == CURRENT_POLICY:
        why = "it is the reference itself"
    else:
        why = f'include = ["{CURRENT_POLICY}"] builds on it'
    return f"no numbers against {CURRENT_POLICY}, whose columns are empty: {why}"


UNRANGED = f"central values of the parameters only; for ranges add --ranges, which solves this {2 * len(PARAMETERS)} times more"


def _varied(ranges: dict[str, Any]) -> str:
    told = f"ranges: {ranges['method']} ({', '.join(ranges['parameters'])}); nothing else is varied"
    return told + (f"; not solved: {', '.join(ranges['unsolved'])}" if ranges["unsolved"] else "")


def left_out(summary: pl.DataFrame) -> list[str]:
    """One line for each reason why headline numbers are missing, naming them."""
    noted = summary.filter(~pl.col("note").is_in(["", GAIN]))
    grouped = noted.group_by("note", maintain_order=True).agg(pl.col("quantity"))
    return [f"not given: {', '.join(quantities)}: {note}" for note, quantities in grouped.iter_rows()]


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{short(low)} to {short(high)}"


def short(value: float | None) -> str:
    """A number in about four digits, without exponents where people would not write one; empty if there is none."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if size >= 1e-4 else f"{value:.1e}"

"""From a result, a comparison, a sweep, a game or a design to its report."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import polars as pl

from backfill.charts import catalogue
from backfill.charts.panel import NothingToDraw
from backfill.effects.welfare import UNSETTLED
from backfill.experiments.align.result import AlignResult
from backfill.experiments.beside import SideBySide
from backfill.experiments.design.result import DesignResult
from backfill.experiments.results import Result
from backfill.reports import numbers
from backfill.reports.answers import comparison, design, game, result, sweep
from backfill.reports.asked import Question, question
from backfill.reports.assumed import assumptions, graded
from backfill.reports.checked import checked
from backfill.reports.drawn import drawing
from backfill.reports.names import places
from backfill.reports.parts import Drawing, Report, Table
from backfill.reports.record import again, date, file_name, files, provenance
from backfill.reports.words import capital, listed, plain

Progress = Callable[[str, float], None]

HEADLINES = (
    "compute acquired", "gross denial", "compute denied", "leakage rate", "backfill rate of tools by all but the US",
    "backfill rate of accelerators by all but the US", "capacity, logic_advanced", "US to adversary compute, owned stock",
    "welfare, present value", "cost per unit denied", "revenue lost, net of resale",
)  # fmt: skip
"""Numbers shown at once; the others stand behind a click."""

SWEPT = ("compute denied", "compute acquired", "gross denial", "welfare, present value", "equivalent variation")
BLOCS = ("us", "ally", "partner", "adversary", "US", "US allies", "third countries")
"""Of a sweep: numbers shown at once, and where."""

DIFFERENCE = (
    "Every number compares computed worlds that share tastes, technology and starting stocks; none is a forecast."
)
H100E = "H100e are accelerators weighted by operations and memory bandwidth relative to one NVIDIA H100, not chips."


def of_result(
    one: Result, place: str, *, explained: pl.DataFrame | None = None, progress: Progress | None = None
) -> Report:
    """The report of a policy beside its reference.

    Args:
        one: a solved result.
        place: its folder, as commands name it.
        explained: what ``backfill explain`` found, if anything.
        progress: told which chart is being drawn.
    """
    asked = question(one.resolved, one.name)
    table = numbers.of_result(one.summary, one.name, one.reference, one.also_against)
    first = {numbers.NAMES.get(name, name) for name in HEADLINES}
    rows = tuple(row for row in table.rows if row[0] in first)
    short = Table(table.caption, table.head, rows or table.rows, table.numbers)
    tables = [short, _closed(table, f"All {len(table.rows)} numbers")]
    gone = numbers.missing(one.summary)
    if explained is not None:
        tables.append(
            numbers.plain_table(explained, "Which measures did it: the change shared among them (Shapley values)")
        )
    also = (f"Against {one.also_against}", result.beside(one)) if one.also_against else None
    return _report(
        one,
        asked,
        "A policy beside its reference",
        answer=result.answer(one),
        beside=also,
        said=_said(one.provenance, one.resolved),
        numbers=(*tables, *([_closed(gone, gone.caption)] if gone else [])),
        drawings=_drawings(one, progress),
        checks=checked(one.checks),
        commands=again("run", one.name, place, ranges=one.provenance.get("ranges") is not None),
    )


def of_comparison(
    both: SideBySide, results: Mapping[str, Result], named: Sequence[str], progress: Progress | None = None
) -> Report:
    """The report of several policies beside one reference.

    Args:
        both: the comparison.
        results: what was compared, by name; empty if that is not at hand.
        named: what to name on the command line to get it again.
        progress: told which chart is being drawn.
    """
    asked = tuple(question(one.resolved, name) for name, one in results.items()) or tuple(
        Question(name, "", both.reference, "", "", (), ()) for name in both.worlds
    )
    first = next(iter(results.values()), None)
    parameters = _parameters(first.provenance) if first else {}
    checks = tuple(
        type(check)(f"{name}: {check.what[:1].lower()}{check.what[1:]}", check.found, check.passed)
        for name, one in results.items()
        for check in checked(one.checks)
        if check.passed is not None
    )
    commands = [
        line
        for name, one in results.items()
        for line in again("run", name, "", ranges=bool(one.provenance.get("ranges")))[:1]
    ]
    return Report(
        kind=f"{capital(_count(len(both.worlds)))} policies side by side",
        title=f"{listed(both.worlds)}, compared with {both.reference}",
        questions=asked,
        answer=comparison.answer(both),
        beside=None,
        said=_said(first.provenance if first else {}, first.resolved if first else ""),
        numbers=(numbers.of_comparison(both.table, both.worlds, both.reference),),
        drawings=_drawings(both, progress),
        assumptions=assumptions(parameters),
        grades=graded(parameters),
        checks=checks,
        provenance=tuple(pair for name, one in results.items() for pair in provenance(one.provenance, f"{name}: ")),
        commands=(*commands, f"backfill report {' '.join(named)}"),
        files=tuple(file for name, one in results.items() for file in files(name, one.resolved)),
        date=date(first.provenance) if first else "",
    )


def of_game(one: AlignResult, place: str, progress: Progress | None = None) -> Report:
    """The report of an alignment game."""
    asked = question(one.resolved, one.name)
    tables = [numbers.of_summary(one.summary, "Headline numbers of the game; pay-offs are shares of GDP")]
    told: Any = one.provenance.get("game") or {}
    said = [f"Pay-offs are counted over {told['counted']}."] if told.get("counted") else []
    if told.get("mode"):
        mode = (
            "with the answer of suppliers in all years"
            if told["mode"] == "coupled"
            else "in one year at the reference's supply plan"
        )
        said.append(f"Worlds are solved {mode}; {told.get('profiles', 'all')} profiles of levels were tried.")
    ranges = told.get("ranges")
    said.append(_ranges(ranges) if ranges else "Central values only: no ranges were asked for.")
    return _report(
        one,
        asked,
        "Who goes along: an alignment game",
        answer=game.answer(one),
        said=(
            DIFFERENCE,
            *said,
            "The worth that a player puts on denial is an assumption of the file and decides much.",
        ),
        numbers=(*tables, *_others(one.tables, ("payoffs", "deterrence", "coalitions", "execution", "incentives"))),
        drawings=_drawings(one, progress),
        checks=checked(one.checks, "game"),
        commands=again("align", one.name, place),
    )


def of_design(one: DesignResult, place: str, progress: Progress | None = None) -> Report:
    """The report of a best package."""
    asked = question(one.resolved, one.name)
    name = re.sub("-best$", "", one.name)
    ranged = one.summary["low"].is_not_null().any()
    return _report(
        one,
        asked,
        "The best package within limits",
        title=one.title or asked.title,
        answer=design.answer(one),
        said=(
            DIFFERENCE,
            "What follows holds for the limits and the ranges of levers that the file sets; other limits have "
            "another best package.",
            "Ranges are given with the numbers."
            if ranged
            else "Central values only: with --ranges the best packages have their ranges.",
            H100E,
        ),
        numbers=(
            numbers.of_summary(one.summary, "Levers, limits and effects of the best package"),
            *_others(one.tables, ("design", "limits", "marginals", "certificates", "frontier")),
        ),
        drawings=_drawings(one, progress),
        checks=checked(one.checks, "design"),
        commands=(
            f"backfill design {name}{' --ranges' if ranged else ''}",
            f"backfill run {file_name(one.name)}",
            f"backfill report {place}",
        ),
    )


def of_sweep(one: Any, place: str, progress: Progress | None = None) -> Report:
    """The report of a sweep.

    Args:
        one: what ``backfill sweep`` wrote, with lazy tables ``scenarios`` and ``effects``.
        place: its folder.
        progress: told which chart is being drawn.
    """
    scenarios = one.scenarios.collect()
    asked = question(one.file, one.name)
    failed = scenarios.filter(pl.col("status").cast(pl.String).str.to_lowercase() != "solved")
    spreads = _spreads(one, scenarios)
    first = [row for row in spreads.rows if row[0] in SWEPT and row[1] in BLOCS]
    tables = [Table(spreads.caption, spreads.head, tuple(first) or spreads.rows[:12], spreads.numbers)]
    tables.append(_closed(spreads, f"All {len(spreads.rows)} numbers over the scenarios that have them"))
    if failed.height:
        tables.append(_closed(numbers.plain_table(failed, f"{failed.height} scenarios without an answer, and why"), ""))
    tables.append(_closed(numbers.plain_table(scenarios, "Scenarios and their levers"), ""))
    done = {"worlds": float(scenarios.height - failed.height), "unsolved": float(failed.height)}
    part = f"{scenarios.height:,} of {one.total:,} scenarios are finished; the others are not in these numbers."
    return _report(
        one,
        asked,
        f"{scenarios.height:,} scenarios",
        answer=sweep.answer(one),
        said=(
            DIFFERENCE,
            "What is said of nine in ten scenarios holds for the levers and ranges that were swept, not for the world.",
            *([part] if one.total > scenarios.height else []),
            H100E,
        ),
        numbers=tuple(tables),
        drawings=_drawings(one, progress),
        checks=checked(done),
        commands=again("sweep", one.name, place),
        resolved=one.file,
    )


def _report(one: Any, asked: Question, kind: str, *, resolved: str | None = None, **parts: Any) -> Report:
    """A report of one thing: what it rests on and where it comes from, from its own record.

    Args:
        one: a result, a game, a design or a sweep.
        asked: its question.
        kind: what it is.
        resolved: its file; ``one.resolved`` if None.
        parts: fields of the report that only the thing itself knows.
    """
    parameters = _parameters(one.provenance)
    return Report(
        kind=kind,
        questions=(asked,),
        assumptions=assumptions(parameters),
        grades=graded(parameters),
        provenance=provenance(one.provenance),
        files=files(one.name, one.resolved if resolved is None else resolved),
        date=date(one.provenance),
        **{"title": asked.title, "beside": None, **parts},
    )


def _spreads(one: Any, scenarios: pl.DataFrame) -> Table:
    """Least, median and most of every number over the scenarios."""
    whole = one.effects.select("quantity", "where", "period", "product", "unit", "value")
    stats = [
        pl.col("value").quantile(q, "linear").alias(name) for name, q in (("5%", 0.05), ("median", 0.5), ("95%", 0.95))
    ]
    found = (
        whole.group_by("quantity", "where", "period", "product", "unit", maintain_order=True)
        .agg(
            pl.col("value").min().alias("least"),
            *stats,
            pl.col("value").max().alias("most"),
            pl.col("value").count().alias("scenarios"),
        )
        .collect()
    )
    long = found.filter(pl.col("period").str.contains("-") | (pl.col("period") == "all"))
    found = long if long.height else found
    names = ("least", "5%", "median", "95%", "most")
    rows = tuple(
        (str(numbers.NAMES.get(row["quantity"], row["quantity"])), str(row["where"]), str(row["product"]),
         *(numbers.shown(row[name], row["unit"]) for name in names), f"{row['scenarios']:,}")
        for row in found.iter_rows(named=True)
    )  # fmt: skip
    head = ("number", "where", "product", *names, "scenarios")
    return Table("Every number over the scenarios that have it", head, rows, tuple(range(3, 9)))


def _drawings(thing: Any, progress: Progress | None) -> tuple[Drawing, ...]:
    names = tuple(catalogue.charts_of(thing))
    out = []
    for n, name in enumerate(names):
        if progress:
            progress(f"drawing {name.replace('-', ' ')}", n / len(names))
        with suppress(NothingToDraw):
            out.append(drawing(catalogue.draw(thing, name), f"chart-{name}"))
    return tuple(out)


def _closed(table: Table, caption: str) -> Table:
    return Table(caption or table.caption, table.head, table.rows, table.numbers, open=False)


def _others(tables: Mapping[str, pl.DataFrame], names: Iterable[str]) -> tuple[Table, ...]:
    found = ((name, tables[name]) for name in names if name in tables and tables[name].height)
    return tuple(_closed(numbers.plain_table(frame, f"Table {name}"), "") for name, frame in found)


def _parameters(provenance: Mapping[str, Any]) -> Mapping[str, Any]:
    return provenance.get("parameters") or {}


def _said(provenance: Mapping[str, Any], resolved: str) -> tuple[str, ...]:
    """What must be known to read the numbers of a result."""
    ranges = provenance.get("ranges")
    own = _own_tables(resolved)
    rate = _parameters(provenance).get("discount_factor", {}).get("value")
    weight = f" with a discount factor of {plain(rate)} a year" if rate else ""
    said = [
        DIFFERENCE,
        _ranges(ranges) if ranges else "Central values only: with --ranges the numbers have their ranges.",
    ]
    if own:
        return (*said, f"Present values are at the first year{weight}.")
    adversary = places(code for code, bloc in _blocs().items() if bloc == "adversary")
    return (
        *said,
        f"The adversary is {adversary}. {H100E}",
        f"Money is in USD of 2022; present values are at the first year{weight}.",
        f"Not settled: {UNSETTLED}.",
    )


def _ranges(ranges: Mapping[str, Any]) -> str:
    told = (
        f"Ranges: {ranges.get('method', 'as the file says')} ({', '.join(ranges.get('parameters', ()))}); "
        f"nothing else is varied."
    )
    gone = ranges.get("unsolved")
    return told + (f" Not solved: {', '.join(gone)}." if gone else "")


def _own_tables(resolved: str) -> bool:
    try:
        return "economy" in tomllib.loads(resolved)
    except tomllib.TOMLDecodeError:
        return False


def _blocs() -> dict[str, str]:
    from backfill.economy.tables import load_vocabulary

    return dict(load_vocabulary().bloc)


def _count(number: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[number] if number < len(words) else str(number)

"""Many scenarios in five sentences: what was varied, the spread of the answer, what moves it, the best one, who pays."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from backfill.reports.sentence import Cell, Figure, Part, Sentence, joined, level, sentence, size
from backfill.reports.words import amount, per_cent

INNER = (0.05, 0.95)
"""Ends of the part of the scenarios that is called nine in ten."""
ABOUT = ("scenario", "number", "status", "reason", "answer")
"""Columns of scenarios that are no levers; ``answer`` is joined to them here."""
HEADLINES = (("compute denied", "adversary"), ("compute acquired", "adversary"))
COSTS = (("welfare, present value", "us"), ("welfare, present value", "US"), ("equivalent variation", "us"))
"""Numbers that say what it costs the US; the first that a sweep has is told of."""
FEW = 20


class Answered(Protocol):
    """What is told of a sweep."""

    @property
    def scenarios(self) -> pl.LazyFrame: ...

    @property
    def effects(self) -> pl.LazyFrame: ...


def answer(sweep: Answered) -> tuple[Sentence, ...]:
    """Five sentences."""
    scenarios = sweep.scenarios.collect()
    key, values, unit = headline(sweep)
    found = (
        scenarios.join(values, on="scenario", how="inner").drop_nulls("answer") if values.height else scenarios.clear()
    )
    if not found.height:
        return (varied(scenarios), sentence("No scenario has an answer"))
    name = f"{key[0]} of the {key[1]}" if key[1] in ("adversary",) else key[0]
    return (
        varied(scenarios),
        spread(found, name, unit),
        moved(found, name),
        best(found, name, unit, more=key[0] != "compute acquired"),
        paid(sweep, found, name),
    )


def headline(sweep: Answered) -> tuple[tuple[str, str], pl.DataFrame, str]:
    """The number that is told of: compute denied where sweeps have it, else the first there is."""
    effects = sweep.effects
    there = effects.select("quantity", "where").unique(maintain_order=True).collect().rows()
    key = next((one for one in HEADLINES if one in there), there[0] if there else ("", ""))
    return key, *of(sweep, *key)


def of(sweep: Answered, quantity: str, where: str) -> tuple[pl.DataFrame, str]:
    """One number of every scenario over the whole horizon: scenario and answer, and the unit."""
    rows = sweep.effects.filter(pl.col("quantity") == quantity, pl.col("where") == where).collect()
    whole = max(rows["period"].unique().to_list(), key=lambda one: (one == "all", len(one)), default="")
    rows = rows.filter(pl.col("period") == whole)
    if rows["product"].n_unique() > 1:
        rows = rows.filter(pl.col("product") == ("all" if "all" in set(rows["product"]) else rows["product"][0]))
    return rows.select("scenario", pl.col("value").alias("answer")), rows["unit"][0] if rows.height else ""


def levers(scenarios: pl.DataFrame) -> list[str]:
    """Columns of levers that move."""
    names = [name for name in scenarios.columns if name not in ABOUT]
    return [name for name in names if scenarios[name].n_unique() > 1]


def solved(scenarios: pl.DataFrame) -> pl.DataFrame:
    """Scenarios that have an answer."""
    return scenarios.filter(pl.col("status").cast(pl.String).str.to_lowercase() == "solved")


def varied(scenarios: pl.DataFrame) -> Sentence:
    """How many scenarios there are, over which levers, and how many were solved."""
    every, done = scenarios.height, solved(scenarios).height
    parts: list[Part] = [_count(every, "scenarios", "rows"), " scenario" + ("s" if every != 1 else "")]
    names = levers(scenarios)
    told: list[list[Part]] = []
    for name in names:
        column = scenarios[name]
        if column.dtype.is_numeric():
            low, high = (Cell("scenarios", (("lever", name),), how, _number(value), "") for how, value in
                         (("min", column.min()), ("max", column.max())))  # fmt: skip
            told.append([f"{name} from ", level(low), " to ", level(high)])
        else:
            told.append([f"{name} ({', '.join(map(str, column.unique(maintain_order=True).to_list()[:5]))})"])
    parts += [" vary ", *joined(told[:5])] if told else [" vary nothing"]
    parts += [" and more"] if len(told) > 5 else []
    if done == every:
        return sentence(parts, "; all are solved" if every != 1 else "; it is solved")
    return sentence(parts, "; ", _count(done, "scenarios", "solved"), " are solved")


def _count(number: int, table: str, column: str) -> Figure:
    cell = Cell(table, (), column, float(number), "count")
    return Figure(f"{number:,}", float(number), "count", (cell,))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def spread(found: pl.DataFrame, name: str, unit: str) -> Sentence:
    """Median and the middle nine in ten."""
    column = found["answer"]

    def at(share: float) -> Cell:
        return Cell(
            "effects", (("quantity", name),), f"quantile {share:g}", _number(column.quantile(share, "linear")), unit
        )

    if column.n_unique() == 1:
        return sentence(f"{name} is ", level(at(0.5)), " in all of them")
    if found.height < FEW:
        low, high = (Cell("effects", (("quantity", name),), how, _number(value), unit) for how, value in
                     (("min", column.min()), ("max", column.max())))  # fmt: skip
        return sentence(f"{name} is between ", level(low), " and ", level(high), ", with a median of ", level(at(0.5)))
    return sentence(
        f"The median of {name} is ", level(at(0.5)), "; in nine of ten scenarios it is between ", level(at(INNER[0])), " and ",
        level(at(INNER[1])),
    )  # fmt: skip


def correlations(found: pl.DataFrame) -> list[tuple[str, float]]:
    """Rank correlation of every lever that is a number with the answer, strongest first; those without one are left out."""
    out = []
    for name in levers(found):
        if found[name].dtype.is_numeric() and found["answer"].n_unique() > 1:
            value = found.select(pl.corr(name, "answer", method="spearman")).item()
            if value is not None and value == value:
                out.append((name, float(value)))
    return sorted(out, key=lambda one: -abs(one[1]))


def moved(found: pl.DataFrame, name: str) -> Sentence:
    """Which lever goes with the answer most."""
    ranked = correlations(found)
    if not ranked:
        return sentence(f"No single number that was varied goes with {name}")
    lever, value = ranked[0]
    cell = Cell("scenarios", (("lever", lever),), "rank correlation", value, "ratio")
    way = "more" if value > 0 else "less"
    if value == 0:
        return sentence(f"No single number that was varied goes with {name}")
    parts: list[Part] = [f"{lever} matters most: with more of it there is {way} (rank correlation ", level(cell)]
    if len(ranked) > 1:
        other = Cell("scenarios", (("lever", ranked[1][0]),), "rank correlation", ranked[1][1], "ratio")
        parts += [f"; next is {ranked[1][0]}, ", level(other)]
    return sentence(parts, ")")


def best(found: pl.DataFrame, name: str, unit: str, *, more: bool) -> Sentence:
    """The scenario with most of the answer, or least where less is meant to be better, with its levers."""
    row = found.sort("answer", "scenario", descending=[more, False]).row(0, named=True)
    scenario = row["scenario"]
    value = Cell("effects", (("scenario", scenario),), "value", _number(row["answer"]), unit)
    told = joined([[f"{lever} ", _at(row[lever], lever, scenario)] for lever in levers(found)[:5]])
    return sentence(
        f"{'Most' if more else 'Least'} {name}, ", level(value), ", is found", [" at ", *told] if told else None
    )


def _at(value: object, lever: str, scenario: object) -> Part:
    number = _number(value)
    if number is None or isinstance(value, bool):
        return str(value)
    return Figure(amount(number, ""), number, "", (Cell("scenarios", (("scenario", scenario),), lever, number, ""),))


def paid(sweep: Answered, found: pl.DataFrame, name: str) -> Sentence:
    """How often the US lose, and how much between which ends."""
    there = sweep.effects.select("quantity", "where").unique().collect().rows()
    key = next((one for one in COSTS if one in there), COSTS[0])
    values, unit = of(sweep, *key)
    known = found.select("scenario").join(values, on="scenario", how="inner").drop_nulls("answer")
    if not known.height:
        return sentence("What it costs the United States is not among the numbers kept")
    column = known["answer"]
    losing = int((column < 0).sum())
    low, high = (Cell("effects", (("quantity", key[0]), ("where", key[1])), how, _number(value), unit) for how, value in
                 (("min", column.min()), ("max", column.max())))  # fmt: skip
    when = " in present value" if "present" in key[0] else ""
    if losing in (0, known.height):
        least, most = sorted((low, high), key=lambda cell: abs(cell.value or 0.0))
        told = (
            "In every scenario the United States lose"
            if losing
            else "In no scenario do the United States lose; they gain"
        )
        if size(least).words == size(most).words:
            return sentence(f"{told} ", size(least), " of welfare", when)
        return sentence(f"{told} between ", size(least), " and ", size(most), " of welfare", when)
    share = losing / known.height
    often = Figure(per_cent(share), share, "share", (Cell("effects", (), "share below zero", share, "share"),))
    return sentence(
        "The United States lose welfare in ", often, " of the scenarios; its change is between ", level(low), " and ",
        level(high), when,
    )  # fmt: skip

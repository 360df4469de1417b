"""A best package in five sentences: what it achieves, its levers, what binds, how sure the search is, the frontier."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from backfill.reports.answers.result import unknown
from backfill.reports.sentence import Cell, Figure, Part, Sentence, in_table, joined, level, sentence
from backfill.reports.words import amount

BEST, WRITTEN = "best", "as written"
MORE = {"million USD": (1e3, "another $1 billion")}
"""By the unit of a limit: how much more of it is told, and in which words."""


class Answered(Protocol):
    """What is told of a design."""

    @property
    def objective(self) -> str: ...

    @property
    def tables(self) -> Tables: ...


class Tables(Protocol):
    """Long tables by name."""

    def __getitem__(self, name: str, /) -> pl.DataFrame: ...


def answer(design: Answered) -> tuple[Sentence, ...]:
    """Five sentences; four where no frontier was asked for."""
    told = [achieved(design), levers(design), limits(design), sure(design)]
    return (*told, along(design)) if design.tables["frontier"].height else tuple(told)


def objective_key(design: Answered) -> dict[str, str]:
    """Quantity, where and period of the objective among the effects."""
    effects = design.tables["effects"]
    rows = effects.filter(pl.col("package") == BEST).select("quantity", "where", "period").iter_rows(named=True)
    words = design.objective.removeprefix("most ").removeprefix("least ")
    fits = [row for row in rows if words.startswith(row["quantity"]) and (not row["where"] or row["where"] in words)]
    fits = [row for row in fits if row["period"] == "all" or row["period"] in words] or fits
    return max(fits, key=lambda row: (len(row["quantity"]), row["period"] != "all"), default={})


def achieved(design: Answered) -> Sentence:
    """The objective at the best package, and at the package as written."""
    find, key = in_table("effects", design.tables["effects"]), objective_key(design)
    words = design.objective.removeprefix("most ").removeprefix("least ").partition(" (")[0]
    what = f"The best package has {'most' if design.objective.startswith('most') else 'least'} {words}"
    best = find("value", package=BEST, **key) if key else Cell("effects", (), "value", None, "")
    if best.value is None:
        return unknown(what[:1].lower() + what[1:], best)
    low, high = (find(end, package=BEST, **key) for end in ("low", "high"))
    range_: list[Part] = []
    if low.value is not None and high.value is not None:
        range_ = [" (range: ", level(low), " to ", level(high), ")"]
    written = find("value", package=WRITTEN, **key)
    if written.value is None:
        return sentence(f"{what}: ", level(best), range_)
    if abs(best.value - written.value) <= 5e-4 * abs(written.value):
        return sentence(f"{what}: ", level(best), range_, ", as much as the package as written")
    return sentence(f"{what}: ", level(best), range_, ", against ", level(written), " of the package as written")


def levers(design: Answered) -> Sentence:
    """Where the levers stand."""
    table = design.tables["design"]
    find = in_table("design", table)
    parts: list[list[Part]] = []
    for row in table.filter(pl.col("package") == BEST).iter_rows(named=True):
        named = _lever(row["lever"], row["field"])
        if not row["there"]:
            parts.append([f"{named} left out"])
            continue
        cell = find("value", package=BEST, lever=row["lever"])
        end = {"low": " (its least)", "high": " (its most)"}.get(row["at"] or "", "")
        parts.append([f"{named} ", _plain(cell), end])
    return sentence("It sets ", joined(parts)) if parts else sentence("No lever is moved")


def _lever(label: str, field: str) -> str:
    """``Tools, country-wide: coverage`` as ``the coverage of “Tools, country-wide”``."""
    measure, colon, last = label.rpartition(": ")
    return (
        f"the {last.replace('_', ' ')} of “{measure}” to" if colon else f"the {field.replace('_', ' ')} of “{label}” to"
    )


def _plain(cell: Cell) -> Figure:
    assert cell.value is not None
    return Figure(amount(cell.value, ""), cell.value, "", (cell,))


def limits(design: Answered) -> Sentence:
    """Which limits bind, and what loosening each is worth."""
    table = design.tables["limits"]
    if not table.height:
        return sentence("No limit is set")
    find, objective = in_table("limits", table), design.objective
    binding, loose = [], []
    for row in table.iter_rows(named=True):
        per, _, unit = row["unit"].rpartition(" by ")
        bound = Cell("limits", (("limit", row["limit"]),), "bound", row["bound"], unit)
        value = Cell("limits", (("limit", row["limit"]),), "value", row["value"], unit)
        told: list[Part] = [f"{row['limit']} ({row['side']} ", level(bound), ")"]
        if not row["binding"]:
            loose.append([*told, " at ", level(value)] if row["value"] is not None else told)
            continue
        price = find("shadow_price", limit=row["limit"])
        times, words = MORE.get(unit, (1.0, "a unit more" if unit else "more"))
        if price.value:
            worth = Figure(amount(abs(price.value) * times, per), abs(price.value) * times, per, (price,))
            less = "" if objective.startswith("most") else " less"
            told += [
                ", where ",
                words,
                " would allow " if row["side"] == "at most" else " asked for would take ",
                worth,
                less,
            ]
        binding.append(told)
    parts: list[Part] = []
    if binding:
        parts += ["What binds is " if len(binding) == 1 else "What binds is, first, "]
        for n, one in enumerate(binding):
            parts += ["; and " if n else "", *one]
    else:
        parts += ["No limit binds"]
    if loose:
        parts += ["; there is room under " if binding else ": there is room under ", *joined(loose)]
    return sentence(parts)


def sure(design: Answered) -> Sentence:
    """Whether the optimality conditions hold, how many searches end there, and whether a package drawn is better."""
    table = design.tables["certificates"]
    searches = table.filter(pl.col("search") != "samples")
    find = in_table("certificates", table)
    if not searches.height:
        return sentence("How sure the search is, is not known")
    best = searches.sort("residual", nulls_last=True).row(0, named=True)
    parts: list[Part] = [f"The search says: {_verdict(best['verdict'])}"]
    drawn = find("objective", search="samples")
    found = find("objective", search=best["search"])
    if drawn.value is not None and found.value is not None:
        unit = _unit(design)
        shown = Cell(drawn.table, drawn.keys, drawn.column, drawn.value, unit)
        better = (drawn.value > found.value) == design.objective.startswith("most") and drawn.value != found.value
        told = (
            "; a package drawn at random is better: "
            if better
            else "; the best package drawn at random that keeps every limit has "
        )
        parts += [told, level(shown)]
    return sentence(parts)


def _verdict(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(".")


def _unit(design: Answered) -> str:
    key = objective_key(design)
    return in_table("effects", design.tables["effects"])("value", package=BEST, **key).unit if key else ""


def along(design: Answered) -> Sentence:
    """The objective from one end of the frontier to the other."""
    table = design.tables["frontier"].filter(pl.col("kind") == "objective").sort("bound")
    if not table.height:
        return sentence("Along the frontier nothing could be solved")
    ends = [table.row(0, named=True), table.row(table.height - 1, named=True)]
    limit, unit = _moving(design)
    bounds, values = [], []
    for row in ends:
        keys = (("point", row["point"]), ("kind", "objective"))
        bounds.append(Cell("frontier", keys, "bound", row["bound"], unit))
        values.append(Cell("frontier", keys, "value", row["value"], row["unit"]))
    if any(value.value is None for value in values):
        return sentence(
            f"As {limit} goes from ",
            level(bounds[0]),
            " to ",
            level(bounds[1]),
            ", the objective is not known at an end",
        )
    return sentence(
        f"As the bound on {limit} goes from ", level(bounds[0]), " to ", level(bounds[1]), f", {ends[0]['quantity']} goes from ",
        level(values[0]), " to ", level(values[1]),
    )  # fmt: skip


def _moving(design: Answered) -> tuple[str, str]:
    """The limit that moves along the frontier, and its unit."""
    kinds = design.tables["frontier"].filter(pl.col("kind") == "limit")
    gap = (pl.col("value") - pl.col("bound")).abs().mean().alias("gap")
    gaps = kinds.group_by("quantity", "unit", maintain_order=True).agg(gap).sort("gap", maintain_order=True)
    return gaps.select("quantity", "unit").row(0) if gaps.height else ("the limit", "")

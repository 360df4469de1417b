"""A policy beside its reference, in five sentences: compute, what comes back, who backfills, who pays, what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from backfill.reports.sentence import Cell, Lookup, Part, Sentence, in_table, joined, level, ratio, sentence, size
from backfill.reports.words import years

if TYPE_CHECKING:
    from backfill.charts.of_result import Drawn as Answered

NEARLY = 5e-4
"""Relative change below which two numbers are called the same."""

WORLDS = {"no-controls": "without controls", "current-policy": "under current policy"}
CHANNELS = {
    "ally": "bought from US allies",
    "third country": "bought from third countries",
    "diversion": "smuggled",
    "cloud": "rented abroad",
    "other tier": "bought as US products that are not controlled",
    "domestic": "made at home",
}
SELLERS = {"ally": "US allies", "partner": "third countries", "adversary": "the adversary's own makers"}
PAYERS = {
    "US": "the United States",
    "US allies": "their allies",
    "third countries": "third countries",
    "adversary": "the adversary",
}
GOODS = {"tools": "chipmaking tools"}


def under(world: str) -> str:
    """A world as sentences call it: ``without controls``, ``under current policy``, ``in h20-levy``."""
    return WORLDS.get(world, f"in {world}")


def answer(result: Answered) -> tuple[Sentence, ...]:
    """Five sentences against the reference."""
    find, span = in_table("summary", result.summary), _span(result.summary)
    return (
        compute(find, span, under(result.reference)),
        come_back(find, result, span),
        backfilled(result),
        paid(find, span),
        left(find, _last(result.summary), under(result.reference)),
    )


def beside(result: Answered) -> tuple[Sentence, ...]:
    """What the policy adds to the second reference, in three sentences; none where there is no second reference."""
    if result.also_against is None:
        return ()
    find, span, last = in_table("summary", result.summary), _span(result.summary), _last(result.summary)
    other = under(result.also_against)
    columns = {"before": "current_policy", "change": "against_current_policy"}
    return (
        compute(find, span, other, **columns),
        paid(find, span, change="against_current_policy"),
        left(find, last, other, **columns),
    )


def _span(summary: pl.DataFrame) -> str:
    periods = summary.filter(pl.col("quantity") == "compute acquired")["period"].to_list()
    return max(periods, key=len, default="")


def _last(summary: pl.DataFrame) -> str:
    return _span(summary).partition("-")[2] or _span(summary)


def compute(find: Lookup, span: str, other: str, *, before: str = "reference", change: str = "change") -> Sentence:
    """How much compute the adversary acquires, and how much less than in another world."""
    keys = {"quantity": "compute acquired", "where": "adversary", "period": span}
    here, there, moved = find("policy", **keys), find(before, **keys), find(change, **keys)
    if here.value is None:
        return unknown("How much compute the adversary acquires", here)
    head: list[Part] = [f"{years(span)} the adversary acquires ", level(here), " of compute"]
    if moved.value is None:
        return sentence(head, f"; the change from what it acquires {other} is not known")
    if _same(moved, there):
        return sentence(head, f", as much as {other}")
    share = ratio(moved, there)
    told: list[Part] = [" (", share, ")"] if share else []
    return sentence(head, ", ", size(moved), told, f" {_less(moved)} than {other}", spread(find, change, keys))


def spread(find: Lookup, change: str, keys: Mapping[str, object]) -> list[Part]:
    """The range of a change in words, where there is one."""
    low, high = find("low", **keys), find("high", **keys)
    if change != "change" or low.value is None or high.value is None:
        return []
    if low.value * high.value < 0:
        return [" (range: ", size(low), f" {_less(low)} to ", size(high), f" {_less(high)})"]
    least, most = sorted((low, high), key=lambda cell: abs(cell.value or 0.0))
    return [" (range: ", size(least), " to ", size(most), f" {_less(most)})"]


def come_back(find: Lookup, result: Answered, span: str) -> Sentence:
    """How much of what controls close off comes back, and by which routes."""
    where = {"where": "adversary", "period": span}
    gross, denied = (find("change", quantity=name, **where) for name in ("gross denial", "compute denied"))
    rate = find("change", quantity="leakage rate", **where)
    if gross.value is None:
        return unknown("How much compute the controls close off", gross)
    if gross.value <= 0 or rate.value is None:
        why = rate.note.removeprefix("undefined: ")
        told = "The controls close off no compute" if gross.value <= 0 else "What comes back is not given as a share"
        reason = f": {why.partition('; from ')[0]}" if why and not why.startswith("from ") and gross.value > 0 else ""
        return sentence(told, reason, _stays(denied))
    head: list[Part] = ["Controls close off ", size(gross), " at first; "]
    leaks = in_table("leakage", result.tables["leakage"])
    keys = {"scenario": result.name, "reference": result.reference, "period": "all", "quantity": "leakage"}
    cells = {name: leaks("value", channel=name, **keys) for name in CHANNELS}
    most = sorted(
        (name for name, one in cells.items() if (one.value or 0.0) > 0.005 * gross.value),
        key=lambda n: -(cells[n].value or 0),
    )
    through = joined([[size(cells[name]), f" {CHANNELS[name]}"] for name in most[:3]])
    if rate.value <= NEARLY:
        body: list[Part] = ["none of it comes back by other routes"]
        if rate.value < -NEARLY:
            body = ["nothing comes back by other routes, which carry less too, by ", size(rate), " of that"]
    else:
        more = " (more than was closed off)" if rate.value > 1 else ""
        body = [size(rate), f" of that comes back by other routes{more}"]
        body += [", above all ", *through] if through else []
    return sentence(head, body, _stays(denied))


def _stays(denied: Cell) -> list[Part]:
    if denied.value is None:
        return []
    if denied.value > 0:
        return ["; ", size(denied), " stay denied"]
    return ["; the adversary ends up with ", size(denied), " more"] if denied.value < 0 else ["; nothing stays denied"]


def backfilled(result: Answered) -> Sentence:
    """Whose sales to the adversary replace those of the US, for the goods of which the US sell most less."""
    table = result.tables["backfilling"]
    find = in_table("backfilling", table)
    keys = {"scenario": result.name, "reference": result.reference, "period": "all", "destination": "adversary"}
    changed = {"quantity": "change in sales, current value"}
    goods = [one for one in ("accelerators", "tools", "chips") if table.height and one in set(table["product"])]
    falls = {one: find("value", origin="us", product=one, **changed, **keys) for one in goods}
    if not any(falls.values()):
        return sentence("How US sales to the adversary change is not known")
    fallen = sorted(
        (one for one, cell in falls.items() if (cell.value or 0.0) < 0), key=lambda one: falls[one].value or 0.0
    )
    told = []
    for one in fallen[:2]:
        rate = find("value", origin="all but the US", product=one, quantity="backfill rate, current value", **keys)
        if rate.value is None:
            continue
        others = find("value", origin="all but the US", product=one, **changed, **keys)
        cells = {who: find("value", origin=who, product=one, **changed, **keys) for who in SELLERS}
        told.append(_seller(GOODS.get(one, one), falls[one], others, rate, cells))
    if not told:
        return sentence("US sales to the adversary hardly fall, so that there is nothing to backfill")
    parts: list[Part] = []
    for n, one in enumerate(told):
        parts += ["; " if n else "", *one]
    return sentence(parts)


def _seller(goods: str, fall: Cell, others: Cell, rate: Cell, cells: Mapping[str, Cell]) -> list[Part]:
    head: list[Part] = [f"US sales of {goods} to the adversary fall by ", size(fall), " and "]
    if abs(rate.value or 0.0) <= NEARLY or others.value is None:
        return [*head, "nobody else sells more"]
    if others.value < 0:
        return [*head, "other sellers do not fill the gap: they sell ", size(others), " less too"]
    most = max(cells, key=lambda who: cells[who].value or 0.0)
    who = "" if (cells[most].value or 0.0) <= 0 else f", most of it by {SELLERS[most]}"
    if (cells[most].value or 0.0) >= (1 - NEARLY) * others.value:
        who = f", all of it by {SELLERS[most]}"
    return [*head, "others sell ", size(others), " more, ", size(rate), f" of what is lost{who}"]


def paid(find: Lookup, span: str, *, change: str = "change") -> Sentence:
    """Who gains and who loses welfare, and what a unit denied costs the US and their allies."""
    cells = {who: find(change, quantity="welfare, present value", where=who, period=span) for who in PAYERS}
    known = {who: cell for who, cell in cells.items() if cell.value is not None}
    if not known:
        return unknown("Who gains and who loses", next(iter(cells.values())))
    losers = [who for who, cell in known.items() if (cell.value or 0.0) < 0]
    gainers = [who for who, cell in known.items() if (cell.value or 0.0) > 0]
    even = [who for who, cell in known.items() if cell.value == 0]
    parts: list[Part] = []
    for verbs, group in ((("loses", "lose"), losers), (("gains", "gain"), gainers)):
        if group:
            verb = verbs[0] if group[0] == "adversary" else verbs[1]
            amounts = [_payer(find, change, span, who, verb if who == group[0] else "") for who in group]
            parts += [", and " if parts else "", *joined(amounts)]
    if even:
        parts += [" and " if parts else "", " and ".join(PAYERS[who] for who in even), " neither gain nor lose"]
    parts += [", in present value"] if losers or gainers else []
    cost = find(change, quantity="cost per unit denied", where="US and allies", period=span)
    if cost.value is not None and cost.value > 0:
        parts += ["; each H100e denied costs the United States and their allies ", _each(cost)]
    if cost.value is not None and cost.value < 0:
        parts += ["; the United States and their allies gain ", _each(cost), " with each H100e denied"]
    return sentence(parts)


def _payer(find: Lookup, change: str, span: str, who: str, verb: str) -> list[Part]:
    keys = {"quantity": "welfare, present value", "where": who, "period": span}
    low, high = find("low", **keys), find("high", **keys)
    range_: list[Part] = []
    if change == "change" and low.value is not None and high.value is not None:
        range_ = [" (welfare between ", level(low), " and ", level(high), ")"]
    return [f"{PAYERS[who]} {verb} ".rstrip() + " ", size(find(change, **keys)), *range_]


def _each(cost: Cell):
    figure = size(cost)
    return type(figure)(figure.words.removesuffix(" per H100e"), figure.value, figure.unit, figure.cells)


def left(find: Lookup, last: str, other: str, *, before: str = "reference", change: str = "change") -> Sentence:
    """The adversary's capacity for advanced logic in the last year, and how much more compute the US own."""
    keys = {"quantity": "capacity, logic_advanced", "where": "adversary", "period": last}
    here, there, moved = find("policy", **keys), find(before, **keys), find(change, **keys)
    stock = {"quantity": "US to adversary compute, owned stock", "where": "world", "period": last}
    owned, owned_there = find("policy", **stock), find(before, **stock)
    parts: list[Part] = [f"{years(last)} "]
    if here.value is None:
        parts += ["the adversary's capacity for advanced logic is not known"]
    elif not here.value and not there.value:
        parts += ["the adversary has no planned capacity for advanced logic"]
    else:
        parts += ["the adversary's capacity for advanced logic is ", level(here), " of output a year"]
        share = ratio(moved, there)
        if _same(moved, there):
            parts += [f", the same as {other}"]
        elif share:
            parts += [", ", share, f" {_less(moved)} than {other}", spread(find, change, keys) or None]
        elif moved.value is not None:
            parts += [", ", size(moved), f" {_less(moved)} than {other}"]
    if owned.value is not None and owned_there.value is not None:
        how = "as it would be " if _same(Cell("", (), "", owned.value - owned_there.value, ""), owned_there) else ""
        parts += ["; the United States own ", level(owned), " times the compute that the adversary owns, "]
        parts += [how + other] if how else ["against ", level(owned_there), f" times {other}"]
    return sentence(*parts)


def unknown(what: str, cell: Cell) -> Sentence:
    """That a number is missing, and why if that is known."""
    why = cell.note.removeprefix("undefined: ")
    return sentence(f"{what} is not known", f": {why}" if why else "")


def _less(moved: Cell) -> str:
    return "less" if (moved.value or 0.0) < 0 else "more"


def _same(moved: Cell, there: Cell) -> bool:
    if moved.value is None:
        return False
    return abs(moved.value) <= NEARLY * abs(there.value) if there.value else moved.value == 0

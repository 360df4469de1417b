"""Several policies beside one reference, in five sentences: compute, what comes back, capacity, who pays, cost of denial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from backfill.reports.answers.result import NEARLY, under
from backfill.reports.sentence import Cell, Lookup, Part, Sentence, in_table, joined, level, ratio, sentence, size
from backfill.reports.words import years


class Answered(Protocol):
    """What is told of results side by side."""

    @property
    def reference(self) -> str: ...

    @property
    def worlds(self) -> tuple[str, ...]: ...

    @property
    def table(self) -> pl.DataFrame: ...


def answer(both: Answered) -> tuple[Sentence, ...]:
    """Five sentences."""
    find = in_table("comparison", both.table)
    return (compute(both, find), come_back(both, find), capacity(both, find), paid(both, find), each(both, find))


def _periods(both: Answered) -> tuple[str, str]:
    """The whole horizon and its last year."""
    found = both.table.filter(pl.col("quantity") == "compute acquired")["period"].to_list()
    span = max(found, key=len, default="")
    return span, span.partition("-")[2] or span


def _cells(both: Answered, find: Lookup, column: str, **keys: str) -> list[tuple[str, Cell]]:
    """What each world has of a number, least first; worlds without it are left out."""
    cells = [(world, find(f"{world}: {column}", **keys)) for world in both.worlds]
    return sorted(
        ((world, cell) for world, cell in cells if cell.value is not None), key=lambda one: one[1].value or 0.0
    )


def _missing(both: Answered, known: Sequence[tuple[str, Cell]]) -> str:
    """What to add where some worlds lack a number."""
    gone = [world for world in both.worlds if world not in {name for name, _ in known}]
    return f" (not known: {', '.join(gone)})" if gone else ""


def _alike(cells: Sequence[tuple[str, Cell]]) -> bool:
    """Whether numbers are nearly the same, or are once they are written."""
    (_, first), (_, last) = cells[0], cells[-1]
    gap = abs((last.value or 0.0) - (first.value or 0.0))
    return (
        gap <= NEARLY * max(abs(first.value or 0.0), abs(last.value or 0.0)) or level(first).words == level(last).words
    )


def compute(both: Answered, find: Lookup) -> Sentence:
    """Under which policy the adversary acquires least compute, and under which most."""
    span, _ = _periods(both)
    keys = {"quantity": "compute acquired", "where": "adversary", "period": span}
    known = _cells(both, find, "level", **keys)
    if not known:
        return sentence("How much compute the adversary acquires is not known for any of these policies")
    told: list[Part] = [*_against(find, known[0][0], keys, both.reference)]
    parts: list[Part] = [f"{years(span)} the adversary acquires "]
    if len(known) > 1 and _alike(known):
        return sentence(parts, "about as much under all of them: ", level(known[0][1]), told, _missing(both, known))
    parts += [f"least compute under {known[0][0]}: ", level(known[0][1]), *told]
    if len(known) > 1:
        most = known[-1]
        parts += [f"; most under {most[0]}: ", level(most[1]), *_against(find, most[0], keys, both.reference)]
    return sentence(parts, _missing(both, known))


def _against(find: Lookup, world: str, keys: dict[str, str], reference: str) -> list[Part]:
    moved, there = find(f"{world}: change", **keys), find("reference", **keys)
    share = ratio(moved, there)
    if share is None:
        return []
    if abs(moved.value or 0.0) <= NEARLY * abs(there.value or 0.0):
        return [f", as much as {under(reference)}"]
    return [
        ", ",
        share,
        f" {'less' if (moved.value or 0.0) < 0 else 'more'} than {under(reference)}",
        *_range(find, world, keys),
    ]


def _range(find: Lookup, world: str, keys: dict[str, str]) -> list[Part]:
    """The range of a change in its own unit."""
    low, high = (find(f"{world}: {end}", **keys) for end in ("low", "high"))
    if low.value is None or high.value is None:
        return []
    return [" (range of the change: ", level(low), " to ", level(high), ")"]


def come_back(both: Answered, find: Lookup) -> Sentence:
    """How much of what each policy closes off comes back by other routes."""
    span, _ = _periods(both)
    known = _cells(both, find, "change", quantity="leakage rate", where="adversary", period=span)
    if not known:
        return sentence("What share of the compute closed off comes back is not given for any of them")
    if len(known) == 1:
        return sentence(
            f"Under {known[0][0]}, ",
            level(known[0][1]),
            " of what is closed off at first comes back",
            _missing(both, known),
        )
    if _alike(known):
        return sentence(
            level(known[0][1]),
            " or so of what is closed off at first comes back under all of them",
            _missing(both, known),
        )
    (least, low), (most, high) = known[0], known[-1]
    return sentence(
        "Of what is closed off at first, ", level(low), f" comes back under {least} and ", level(high), f" under {most}",
        _missing(both, known),
    )  # fmt: skip


def capacity(both: Answered, find: Lookup) -> Sentence:
    """What each policy leaves of the adversary's capacity for advanced logic in the last year."""
    _, last = _periods(both)
    keys = {"quantity": "capacity, logic_advanced", "where": "adversary", "period": last}
    known = _cells(both, find, "level", **keys)
    if not known:
        return sentence("The adversary's capacity for advanced logic is not known for any of them")
    parts: list[Part] = [f"{years(last)} the adversary's capacity for advanced logic is "]
    if len(known) > 1 and _alike(known):
        return sentence(parts, level(known[0][1]), " of output a year under all of them", _missing(both, known))
    low, high = known[0], known[-1]
    parts += [f"{'least ' if len(known) > 1 else ''}under {low[0]}, with ", level(low[1]), " of output a year"]
    if len(known) > 1:
        parts += [f", and most under {high[0]}, with ", level(high[1])]
    there = find("reference", **keys)
    parts += ["; ", level(there), f" {under(both.reference)}"] if there.value is not None else []
    return sentence(parts, _missing(both, known))


def paid(both: Answered, find: Lookup) -> Sentence:
    """What each policy costs the US and their allies."""
    span, _ = _periods(both)
    parts: list[Part] = []
    gone = ""
    for who, name in (("US", "the United States"), ("US allies", "their allies")):
        known = _cells(both, find, "change", quantity="welfare, present value", where=who, period=span)
        if not known:
            continue
        gone = gone or _missing(both, known)
        parts += ["; " if parts else ""]
        (worst, low), (best, high) = known[0], known[-1]
        if len(known) == 1 or _alike(known):
            everywhere = f" under {worst}" if len(known) == 1 else " under all of them"
            parts += [f"{name} {_verb(low)} ", size(low), everywhere]
        else:
            parts += [
                f"{name} {_verb(high)} ",
                size(high),
                f" under {best} and {_verb(low)} ",
                size(low),
                f" under {worst}",
            ]
    if not parts:
        return sentence("What the policies cost the United States and their allies is not known")
    return sentence(parts, ", in present value", gone)


def _verb(cell: Cell) -> str:
    return "lose" if (cell.value or 0.0) < 0 else "gain"


def each(both: Answered, find: Lookup) -> Sentence:
    """What an H100e denied costs the US and their allies under each policy."""
    span, _ = _periods(both)
    known = _cells(both, find, "change", quantity="cost per unit denied", where="US and allies", period=span)
    if not known:
        return sentence("What an H100e denied costs is not given for any of them")
    told = joined([[level(cell), f" under {world}"] for world, cell in known])
    gain = ["; below nothing they gain"] if any((cell.value or 0.0) < 0 for _, cell in known) else []
    return sentence("To the United States and their allies denial costs ", told, gain, _missing(both, known))

"""Measures that end others: a new rule in the place of an old one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from backfill.errors import ContradictionError, UnknownChoiceError, UserError, did_you_mean
from backfill.policy.faults import path
from backfill.policy.policy import Placed, Policy


def acting(placed: Sequence[Placed]) -> list[Placed]:
    """Measures in the order in which they act, as far as others leave them in force."""
    return sorted(in_force(placed), key=lambda one: one.measure.stage)


def in_force(placed: Sequence[Placed]) -> list[Placed]:
    """Measures as others leave them: ended where one that supersedes them begins, left out if that is before they begin."""
    ends = superseded(placed)
    found = []
    for one in placed:
        by = ends.get(one.measure.name)
        if by is None:
            found.append(one)
            continue
        day, until = by.measure.begin, one.measure.until
        if not _begins_before(one, by) or day is None:
            continue
        ended = (
            {} if until is not None and until <= day else {"until": day, "until_announced": by.measure.announced or day}
        )
        found.append(dataclasses.replace(one, measure=one.measure.model_copy(update=ended)))
    return found


def superseded(placed: Sequence[Placed]) -> dict[str, Placed]:
    """The name of each measure that another ends, with that other; the first of several.

    A measure that has itself been ended by the day on which it would begin ends none.
    """
    ends: dict[str, Placed] = {}
    ending = [one for one in placed if one.measure.supersedes]
    for one in sorted(ending, key=lambda one: one.measure.begin or dt.date.min):
        by = ends.get(one.measure.name)
        if by is None or _begins_before(one, by):
            for name in one.measure.supersedes:
                ends.setdefault(name, one)
    return ends


def among_themselves(placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """Measures that supersede none but those given: the names of others are left out."""
    names = {one.measure.name for one in placed}
    return tuple(
        dataclasses.replace(one, measure=one.measure.model_copy(update={"supersedes": kept}))
        if (kept := tuple(name for name in one.measure.supersedes if name in names)) != one.measure.supersedes
        else one
        for one in placed
    )


def misplaced(policy: Policy) -> list[UserError]:
    """Names under ``supersedes`` of no measure, of the measure itself, and of measures that are over by then."""
    named = {one.measure.name: one for one in policy.placed if one.measure.name}
    wrong: list[UserError] = []
    for one in policy.placed:
        for number, name in enumerate(one.measure.supersedes):
            key, other = path(one.key, "supersedes", number), named.get(name)
            if other is None:
                told = "names no measure of this policy" + ("" if named else ", in which none has a name")
                remedy = f"{told}; {did_you_mean(name, named)}" if named else told
                wrong.append(UnknownChoiceError(one.file, key, name, remedy))
            elif other is one:
                wrong.append(ContradictionError(one.file, key, name, "is this measure itself; name another"))
            elif (
                (end := other.measure.until) is not None and one.measure.begin is not None and end <= one.measure.begin
            ):
                day = one.measure.begin.isoformat()
                remedy = f"ends on {end.isoformat()}, so that it is over when this one begins ({day}); leave it out"
                wrong.append(ContradictionError(one.file, key, name, remedy))
    return wrong


def _begins_before(one: Placed, by: Placed) -> bool:
    """Whether a measure is in force on any day before the other begins."""
    day = by.measure.begin
    return day is not None and (one.measure.begin is None or one.measure.begin < day)

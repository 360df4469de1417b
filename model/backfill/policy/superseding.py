"""Measures that end others: a new rule in the place of an old one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from backfill.dimensions import Period
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


def believed(one: Placed, by: Placed, periods: Sequence[Period]) -> bool:
    """Whether anybody in these periods planned for a measure without knowing of the one that supersedes it.

    Builders plan from period to period for what is known by then, buyers from the day on which what is to come is announced.
    """
    first, then = (max(day, periods[0].start) for day in (_known(one), _known(by)))
    if first >= then:
        return False
    ahead = one.measure.begin is not None and first < one.measure.begin
    return ahead or any(first < period.end <= then for period in periods)


def endings(policy: Policy, periods: Sequence[Period]) -> list[UserError]:
    """What each superseding measure of the policy's own file ends, and what of it was announced after that measure itself."""
    ends, named = superseded(policy.placed), {one.measure.name: one for one in policy.placed}
    found: list[UserError] = []
    for one in policy.placed:
        ended = [named[name] for name in one.measure.supersedes if name in named and ends.get(name) is one]
        if one.measure.included_from or not ended:
            continue
        remedy = _ending(one, ended, periods)
        found.append(UserError(one.file, path(one.key, "supersedes"), one.measure.name or one.measure.kind, remedy))
        for other in ended:
            if _known(other) > _known(one):
                key = path(one.key, "supersedes", one.measure.supersedes.index(other.measure.name))
                told = f"was announced on {_known(other).isoformat()}, later than {one.called}"
                told += "" if _known(one) == dt.date.min else f" ({_known(one).isoformat()})"
                found.append(UserError(one.file, key, other.measure.name, f"{told}, which ends it all the same"))
    return found


def _ending(one: Placed, ended: Sequence[Placed], periods: Sequence[Period]) -> str:
    begin, until = one.measure.begin, one.measure.until
    over = [other.called for other in ended if _begins_before(other, one)]
    never = [
        other.called + (f" (from {other.measure.begin.isoformat()})" if other.measure.begin else "")
        for other in ended
        if not _begins_before(other, one)
    ]
    told = [f"ends {' and '.join(over)} on {begin.isoformat()}"] if over and begin is not None else []
    comes = "comes" if len(never) == 1 else "come"
    told += [f"takes the place of {' and '.join(never)}, which never {comes} into force"] if never else []
    if until is not None and until < periods[-1].end:
        back = "they do" if len(ended) > 1 else "it does"
        told.append(f"{back} not come back when this one ends ({until.isoformat()})")
    return "; ".join(told)


def misplaced(policy: Policy) -> list[UserError]:
    """Names under ``supersedes`` of no measure, of the measure itself, and of measures that are over by then."""
    named = {one.measure.name: one for one in policy.placed if one.measure.name}
    ends = superseded(policy.placed)
    wrong: list[UserError] = []
    for one in policy.placed:
        for number, name in enumerate(one.measure.supersedes):
            key, other = path(one.key, "supersedes", number), named.get(name)
            if name in one.measure.supersedes[:number]:
                wrong.append(ContradictionError(one.file, key, name, "is named twice; leave one out"))
            elif other is None:
                told = "names no measure of this policy" + ("" if named else ", in which none has a name")
                remedy = f"{told}; {did_you_mean(name, named)}" if named else told
                wrong.append(UnknownChoiceError(one.file, key, name, remedy))
            elif other is one:
                wrong.append(ContradictionError(one.file, key, name, "is this measure itself; name another"))
            elif (over := _over_by_then(one, other, ends)) is not None:
                wrong.append(ContradictionError(one.file, key, name, f"{over}; leave it out"))
    return wrong


def _over_by_then(one: Placed, other: Placed, ends: Mapping[str, Placed]) -> str | None:
    """Why a measure is over before one that supersedes it begins, None if it is not."""
    measure, day, by = other.measure, one.measure.begin, ends.get(other.measure.name)
    if measure.withdrawn is not None and measure.withdrawn <= _known(one):
        return f"was withdrawn on {measure.withdrawn.isoformat()}, before it came into force"
    if day is None:
        return None
    if measure.until is not None and measure.until <= day:
        return f"ends on {measure.until.isoformat()}, so that it is over when this one begins ({day.isoformat()})"
    if by is None or by is one or one.measure.included_from or by.measure.begin is None or by.measure.begin >= day:
        return None
    begin = by.measure.begin.isoformat()
    return f"is ended by {by.called} on {begin}, so that it is over when this one begins ({day.isoformat()})"


def _known(one: Placed) -> dt.date:
    """The day on which a measure is made public."""
    return one.measure.announced or one.measure.begin or dt.date.min


def _begins_before(one: Placed, by: Placed) -> bool:
    """Whether a measure is in force on any day before the other begins."""
    day = by.measure.begin
    return day is not None and (one.measure.begin is None or one.measure.begin < day)

"""What suppliers know when: the policy as it stood on the way, one vintage after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import date

import numpy as np

from backfill.dimensions import Period
from backfill.policy.measure import Measure
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges

Vintages = Mapping[int, Wedges]
"""Wedges by the number of periods over when they become known; what the last holds is the policy that is carried out."""


def known(policy: Policy, after: int, periods: Sequence[Period]) -> Policy:
    """What is known of a policy when ``after`` periods are over.

    A measure is known from the period in which it is announced, or comes into force if that is not said. Builders expect
    it to last until the period in which its end is announced, or it ends if that is not said.
    """
    placed = []
    for one in policy.placed:
        if learned(one.measure, periods) > after:
            continue
        end = one.measure.until
        lasting = end is not None and _end_learned(one.measure, periods) > after
        measure = one.measure.model_copy(update={"until": None, "until_announced": None}) if lasting else one.measure
        placed.append(dataclasses.replace(one, measure=measure))
    return Policy(tuple(placed))


def news(policy: Policy, periods: Sequence[Period]) -> tuple[int, ...]:
    """Numbers of periods over when something becomes known: a measure, or the end of one; 0 always, later than the last never."""
    found = {0}
    for measure in policy.measures:
        found.add(learned(measure, periods))
        if measure.until is not None:
            found.add(_end_learned(measure, periods))
    return tuple(sorted(n for n in found if n < len(periods)))


Path = tuple[tuple[int, str, bytes], ...]
"""What was known, and how much of each period it was known in, whenever something became known."""


def vintages(
    policy: Policy,
    periods: Sequence[Period],
    compiled: Callable[[Policy], Wedges],
    made: MutableMapping[Path, Wedges] | None = None,
) -> Vintages:
    """A policy as it stood whenever something about it became known.

    Args:
        policy: all of it.
        periods: periods of the model.
        compiled: makes wedges of a policy.
        made: those made for other policies, which share what was known before they part; added to.
    """
    found: dict[int, Wedges] = {}
    before: Wedges | None = None
    made, path = {} if made is None else made, ()
    for after in news(policy, periods):
        path = (
            *path,
            (after, repr(known(policy, after, periods).measures), foreseen(policy, after, periods).tobytes()),
        )
        if path not in made:
            wedges = vintage(policy, after, periods, compiled)
            made[path] = wedges if before is None else continuing(before, wedges, after)
        before = found[after] = made[path]
    return found


def vintage(policy: Policy, after: int, periods: Sequence[Period], compiled: Callable[[Policy], Wedges]) -> Wedges:
    """A policy as it stood when ``after`` periods were over."""
    return dataclasses.replace(compiled(known(policy, after, periods)), foreseen=foreseen(policy, after, periods))


def at(policy: Vintages, after: int) -> Wedges:
    """The vintage that is current when ``after`` periods are over."""
    return policy[max(n for n in policy if n <= after)]


def last(policy: Vintages) -> Wedges:
    """The policy that is carried out."""
    return policy[max(policy)]


def learned(measure: Measure, periods: Sequence[Period]) -> int:
    """Number of periods that are over when a measure becomes known."""
    day = measure.announced or measure.begin
    return 0 if day is None else _over(day, periods)


def _end_learned(measure: Measure, periods: Sequence[Period]) -> int:
    day = measure.until_announced or measure.until
    return 0 if day is None else _over(day, periods)


def foreseen(policy: Policy, after: int, periods: Sequence[Period]) -> np.ndarray:
    """Share of each period in which buyers know what is to come in later ones, once ``after`` periods are over.

    In the first period after the news that is what is left of it when the first measure is announced that does not come into
    force at once; all of it where older announcements have yet to come true.
    """
    share = np.ones(len(periods))
    now = periods[after]
    days = [
        max(measure.announced or measure.begin, now.start)
        for measure in policy.measures
        if measure.begin is not None and learned(measure, periods) <= after and measure.begin > now.start
        and (measure.announced or measure.begin) < measure.begin
    ]  # fmt: skip
    share[after] = max(((now.end - day) / (now.end - now.start) for day in days), default=0.0)
    return share


def _over(day: date, periods: Sequence[Period]) -> int:
    """Periods that end on ``day`` or before."""
    return sum(period.end <= day for period in periods)


def continuing(earlier: Wedges, later: Wedges, after: int) -> Wedges:
    """``later`` with the first periods of ``earlier``, from which it differs there by rounding only."""
    arrays = {}
    for field in dataclasses.fields(Wedges):
        value = getattr(later, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = np.concatenate([getattr(earlier, field.name)[:after], value[after:]])
    return dataclasses.replace(later, **arrays)

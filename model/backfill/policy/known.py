"""What was known of a policy on a day: measures made public by then, ends made public by then."""

from __future__ import annotations

import dataclasses
import datetime as dt

from backfill.policy.policy import Placed, Policy
from backfill.policy.superseding import among_themselves


def known_on(policy: Policy, day: dt.date | None) -> tuple[Policy, tuple[Placed, ...]]:
    """A policy as it stood on a day, and the measures of it that did not count then.

    A measure counts if it had been announced (had begun, if that is not said) and not yet been withdrawn. It ends on the
    day that had been made public by then; if none had, it lasts. One not yet announced ends no other.

    Args:
        policy: all of it.
        day: the day; None takes everything as it came about, in which what was withdrawn beforehand never counts.
    """
    counting, out = [], []
    for placed in policy.placed:
        measure = placed.measure
        begun = measure.announced or measure.begin
        withdrawn = measure.withdrawn is not None and (day is None or measure.withdrawn <= day)
        if withdrawn or (day is not None and begun is not None and begun > day):
            out.append(placed)
            continue
        ended = measure.until_announced or measure.until
        if day is not None and ended is not None and ended > day:
            measure = measure.model_copy(update={"until": None, "until_announced": None})
        counting.append(dataclasses.replace(placed, measure=measure))
    return Policy(tuple(counting) if day is None else among_themselves(counting)), tuple(out)

"""Parameters that an experiment sets, against the benchmark's priors."""

from __future__ import annotations

import math
from collections.abc import Mapping

from backfill.errors import OutOfRangeError, UnknownParameterError, UserError, did_you_mean
from backfill.policy.benchmark import BUILT_IN, priors
from backfill.policy.faults import path
from backfill.policy.library import PolicyFile


def without_priors(file: PolicyFile) -> list[UserError]:
    """Settings that mean nothing beside a user's own economy."""
    wrong: list[UserError] = []
    if file.raw.get("parameters"):
        remedy = "are the benchmark's; leave them out beside [economy]"
        wrong.append(UnknownParameterError(file.label, "parameters", None, remedy))
    run = file.raw.get("run")
    if isinstance(run, Mapping) and run.get("ranges") is True:
        remedy = "come from the benchmark's priors; leave it out"
        wrong.append(UnknownParameterError(file.label, "run.ranges", True, remedy))
    return wrong


def against_priors(file: PolicyFile) -> list[UserError]:
    """Parameters without a prior or outside its range; what is not a finite number is reported by its type."""
    parameters = file.raw.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        return []
    wrong: list[UserError] = []
    known = {name: ends for name, ends in priors().items() if name not in BUILT_IN}
    for name, value in parameters.items():
        key = path("parameters", name)
        if name in BUILT_IN:
            remedy = "is built into the benchmark; change it in data/sources and build that anew"
            wrong.append(UnknownParameterError(file.label, key, value, remedy))
            continue
        if name not in known:
            remedy = did_you_mean(name, known, see="`backfill data names` lists all")
            wrong.append(UnknownParameterError(file.label, key, value, remedy))
            continue
        low, high = known[name]
        number = type(value) in (int, float) and math.isfinite(value)
        if number and low < high and not low <= value <= high:
            remedy = f"is outside its prior's range, {low:g} to {high:g}"
            wrong.append(OutOfRangeError(file.label, key, value, remedy))
    return wrong

"""Parameters that an experiment sets, against the benchmark's priors."""

from __future__ import annotations

import math
from collections.abc import Mapping

from backfill.economy.priors import FIXED, GAMES, load_priors
from backfill.errors import OutOfRangeError, UnknownParameterError, UserError, did_you_mean
from backfill.policy.faults import path
from backfill.policy.library import PolicyFile


def without_priors(file: PolicyFile) -> list[UserError]:
    """Settings that mean nothing beside a user's own economy."""
    wrong: list[UserError] = []
    if file.raw.get("parameters"):
        remedy = "are the benchmark's; leave them out beside [economy]"
        wrong.append(UnknownParameterError(file.label, "parameters", None, remedy))
    if file.raw.get("structure"):
        remedy = "switches what the benchmark assumes; leave it out beside [economy]"
        wrong.append(UnknownParameterError(file.label, "structure", None, remedy))
    run = file.raw.get("run")
    if isinstance(run, Mapping) and run.get("ranges") is True:
        remedy = "come from the benchmark's priors; leave it out"
        wrong.append(UnknownParameterError(file.label, "run.ranges", True, remedy))
    return wrong


def against_priors(file: PolicyFile) -> list[UserError]:
    """Parameters without a prior or beyond it; what is not a finite number is reported by its type."""
    parameters = file.raw.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        return []
    wrong: list[UserError] = []
    every = load_priors()
    known = {name: prior for name, prior in every.items() if prior.acts_on != GAMES}
    structure = file.raw.get("structure")
    counted = structure.get("quality", "mixed") if isinstance(structure, Mapping) else "mixed"
    if "quality_theta" in parameters and counted != "mixed":
        remedy = f'structure.quality = "{counted}" sets it already; leave one out'
        wrong.append(OutOfRangeError(file.label, path("parameters", "quality_theta"), parameters["quality_theta"], remedy))
    for name, value in parameters.items():
        key = path("parameters", name)
        if name not in known:
            remedy = FIXED if name in every else did_you_mean(name, known, see="`backfill data priors` lists all")
            wrong.append(UnknownParameterError(file.label, key, value, remedy))
        elif type(value) in (int, float) and math.isfinite(value):
            low, high = known[name].ends
            if not low <= value <= high:
                remedy = f"is beyond its prior, {low:.3g} to {high:.3g} (1% and 99% points)"
                wrong.append(OutOfRangeError(file.label, key, value, remedy))
    return wrong

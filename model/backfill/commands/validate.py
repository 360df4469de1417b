"""``backfill validate``: everything wrong with an experiment and with what it is compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

from backfill.errors import Faults, SelfReferenceError, UserError
from backfill.experiments.config import NO_CONTROLS, SAME, Experiment, load_experiment
from backfill.experiments.sweep.checks import clashing_ends
from backfill.policy.faults import path
from backfill.policy.inert import cut_short, idle_names
from backfill.policy.library import find, read
from backfill.policy.policy import Placed
from backfill.policy.superseding import endings


def check(file_or_name: str, reference: str | None = None) -> tuple[Experiment, Experiment]:
    """The experiment and its reference, both checked.

    Args:
        file_or_name: an experiment file, or the name of a shipped one.
        reference: what to compare with; the experiment's own if None. A path is taken from the working directory,
            a name is looked for beside the experiment.

    Raises:
        Faults: everything wrong with the two.
    """
    wrong: list[UserError] = []
    experiment = base = None
    try:
        experiment = load_experiment(file_or_name)
    except UserError as error:
        wrong.append(error)
    place = find(file_or_name) if experiment is None else experiment.file
    beside = None if place is None or (reference is not None and Path(reference).is_file()) else place.parent
    named = reference or (experiment.reference if experiment is not None else _reference_in(place))
    # A reference that does not exist is told by the file that names it, and one over other regions cannot be read alone.
    known = reference is not None or (named is not None and find(named, beside) is not None)
    if named is not None and known and (experiment is not None or not _mapped(place)):
        try:
            base = load_experiment(named, beside=beside, compared_with=experiment, inert_allowed=True)
        except UserError as error:
            wrong.append(error)
    if experiment is not None and base is not None and reference is not None and _same(experiment, base):
        wrong.append(SelfReferenceError("backfill run", "--reference", reference, SAME))
    if wrong or experiment is None or base is None:
        raise Faults(wrong)
    return experiment, base


def verdict(experiment: Experiment, base: Experiment) -> str:
    """What a sound file is, in a word or two."""
    if experiment.policy.placed:
        return "ok"
    if experiment.withdrawn:
        last = max(day for placed in experiment.withdrawn if (day := placed.measure.withdrawn)) - dt.timedelta(days=1)
        return f"ok: withdrawn before it came into force; `backfill run --as-of {last.isoformat()}` takes it as it was known"
    told = "no measures, so it can stand as a reference"
    return f"ok: {told}" if not base.policy.placed else f"ok: {told}, or show what lifting {base.name} would do"


def notes(experiment: Experiment) -> list[str]:
    """What is no mistake but may not be meant, a line each: what is ended, names that change nothing, odd sizes."""
    policy, names, grid = experiment.policy, experiment.vocabulary(), experiment.periods
    exists, facts = experiment.flow_exists(), experiment.facts()
    short = cut_short(policy, names, grid, flow_exists=exists, facts=facts)
    found = idle_names(policy, names, grid, flow_exists=exists, facts=facts)
    odd = [size for one in policy.placed if not one.measure.included_from for size in _odd_sizes(one)]
    told = [*endings(policy, grid), *(one.error() for one in (*short, *found)), *odd]
    if experiment.sweep is not None:
        file = str(experiment.file or experiment.name)
        told += clashing_ends(experiment.sweep, policy, file, names, grid, exists, facts)
    return [f"note: {one}" for one in told]


def _odd_sizes(placed: Placed) -> Iterator[UserError]:
    """Sizes of a measure that are likely meant in another unit."""
    measure = placed.measure
    rate = getattr(measure, "rate", None)
    if isinstance(rate, float) and rate >= 2:
        yield UserError(placed.file, path(placed.key, "rate"), rate, f"is {rate:.0%} of the price; write 0.05 for 5%")
    cap = getattr(measure, "authority_cap", None)
    if isinstance(rate, float) and isinstance(cap, float) and cap < rate:
        yield UserError(placed.file, path(placed.key, "authority_cap"), cap, f"is below the rate, {rate:g}: {cap:g} is collected")
    share = getattr(measure, "share", None)
    if isinstance(share, float) and share >= 2:
        yield UserError(placed.file, path(placed.key, "share"), share, f"is {share:.0%}; write 0.05 for 5%")
    licence = getattr(measure, "licence", None)
    unit = getattr(measure if licence is None else licence, "unit", None)
    for key in ("licence.cap", "cap", "quota", "quantity"):
        quantity = getattr(licence if key == "licence.cap" else measure, key.rpartition(".")[2], None)
        if unit == "USD" and isinstance(quantity, float) and 0 < quantity < 1e6:
            remedy = f'is {quantity * 1e-6:g} million USD; write unit = "million USD" if millions are meant'
            yield UserError(placed.file, path(placed.key, *key.split(".")), quantity, remedy)


def _same(experiment: Experiment, base: Experiment) -> bool:
    if not experiment.policy.placed or experiment.file is None or base.file is None:
        return False
    return experiment.file.resolve() == base.file.resolve()


def _reference_in(place: Path | None) -> str | None:
    """The reference that a file which is at fault names, if it can be read at all."""
    raw = _raw(place)
    named = raw.get("reference", NO_CONTROLS) if raw is not None else None
    return named if isinstance(named, str) else None


def _mapped(place: Path | None) -> bool:
    raw = _raw(place) or {}
    return bool(raw.get("regions") or raw.get("economy"))


def _raw(place: Path | None) -> Mapping[str, object] | None:
    if place is None:
        return None
    try:
        return read(place).raw
    except UserError:
        return None

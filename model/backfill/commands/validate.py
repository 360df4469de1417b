"""``backfill validate``: everything wrong with an experiment and with what it is compared with."""

from __future__ import annotations

from pathlib import Path

from backfill.errors import Faults, UserError
from backfill.experiments.config import Experiment, load_experiment


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
    named = reference if reference is not None else experiment.reference if experiment is not None else None
    if named is not None:
        beside = experiment.file.parent if experiment is not None and experiment.file is not None else None
        typed_here = reference is not None and Path(reference).is_file()
        try:
            names = None if experiment is None or experiment.mapping is None else experiment.vocabulary()
            base = load_experiment(named, beside=None if typed_here else beside, vocabulary=names, inert_allowed=True)
        except UserError as error:
            wrong.append(error)
    if experiment is None or base is None:
        raise Faults(wrong)
    return experiment, base

"""What the worlds of an experiment share: its economy and names, and how policies become worlds there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backfill.dimensions import Vocabulary
from backfill.economy.priors import priors_of
from backfill.errors import UnsolvedError
from backfill.experiments.structure import StructureTable
from backfill.experiments.vintages import Vintages, vintages
from backfill.experiments.worlds import Batch
from backfill.kept import kept, source
from backfill.policy.board import FlowExists
from backfill.policy.facts import Facts
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges

if TYPE_CHECKING:
    from backfill.economy.economy import Economy
    from backfill.experiments.config import Experiment
    from backfill.world import World

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Setting:
    """Where policies are compared; set up once, whatever the number of worlds.

    Attributes:
        economy: calibrated.
        vocabulary: its names.
        foresight: what builders expect.
        flow_exists, facts: what measures ask of the benchmark.
        parameters: values of parameters that act on measures, by name (see `backfill.policy.odds`).
        structure: switches of structure, of which one acts on measures.
        identity: tells the economy from others; empty where that is not known, or it is of no use to keep what is made of it.
    """

    economy: Economy
    vocabulary: Vocabulary
    foresight: str
    flow_exists: FlowExists
    facts: Facts | None
    parameters: Mapping[str, float] = field(default_factory=dict)
    structure: StructureTable = field(default_factory=StructureTable)
    identity: tuple = ()

    @classmethod
    def of(cls, experiment: Experiment, progress: Progress | None = None, *, keep: bool = True) -> Setting:
        """The experiment's economy over its regions and horizon, with its parameters.

        Args:
            experiment: the experiment.
            progress: called with a message and the share done.
            keep: whether the economy, and what many experiments need of it, is kept for another time, where anything is.

        Raises:
            UnsolvedError: the benchmark cannot be calibrated with them.
        """
        economy, vocabulary, identity = _economy(experiment, progress, keep)
        return cls(economy, vocabulary, experiment.foresight, experiment.flow_exists(), experiment.facts(), experiment.parameters,
                   experiment.structure, identity)  # fmt: skip

    @property
    def grades(self) -> dict[str, tuple[float, str, str]]:
        """Value, grade and source of every parameter, those that are set as set."""
        given = {name: (float(value), "assumed", "set in the experiment file") for name, value in self.parameters.items()}
        return {**self.economy.grades, **given}

    def understood(self, policy: Policy) -> Policy:
        """A policy with the shares in its measures as structure and parameters say."""
        from backfill.policy.odds import with_odds

        return with_odds(self.structure.policy(policy), self.parameters, self.vocabulary)

    def compiled(self, policy: Policy, *, strict: bool = False) -> Wedges:
        """Wedges of a policy; if strict, measures that change nothing are faults."""
        from backfill.policy.compile import compile_policy

        return compile_policy(
            self.understood(policy),
            self.vocabulary,
            self.economy.periods,
            flow_exists=self.flow_exists,
            facts=self.facts,
            inert_allowed=not strict,
        )

    def vintages(self, policy: Policy) -> Vintages:
        """A policy as it stood whenever something became known; only as it is carried out if builders look no further."""
        surprised = self.foresight == "perfect"
        return vintages(policy, self.economy.periods, self.compiled) if surprised else {0: self.compiled(policy)}

    def solved(self, needed: Batch, progress: Progress | None = None, shared: Batch | None = None) -> dict[str, World]:
        """The worlds of a batch that have a name.

        Args:
            needed: the batch.
            progress: called with a message and the share done.
            shared: worlds that other experiments need too, solved first (see `shared.coupled`).
        """
        from backfill.experiments.shared import coupled
        from backfill.supply.foresight import foresight_named
        from backfill.threads import single_threaded_algebra
        from backfill.world import worlds_of

        places = sorted(set(needed.position.values()))
        foresight = foresight_named(self.foresight, self.economy.periods[0].years)
        told = progress and (lambda share: progress("worlds", share))
        with single_threaded_algebra():
            solved = coupled(self.economy, needed, foresight, shared, self.identity, told)
            found = worlds_of(solved, places)
        return {name: found[places.index(place)] for name, place in needed.position.items()}


def _economy(experiment: Experiment, progress: Progress | None, keep: bool) -> tuple[Economy, Vocabulary, tuple]:
    """The shipped benchmark over the experiment's regions and horizon, with its parameters, or the user's own economy.

    And what tells it from others, where it is kept.
    """
    from backfill.reference import economy

    horizon = experiment.horizon
    if experiment.own is not None:
        own = experiment.own
        return own.economy(horizon.first_year, horizon.last_year, horizon.per_year), own.vocabulary(), ()
    tables = experiment.tables()
    vocabulary = tables.vocabulary()
    priors = priors_of(tables)
    set_ = experiment.parameters.items()
    given = {name: value for name, value in set_ if name not in priors or priors[name].acts_on == "model"}

    closure = experiment.structure.closure

    def calibrated() -> Economy:
        return economy(
            tables,
            vocabulary,
            first_year=horizon.first_year,
            last_year=horizon.last_year,
            per_year=horizon.per_year,
            overrides=given,
            closure=closure,
            progress=progress,
        )

    try:
        if not keep:
            return calibrated(), vocabulary, ()
        identity = (tables.digest(), horizon, tuple(sorted(given.items())), closure)
        return kept(calibrated, source(), *identity), vocabulary, identity
    except ValueError as error:
        raise UnsolvedError(f"the benchmark cannot be calibrated for this experiment: {error}") from error

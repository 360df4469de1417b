"""The worlds that a package stands for: its policy, and those with which effects compare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backfill.dimensions import Vocabulary
from backfill.effects.kinds import DOWNSTREAM, PEACEFUL, POLICY, aside
from backfill.experiments.setting import Setting
from backfill.experiments.vintages import Vintages, learned
from backfill.experiments.worlds import downstream
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.secondary_tariff import SecondaryTariff
from backfill.policy.policy import Placed, Policy


@dataclass(frozen=True)
class Sides:
    """Which worlds are needed, and what policy each has.

    Attributes:
        reference: the reference, whenever something about it became known.
        names: of the worlds, the policy's first.
        allies: regions whose alternative is not to align.
    """

    reference: Vintages
    names: tuple[str, ...]
    allies: tuple[str, ...]

    @classmethod
    def of(cls, reference: Vintages, beside: Sequence[Sequence[str]], allies: Sequence[str]) -> Sides:
        """The worlds that effects need besides policy and reference, each once."""
        names = dict.fromkeys((POLICY, *(name for one in beside for name in one)))
        return cls(reference, tuple(names), tuple(dict.fromkeys(allies)))

    def worlds(self, policy: Policy, setting: Setting) -> dict[str, Vintages]:
        """Every world's policy as it becomes known; those that act alike are solved once."""
        policies = self._policies(policy, setting.vocabulary)
        found = {name: setting.vintages(policies[name]) for name in self.names if name != DOWNSTREAM}
        if DOWNSTREAM in self.names:
            found[DOWNSTREAM] = downstream(found[POLICY], self.reference, setting.vocabulary)
        return {name: found[name] for name in self.names}

    def _policies(self, policy: Policy, vocabulary: Vocabulary) -> Mapping[str, Policy]:
        found = {POLICY: policy, PEACEFUL: unthreatened(policy)}
        for ally in self.allies:
            alone = unaligned(policy, ally, vocabulary)
            found |= {aside(ally): alone, aside(ally, PEACEFUL): unthreatened(alone)}
        return found


def aligning(policy: Policy, region: str, vocabulary: Vocabulary) -> list[Alignment]:
    """Measures by which a region aligns."""
    every = [one.measure for one in policy.placed]
    return [one for one in every if isinstance(one, Alignment) and region in _expanded(one, vocabulary)]


def aligned_from(policy: Policy, region: str, setting: Setting) -> int:
    """The period in which the first of them becomes known."""
    periods = setting.economy.periods
    return min(learned(one, periods) for one in aligning(policy, region, setting.vocabulary))


def unaligned(policy: Policy, region: str, vocabulary: Vocabulary) -> Policy:
    """The policy with a region out of every alignment, the others staying in."""
    placed: list[Placed] = []
    for one in policy.placed:
        measure = one.measure
        if isinstance(measure, Alignment) and region in _expanded(measure, vocabulary):
            others = tuple(code for code in _expanded(measure, vocabulary) if code != region)
            if others:
                placed.append(replace(one, measure=measure.model_copy(update={"region": others})))
        else:
            placed.append(one)
    return Policy(tuple(placed))


def unthreatened(policy: Policy) -> Policy:
    """The policy without duties on those who do not align."""
    return Policy(tuple(one for one in policy.placed if not isinstance(one.measure, SecondaryTariff)))


def _expanded(measure: Alignment, vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for name in measure.region for code in vocabulary.expand_regions(name)))

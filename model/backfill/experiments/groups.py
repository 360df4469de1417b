"""Measures that set a policy apart from its reference, in groups whose effects are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from backfill.dimensions import Vocabulary
from backfill.policy.library import CHAINED
from backfill.policy.policy import Placed, Policy
from backfill.policy.principles import IN_FORCE, PRINCIPLES, principle

CURRENT_POLICY = "current-policy"
"""The shipped experiment that stands as a second reference beside whatever builds on it."""

By = Literal["principle", "kind", "measure"]
LIFTED = "without "
"""Before the name of a measure of the reference that the policy does not have."""


@dataclass(frozen=True)
class Group:
    """Measures that come, or go, together.

    Attributes:
        name: what the group is called.
        added: measures of the policy that the reference does not have.
        lifted: measures of the reference that the policy does not have.
    """

    name: str
    added: tuple[Placed, ...] = ()
    lifted: tuple[Placed, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Its measures as people know them."""
        return tuple(placed.label for placed in self.added) + tuple(f"{LIFTED}{p.label}" for p in self.lifted)


@dataclass(frozen=True)
class Difference:
    """A policy as what it changes of a reference.

    Attributes:
        shared: measures that both have.
        groups: what differs, no measure in two groups.
    """

    shared: tuple[Placed, ...]
    groups: tuple[Group, ...]

    def policy(self, chosen: Iterable[int]) -> Policy:
        """The policy where only the groups chosen, by their places, are as in the policy; the others as in the reference."""
        taken = set(chosen)
        placed = list(self.shared)
        for place, group in enumerate(self.groups):
            placed += group.added if place in taken else group.lifted
        return Policy(tuple(placed))


def difference(policy: Policy, reference: Policy, reference_name: str, by: By, vocabulary: Vocabulary) -> Difference:
    """What sets a policy apart from its reference, in groups.

    Measures that both have, whatever they are called, are shared. By principle, what was included through `CURRENT_POLICY`
    is in force, whatever its kind: a principle's group is what the policy adds to it.

    Args:
        policy: the measures.
        reference: what it is compared with.
        reference_name: its name.
        by: how measures are grouped.
        vocabulary: products by group.
    """
    before = Counter(_mark(placed) for placed in reference.placed)
    shared, added = _apart(policy, before)
    after = Counter(_mark(placed) for placed in policy.placed)
    _, lifted = _apart(reference, after)

    def name_of(placed: Placed, *, of_reference: bool) -> str:
        measure = placed.measure
        if by == "measure":
            return f"{LIFTED}{placed.label}" if of_reference else placed.label
        if by == "kind":
            return measure.kind
        current = of_reference and reference_name == CURRENT_POLICY
        if current or CURRENT_POLICY in measure.included_from.split(CHAINED):
            return IN_FORCE
        return principle(measure, vocabulary)

    comes = [(name_of(placed, of_reference=False), placed) for placed in added]
    goes = [(name_of(placed, of_reference=True), placed) for placed in lifted]
    names = dict.fromkeys(name for name, _ in [*comes, *goes])
    ordered = [name for name in PRINCIPLES if name in names] if by == "principle" else list(names)
    groups = tuple(
        Group(name, tuple(p for n, p in comes if n == name), tuple(p for n, p in goes if n == name)) for name in ordered
    )
    return Difference(tuple(shared), groups)


def _apart(policy: Policy, other: Counter[str]) -> tuple[list[Placed], list[Placed]]:
    """Measures that the other has as well, and the rest."""
    left, same, own = other.copy(), [], []
    for placed in policy.placed:
        mark = _mark(placed)
        (same if left[mark] > 0 else own).append(placed)
        left[mark] -= 1
    return same, own


def _mark(placed: Placed) -> str:
    """What a measure does and when, without what it is called."""
    return repr(sorted(placed.measure.model_dump(exclude={"name", "source", "included_from", "due"}).items()))

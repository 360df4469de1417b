"""What its own past makes of a world: makers learn by making and from what they buy abroad, owners stay with their machines.

Everything here is external to who decides and known when a period begins, so that a plan stays convex (section 7).

Experience, wherever capacity is planned, counts units made at home, and less those bought abroad, whose makers teach by selling:

    E_t = E_0 + sum_{s<t} (made_s + theta kappa_s imported_s),        A_t = (E_t / E^0_t)^b,    b = -log2(1 - learning)

with ``E^0`` the reference's, ``kappa`` the share of foreign knowledge that a policy lets through, and ``A`` productivity over
what it would be. A ban on what is bought abroad teaches by making and cuts what is learned by buying.

Owners of a designer's accelerators save the share ``lambda`` of the price when they buy from it again, if a package came with
those they have:

    saved_t = sum_{s<t} lambda_s exp(-(t-s)/L) bought_s / sum_{s<t} exp(-(t-s)/L) all_s

where the fleet of the first period is ``L`` years of what is bought in it. A share bought today raises tomorrow's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backfill.economy.economy import Economy, Learning
from backfill.policy.wedges import Wedges
from backfill.supply.nodes import Array


class Record(NamedTuple):
    """What has been made and bought; reference values where a period is not solved yet.

    Attributes:
        made, imported: ``[period, product, region]`` units made, and bought abroad.
        delivered: ``[period, maker, destination]`` accelerators, thousand H100e.
    """

    made: Array
    imported: Array
    delivered: Array


class Carried(NamedTuple):
    """What the past brings into a period.

    Attributes:
        skill: ``[period, product, region]`` log of productivity over what it would be.
        saved: ``[period, maker, destination]`` share of an accelerator's price saved.
    """

    skill: Array
    saved: Array

    def towards(self, other: Carried, share: float) -> Carried:
        """A share of the way to another."""
        return Carried(*((1 - share) * mine + share * its for mine, its in zip(self, other, strict=True)))


class Past:
    """How one world's past acts on it.

    Args:
        economy: the calibrated economy.
        wedges: the policy: the knowledge it lets through, and what its packages save.
    """

    def __init__(self, economy: Economy, wedges: Wedges) -> None:
        shape, vocabulary = economy.structure, economy.structure.vocabulary
        makers = [(vocabulary.products.index(product), shape.region(region)) for product, region in shape.makers]
        lines, self.origin = np.array(makers, int).reshape(-1, 2).T
        self.learning = economy.learning
        rows = [vocabulary.products.index(product) for product in shape.products]
        self.knowledge = wedges.knowledge[:, rows]
        self.lock_in = wedges.lock_in[:, lines, self.origin]
        self.length = np.array([period.years for period in economy.periods])
        self.none = Carried(np.zeros(self.knowledge.shape), np.zeros(self.lock_in.shape))
        made, imported = (np.zeros(self.knowledge.shape),) * 2 if self.learning is None else self.learning[:2]
        self.start = Record(np.asarray(made), np.asarray(imported), np.zeros(self.lock_in.shape))
        self.learns = self.learning is not None and float(self.learning.rate) > 0
        self.locks_in = bool(self.lock_in.any())

    def __bool__(self) -> bool:
        return self.learns or self.locks_in

    def carried(self, record: Record) -> Carried:
        """What a record brings into every period."""
        skill = self._skill(record) if self.learns else self.none.skill
        return Carried(skill, self._saved(record.delivered) if self.locks_in else self.none.saved)

    def apart(self, one: Carried, other: Carried, record: Record) -> Array:
        """How far two are from each other by period, as shares of world prices: by each region's share of what is made of a good,
        and of each line's price.
        """
        world = record.made.sum(2, keepdims=True)
        weight = np.divide(record.made, world, out=np.zeros(record.made.shape), where=world > 0)
        skill = (weight * np.abs(one.skill - other.skill)).max((1, 2), initial=0.0)
        return np.maximum(skill, np.abs(one.saved - other.saved).max((1, 2), initial=0.0))

    def pace(self, record: Record) -> Array:
        """``b / E_t``, what a unit made earlier adds to the log of productivity, ``[period, product, region]``."""
        if self.learning is None or not self.learns:
            return np.zeros(self.knowledge.shape)
        own = experience(self.learning, record.made, record.imported, self.knowledge)
        return np.divide(float(self.learning.rate), own, out=np.zeros(own.shape), where=own > 0)

    def _skill(self, record: Record) -> Array:
        learning = self.learning
        assert learning is not None
        own = experience(learning, record.made, record.imported, self.knowledge)
        reference = experience(learning, learning.made, learning.imported, np.ones(self.knowledge.shape))
        known = reference > 0
        ratio = np.divide(own, reference, out=np.ones(own.shape), where=known)
        return float(learning.rate) * np.log(np.where(ratio > 0, ratio, 1.0))

    def _saved(self, delivered: Array) -> Array:
        learning = self.learning
        assert learning is not None
        life = float(learning.fleet_life)
        same = (self.origin[:, None] == self.origin).astype(float)
        earned = np.einsum("mn,tnj->tmj", same, self.lock_in * delivered)
        everything = delivered.sum(1, keepdims=True)
        kept = np.exp(-self.length / life)
        saved, mine, fleet = np.zeros(delivered.shape), 0.0, life / self.length[0] * everything[0]
        for t in range(len(delivered)):
            saved[t] = np.divide(mine, fleet, out=np.zeros(delivered.shape[1:]), where=fleet > 0)
            mine, fleet = (mine + earned[t]) * kept[t], (fleet + everything[t]) * kept[t]
        return saved


def experience(learning: Learning, made: Array, imported: Array, knowledge: Array) -> Array:
    """``E``, units made and their equals, ``[period, product, region]``; ``knowledge`` is the share let through."""
    gained = made + float(learning.abroad) * knowledge * imported
    before = np.zeros((1, *gained.shape[1:]))
    return np.asarray(learning.before) + np.concatenate([before, np.cumsum(gained, axis=0)[:-1]])

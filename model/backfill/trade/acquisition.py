"""How users acquire compute: a logit nest that conserves volume (section 4, "Physical nests").

Real prices ``v = P / P_services``. In a nest with slope ``eta`` and branch weights ``b``

    Pi = -(1/eta) ln sum_r b_r exp(-eta v_r),      s_r = b_r exp(-eta v_r) / sum,

volumes add up, and ``Pi X = sum v_r x_r + z`` defines the cost ``z`` of adapting, bought as services.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.economy.economy import CLOUD, Accelerators, Structure
from backfill.trade.logs import log

CLOSED = 690.0
"""Log of how much worse a branch without open children is than one of weight one at no price."""


class Tree(NamedTuple):
    """The nest's shape: for each level the one-hot ``[child, parent]`` matrix, leaves first."""

    tier: np.ndarray
    family: np.ndarray
    ownership: np.ndarray
    user: np.ndarray
    tier_names: tuple[tuple[int, str, str, int], ...]
    family_names: tuple[tuple[int, str, str], ...]
    ownership_names: tuple[tuple[int, str], ...]


def _one_hot(parents: list[int], count: int) -> np.ndarray:
    matrix = np.zeros((len(parents), count))
    matrix[np.arange(len(parents)), parents] = 1.0
    return matrix


@lru_cache(maxsize=16)
def tree(structure: Structure) -> Tree:
    """Branches in order of first appearance among the leaves: (user, owned or remote, family, maker)."""
    leaf_tier = [
        (leaf.user, "remote" if leaf.channel == CLOUD else "owned", structure.families[leaf.maker], leaf.maker)
        for leaf in structure.leaves
    ]
    tiers = tuple(dict.fromkeys(leaf_tier))
    families = tuple(dict.fromkeys(t[:3] for t in tiers))
    ownerships = tuple(dict.fromkeys(f[:2] for f in families))
    return Tree(
        tier=_one_hot([tiers.index(t) for t in leaf_tier], len(tiers)),
        family=_one_hot([families.index(t[:3]) for t in tiers], len(families)),
        ownership=_one_hot([ownerships.index(f[:2]) for f in families], len(ownerships)),
        user=_one_hot([o[0] for o in ownerships], len(structure.regions)),
        tier_names=tiers,
        family_names=families,
        ownership_names=ownerships,
    )


def branch(
    value: Float[Array, "class child"],
    weight: Float[Array, " child"],
    slope: Float[Array, " parent"],
    parents: Float[np.ndarray, "child parent"],
    open_: Float[Array, "class child"] | float = 1.0,
) -> tuple[Array, Array]:
    """One level up: composite value of each parent and the share of each child in its parent.

    Sums are taken relative to the best child, so that no price is too high for them. A parent without open children has
    the value ``CLOSED / eta``.
    """
    parent = parents.argmax(1)
    use = weight - (parents @ slope) * value
    shut = jnp.broadcast_to(jnp.asarray(open_) == 0, use.shape)
    best = jax.ops.segment_max(jnp.where(shut, -jnp.inf, use).T, parent, parents.shape[1]).T
    best = jax.lax.stop_gradient(jnp.where(jnp.isfinite(best), best, -CLOSED))
    weighted = jnp.where(shut, 0.0, jnp.exp(jnp.where(shut, 0.0, use - best[..., parent])))
    total = weighted @ parents
    total = jnp.where(total > 0, total, 1.0)
    return -(best + log(total)) / slope, weighted / total[..., parent]


class Acquisition(NamedTuple):
    """Real price of a unit of compute by class of user, and each leaf's share in its user's class."""

    value: Float[Array, "class region"]
    share: Float[Array, "class leaf"]


def acquire(
    structure: Structure,
    accelerators: Accelerators,
    leaf_value: Float[Array, " leaf"],
    leaf_open: Float[Array, "class leaf"],
) -> Acquisition:
    """Solve the four levels of the nest for given real leaf prices."""
    shape = tree(structure)
    value = jnp.broadcast_to(leaf_value, leaf_open.shape)
    value, route = branch(value, accelerators.route_weight, accelerators.route_slope, shape.tier, leaf_open)
    value, tier = branch(value, accelerators.tier_weight, accelerators.tier_slope, shape.family)
    value, family = branch(value, accelerators.family_weight, accelerators.family_slope, shape.ownership)
    value, ownership = branch(value, accelerators.ownership_weight, accelerators.ownership_slope, shape.user)
    down = (family * (ownership @ shape.ownership.T)) @ shape.family.T
    return Acquisition(value, route * ((tier * down) @ shape.tier.T))

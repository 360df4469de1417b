"""What effects are measured on: a few arrays of every world, with axes for world and period in front."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backfill.economy.economy import Structure
from backfill.trade.market import Outcome

Array = Any


class Seen(NamedTuple):
    """What is seen of markets.

    Attributes:
        leaf, shipped: ``[..., leaf]`` accelerators acquired and shipped by route, thousand H100e.
        maker_mill: ``[..., maker]`` mill price of each accelerator line.
        quantity: ``[..., product, origin, destination]`` Armington flows.
        mill: ``[..., product, origin]`` mill prices.
        income: ``[..., item, region]`` items of `backfill.trade.income.Income`, in its order.
        index, absorption: ``[..., region]`` price index and value of final absorption.
    """

    leaf: Array
    shipped: Array
    maker_mill: Array
    quantity: Array
    mill: Array
    income: Array
    index: Array
    absorption: Array


def seen(structure: Structure, outcome: Outcome) -> Seen:
    """What is seen of one market's outcome, or of several."""
    del structure
    xp = np if isinstance(outcome.output, np.ndarray) else jnp
    return Seen(
        leaf=outcome.leaf,
        shipped=outcome.handling.shipped,
        maker_mill=outcome.delivered.mill,
        quantity=outcome.flows.quantity,
        mill=outcome.buying.mill,
        income=xp.stack(list(outcome.income), axis=-2),
        index=outcome.absorption.index,
        absorption=outcome.state.absorption,
    )


def together(parts: list[Seen]) -> Seen:
    """Several along the leading axis."""
    return jax.tree.map(lambda *some: np.concatenate(some), *parts)

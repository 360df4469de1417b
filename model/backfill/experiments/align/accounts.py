"""What a game needs to know of a solved world, as arrays: real absorption, incomes, compute acquired, the sender's trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from numpy.typing import NDArray

from backfill.economy.economy import Structure
from backfill.effects.welfare import EARNED
from backfill.trade.market import Outcome

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trade:
    """What a region sells and buys abroad, by mill price and volume.

    Attributes:
        out_price, out_volume: ``[period, good]`` exports.
        in_price, in_volume: ``[period, good, origin]`` imports.
    """

    out_price: Array
    out_volume: Array
    in_price: Array
    in_volume: Array

    def terms_of_trade(self, other: Trade) -> Array:
        """Gain from other border prices at these volumes, ``sum_k x_k (p'_k - p_k) - sum_ki m_ki (p'_ki - p_ki)``, ``[period]``.

        Args:
            other: the same region's trade in the other world.
        """
        sold = (self.out_volume * (other.out_price - self.out_price)).sum(1)
        bought = (self.in_volume * (other.in_price - self.in_price)).sum((1, 2))
        return sold - bought

    @property
    def exports_to(self) -> Array:
        """Imports by origin at mill prices, ``[period, origin]``."""
        return (self.in_price * self.in_volume).sum(1)


@dataclass(frozen=True)
class Account:
    """One world.

    Attributes:
        real, index: ``[period, region]`` real absorption and its price index.
        product: ``[period, region]`` gross domestic product, million USD.
        acquired: ``[period]`` compute acquired by adversaries, H100e.
        terminal: ``[region]`` worth of capacity left after the last period, million USD at the first.
        advanced: adversaries' capacity for advanced logic in the last period, million USD of output a period.
        trade: the sender's.
        failure: why it is not solved; empty if it is.
    """

    real: Array
    index: Array
    product: Array
    acquired: Array
    terminal: Array
    advanced: float
    trade: Trade
    failure: str = ""


def accounts(
    structure: Structure,
    outcome: Outcome,
    worlds: int,
    sender: int,
    terminal: Sequence[Array],
    advanced: Sequence[float],
    failures: Sequence[str],
) -> list[Account]:
    """Accounts of worlds solved together.

    Args:
        structure: names and networks.
        outcome: the markets', stacked over ``lane = world x period``.
        worlds: how many.
        sender: place of the region whose trade is wanted.
        terminal, advanced, failures: of each world, see `Account`.
    """
    periods = len(outcome.output) // worlds
    found: Outcome = jax.tree.map(lambda x: np.asarray(x).reshape(worlds, periods, *np.shape(x)[1:]), outcome)
    adversary = [structure.region(code) for code in structure.vocabulary.expand_regions("adversary")]
    users = np.isin([leaf.user for leaf in structure.leaves], adversary)
    income = found.income
    product = np.sum([np.asarray(getattr(income, name)) for name in EARNED], axis=0)
    trade = _trade(structure, found, sender)
    return [
        Account(
            real=np.asarray(found.state.absorption[w] / found.absorption.index[w]),
            index=np.asarray(found.absorption.index[w]),
            product=np.asarray(product[w]),
            acquired=np.asarray(found.leaf[w][:, users].sum(1)) * 1000,
            terminal=terminal[w],
            advanced=advanced[w],
            trade=trade[w],
            failure=failures[w],
        )
        for w in range(worlds)
    ]


def _trade(structure: Structure, found: Outcome, sender: int) -> list[Trade]:
    """The sender's trade with others, accelerator lines after the other goods."""
    abroad = np.arange(len(structure.regions)) != sender
    quantity, mill = np.asarray(found.flows.quantity), np.asarray(found.buying.mill)
    deliveries, maker = np.asarray(found.handling.deliveries), np.asarray(found.delivered.mill)
    home = np.array([structure.region(region) for _, region in structure.makers], int)
    own = home == sender
    volume_out = np.concatenate(
        [quantity[:, :, :, sender, :][..., abroad].sum(-1), (deliveries * own[:, None])[..., abroad].sum(-1)], axis=2
    )
    price_out = np.concatenate([mill[..., sender], maker], axis=2)
    by_origin = np.zeros((*maker.shape, len(structure.regions)))
    by_origin[..., np.arange(len(home)), home] = deliveries[..., sender]
    volume_in = np.concatenate([quantity[..., sender], by_origin], axis=2) * abroad
    price_in = np.concatenate([mill, np.broadcast_to(maker[..., None], by_origin.shape)], axis=2)
    return [Trade(price_out[w], volume_out[w], price_in[w], volume_in[w]) for w in range(len(mill))]

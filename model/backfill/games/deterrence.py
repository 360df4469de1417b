"""Which tariff, or which offer, makes a player align; and whether the sender would carry the tariff out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from backfill.games.equilibria import INDIFFERENT
from backfill.games.payoffs import Array

FLAT = 0.25
"""Share of its first slope below which the last slope of a curve says that it saturates."""

PASS_THROUGH = 0.5
"""``psi`` of the rule of thumb, .2 to 1 (economics, section 10)."""


@dataclass(frozen=True)
class Deterring:
    """The least tariff at which a player aligns as asked.

    Attributes:
        rate: that tariff; None if none on the grid is enough.
        monotone: whether every higher tariff of the grid is enough as well.
        margin: ``[rate]`` what aligning is better by than the best of the alternatives, as a share of GDP.
        saturates: whether the margin rises at first and hardly any more at the largest tariff.
    """

    rate: float | None
    monotone: bool
    margin: Array
    saturates: bool = False


def deterring(rates: Array, gain: Array, tolerance: float = INDIFFERENT) -> Deterring:
    """``t* = inf{t <= t_max : U(asked; t) >= U(a'; t) for every a' < asked}`` on a grid, linear in between.

    The loss from a tariff may saturate and need not be monotone: there may be no such tariff, and a higher one may fail where
    a lower one does.

    Args:
        rates: ``[rate]`` rising; the first is commonly 0.
        gain: ``[rate, alternative]`` what aligning as asked is better by than each alternative, as a share of GDP.
        tolerance: gains below which a player is indifferent, and aligns.

    Raises:
        ValueError: rates that do not rise, or a gain that is not a number.
    """
    if (np.diff(rates) <= 0).any():
        raise ValueError("rates must rise")
    if np.isnan(gain).any():
        raise ValueError("a gain is not known")
    margin = gain.min(axis=1)
    enough = np.flatnonzero(margin >= -tolerance)
    if not enough.size:
        slope = np.diff(margin) / np.diff(rates)
        return Deterring(None, True, margin, bool(slope.size > 1 and slope[0] > 0 and slope[-1] < FLAT * slope[0]))
    first = int(enough[0])
    monotone = bool((margin[first:] >= -tolerance).all())
    if first == 0:
        return Deterring(float(rates[0]), monotone, margin)
    low, high = gain[first - 1], gain[first]
    share = np.where(low < 0, -low / np.where(high > low, high - low, 1.0), 0.0).max()
    return Deterring(float(rates[first - 1] + min(share, 1.0) * (rates[first] - rates[first - 1])), monotone, margin)


def deterring_offer(gain: Array) -> float:
    """The least offer that makes a player align, ``max_a' [U(a') - U(asked)]``, as a share of GDP and never below 0.

    Args:
        gain: ``[alternative]`` what aligning as asked is better by than each alternative without any offer.
    """
    return float(max(0.0, -gain.min()))


def thumb(exports: float, rate: float, pass_through: float = PASS_THROUGH) -> float:
    """Loss from a tariff by rule of thumb, ``psi x t / (1 + t)``, as a share of GDP; a check, not a result.

    Args:
        exports: exports to the sender as a share of GDP.
        rate: the tariff.
        pass_through: ``psi``.
    """
    return pass_through * exports * rate / (1 + rate)


class Verdict(Enum):
    """Whether the sender would carry its threat out, each a sentence."""

    PAYS = "Carrying the threat out pays the sender even without its gains from better terms of trade."
    TERMS_OF_TRADE = (
        "Carrying the threat out pays the sender only by better terms of trade, which others can take back."
    )
    COSTS = "Carrying the threat out costs the sender more than it gains."


@dataclass(frozen=True)
class Execution:
    """What carrying a threat out does to the sender, as shares of its GDP.

    Attributes:
        change: its pay-off with the tariff carried out, and answered, less without it.
        terms_of_trade: the part of it that is better terms of trade.
    """

    change: float
    terms_of_trade: float

    @property
    def net(self) -> float:
        """The change without terms-of-trade gains; losses of them count."""
        return self.change - max(self.terms_of_trade, 0.0)

    @property
    def verdict(self) -> Verdict:
        """Whether it pays."""
        if self.net > 0:
            return Verdict.PAYS
        return Verdict.TERMS_OF_TRADE if self.change > 0 else Verdict.COSTS

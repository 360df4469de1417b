"""How a total is shared among those who bring it about together: Shapley values, exact or from sampled orders.

Of players ``N`` with worth ``v(S)`` of every coalition, player ``i`` gets its marginal worth averaged over all orders of entry,

``phi_i = sum over S without i of |S|! (|N| - |S| - 1)! / |N|!  (v(S + i) - v(S))``,

the only rule that adds up to ``v(N) - v(empty)``, treats equals alike, gives nothing to who changes nothing and is linear
(Shapley 1953, "A value for n-person games", Contributions to the Theory of Games II).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

Coalition = frozenset[int]
Order = tuple[int, ...]
"""All players in the order in which they enter."""

Worth = Mapping[Coalition, np.ndarray]
"""What coalitions bring about, ``[effect]`` in each effect's own unit; a number that does not exist is nan and spreads."""


def coalitions(players: int) -> tuple[Coalition, ...]:
    """All ``2**players`` coalitions, small ones first."""
    return tuple(frozenset(some) for size in range(players + 1) for some in combinations(range(players), size))


def exact(players: int, worth: Worth) -> np.ndarray:
    """Shapley values ``[player, effect]``.

    Args:
        players: how many.
        worth: of every coalition (see `coalitions`).

    Raises:
        KeyError: a coalition without a worth.
    """
    value = np.zeros((players, *np.shape(worth[frozenset()])))
    for player in range(players):
        for without in coalitions(players):
            if player not in without:
                weight = 1 / (players * math.comb(players - 1, len(without)))
                value[player] += weight * (worth[without | {player}] - worth[without])
    return value


def sampled_orders(players: int, count: int, seed: int = 0) -> tuple[Order, ...]:
    """Random orders of entry in pairs, each followed by its reverse, which varies less than independent ones.

    Args:
        players: how many.
        count: orders, an even number of at least four.
        seed: of the generator; the same orders for the same seed.

    Raises:
        ValueError: a count from which no standard error follows.
    """
    if count < 4 or count % 2:
        raise ValueError(f"count is {count}; it is even and at least 4")
    random = np.random.default_rng(seed)
    drawn = [tuple(int(player) for player in random.permutation(players)) for _ in range(count // 2)]
    return tuple(order for one in drawn for order in (one, one[::-1]))


def entered(orders: Iterable[Order]) -> tuple[Coalition, ...]:
    """Coalitions met on the way, each once: nobody, the first, the first two, ..., everybody."""
    met = {frozenset(order[:size]) for order in orders for size in range(len(order) + 1)}
    return tuple(sorted(met, key=lambda coalition: (len(coalition), sorted(coalition))))


def sampled(orders: Sequence[Order], worth: Worth) -> tuple[np.ndarray, np.ndarray]:
    """Estimated Shapley values and their standard errors, both ``[player, effect]``.

    The mean of marginal worths over the orders, which adds up to ``v(N) - v(empty)`` whatever orders were drawn. Standard
    error: with ``m`` pairs of an order and its reverse and ``s`` the standard deviation of the pairs' means,
    ``s / sqrt(m)`` (Castro, Gomez and Tejada 2009, Computers & Operations Research 36, for independent orders).

    Args:
        orders: as drawn by `sampled_orders`.
        worth: of the coalitions met (see `entered`).

    Raises:
        KeyError: a coalition without a worth.
    """
    players = len(orders[0])
    marginal = np.zeros((len(orders), players, *np.shape(worth[frozenset()])))
    for number, order in enumerate(orders):
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            marginal[number, player] = worth[before | {player}] - worth[before]
    pairs = (marginal[0::2] + marginal[1::2]) / 2
    return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs))

"""Equilibria in pure strategies, and how play gets to one from today."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from backfill.games.payoffs import Array, Profile

INDIFFERENT = 1e-7
"""Least gain, as a share of GDP, for which a player moves: what the residual at which worlds are accepted may be worth."""


def replaced(profile: Profile, player: int, level: int) -> Profile:
    """The profile with one player at another level."""
    return (*profile[:player], level, *profile[player + 1 :])


def choices(payoff: Array, player: int, profile: Profile) -> Array:
    """What a player gets at each of its levels, the others being as in the profile; ``[level]``.

    Args:
        payoff: ``[player, *levels]``.
    """
    place: list[int | slice] = [player, *profile]
    place[1 + player] = slice(None)
    return payoff[tuple(place)]


def best_reply(payoff: Array, player: int, profile: Profile, tolerance: float = INDIFFERENT) -> int:
    """The level a player moves to: the best, or the present one if nothing is better by more than ``tolerance``.

    Levels whose pay-off is not known are not considered; a player whose own pay-off is not known stays.
    """
    values = choices(payoff, player, profile)
    here = values[profile[player]]
    if np.isnan(here) or not np.nanmax(values) > here + tolerance:
        return profile[player]
    return int(np.nanargmax(values))


def is_equilibrium(payoff: Array, profile: Profile, tolerance: float = INDIFFERENT) -> bool:
    """Whether nobody gains by more than ``tolerance`` by moving alone, and every pay-off this rests on is known."""
    for player in range(len(payoff)):
        values = choices(payoff, player, profile)
        if np.isnan(values).any() or values.max() > values[profile[player]] + tolerance:
            return False
    return True


def pure_equilibria(payoff: Array, tolerance: float = INDIFFERENT) -> tuple[Profile, ...]:
    """All Nash equilibria in pure strategies (Nash 1950, "Equilibrium points in n-person games", PNAS 36).

    ``a`` is one if ``U_i(a) >= U_i(a'_i, a_-i)`` for every player ``i`` and level ``a'_i``.

    Args:
        payoff: ``[player, *levels]``.
        tolerance: gains up to which a player does not move.
    """
    best = np.ones(payoff.shape[1:], bool)
    for player, mine in enumerate(payoff):
        known = ~np.isnan(mine).any(axis=player, keepdims=True)
        best &= known & (mine >= np.max(mine, axis=player, keepdims=True) - tolerance)
    return tuple(tuple(int(x) for x in place) for place in np.argwhere(best))


class Ending(Enum):
    """How a best-response path ends, each a sentence."""

    EQUILIBRIUM = "Nobody wants to move any more."
    CYCLE = "Play comes back to where it has been and never settles."
    UNKNOWN = "Play comes to a profile around which pay-offs are not known."


@dataclass(frozen=True)
class Move:
    """One step of a path: who moved, between which profiles, and what the mover gained."""

    player: int
    before: Profile
    after: Profile
    gain: float


@dataclass(frozen=True)
class Path:
    """Best responses in turn, from a profile on.

    Attributes:
        start, end: first and last profile.
        moves: steps between.
        ending: why it stops.
    """

    start: Profile
    end: Profile
    moves: tuple[Move, ...]
    ending: Ending


def best_response_path(payoff: Array, start: Profile, tolerance: float = INDIFFERENT) -> Path:
    """Players move in turn, each to its best reply to where the others stand, until nobody moves or play repeats itself.

    Args:
        payoff: ``[player, *levels]``.
        start: where play begins.
        tolerance: gains up to which a player does not move.
    """
    profile, moves = start, []
    seen: set[tuple[Profile, int]] = set()
    still, player = 0, 0
    while still < len(payoff):
        if (profile, player) in seen:
            return Path(start, profile, tuple(moves), Ending.CYCLE)
        seen.add((profile, player))
        level = best_reply(payoff, player, profile, tolerance)
        if level == profile[player]:
            still += 1
        else:
            after = replaced(profile, player, level)
            gain = float(payoff[(player, *after)] - payoff[(player, *profile)])
            moves.append(Move(player, profile, after, gain))
            profile, still = after, 1
        player = (player + 1) % len(payoff)
    ending = Ending.EQUILIBRIUM if is_equilibrium(payoff, profile, tolerance) else Ending.UNKNOWN
    return Path(start, profile, tuple(moves), ending)


def reachable(payoff: Array, start: Profile, tolerance: float = INDIFFERENT) -> frozenset[Profile]:
    """Every profile that best responses lead to from ``start``, whoever moves when."""
    found, open_ = {start}, [start]
    while open_:
        profile = open_.pop()
        for player in range(len(payoff)):
            after = replaced(profile, player, best_reply(payoff, player, profile, tolerance))
            if after not in found:
                found.add(after)
                open_.append(after)
    return frozenset(found)

"""Coalitions of those who align as asked while the others stay where they are: worth, and who would leave or join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backfill.effects import shapley
from backfill.games.equilibria import INDIFFERENT
from backfill.games.payoffs import Array, Game, Profile


def profile_of(game: Game, coalition: shapley.Coalition) -> Profile:
    """Members at the level they are asked for, the others where they are today."""
    return tuple(game.asked[i] if i in coalition else game.today[i] for i in range(len(game.players)))


@dataclass(frozen=True)
class Stability:
    """Whether a coalition holds together and keeps to itself.

    Attributes:
        coalition: its members.
        leave: members who gain by going back to where they are today, with their gain.
        join: outsiders who gain by aligning as asked, with their gain.
    """

    coalition: shapley.Coalition
    leave: Mapping[int, float]
    join: Mapping[int, float]

    @property
    def internal(self) -> bool:
        """No member gains by leaving."""
        return not self.leave

    @property
    def external(self) -> bool:
        """No outsider gains by joining."""
        return not self.join


def stability(game: Game, payoff: Array, tolerance: float = INDIFFERENT) -> tuple[Stability, ...]:
    """Internal and external stability of every coalition whose pay-offs are known.

    Internal: ``U_i(S) >= U_i(S - i)`` for members; external: ``U_i(S) >= U_i(S + i)`` for outsiders (d'Aspremont et al. 1983,
    "On the stability of collusive price leadership", Canadian Journal of Economics 16).

    Args:
        payoff: ``[player, *levels]``.
    """
    found = []
    for coalition in shapley.coalitions(len(game.players)):
        here = payoff[(slice(None), *profile_of(game, coalition))]
        leave, join = {}, {}
        for player in range(len(game.players)):
            other = coalition - {player} if player in coalition else coalition | {player}
            gain = float(payoff[(player, *profile_of(game, other))] - here[player])
            if np.isnan(gain):
                break
            if gain > tolerance:
                (leave if player in coalition else join)[player] = gain
        else:
            found.append(Stability(coalition, leave, join))
    return tuple(found)


def contributions(game: Game, worth: Array) -> Array:
    """Shapley values ``[player, effect]`` of what coalitions bring about (see `backfill.effects.shapley`).

    Args:
        worth: ``[effect, *levels]``; nan spreads.
    """
    met = {one: worth[(slice(None), *profile_of(game, one))] for one in shapley.coalitions(len(game.players))}
    return shapley.exact(len(game.players), met)

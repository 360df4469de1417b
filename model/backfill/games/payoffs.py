"""Pay-offs of an alignment game, split into the parts they are made of (economics, section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Profile = tuple[int, ...]
"""Place of each player's level, in the order of the players."""

PARTS = ("welfare", "retaliation", "secondary tariff", "security", "offer")
"""What a pay-off is the sum of."""


@dataclass(frozen=True)
class Game:
    """Who chooses among which levels.

    Attributes:
        players: names, in the order of the axes.
        levels: levels open to every player, rising.
        today: place of each player's level today.
        asked: place of the level each is asked for.
    """

    players: tuple[str, ...]
    levels: tuple[float, ...]
    today: Profile
    asked: Profile

    def __post_init__(self) -> None:
        if len(self.today) != len(self.players) or len(self.asked) != len(self.players):
            raise ValueError(f"{len(self.players)} players need as many levels of today and as many that are asked")
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels are {self.levels}; they rise, each once")
        places = range(len(self.levels))
        if any(place not in places for place in (*self.today, *self.asked)):
            raise ValueError(f"levels of today and levels asked are places among {len(self.levels)} levels")

    @property
    def shape(self) -> Profile:
        """Number of levels on the axis of each player."""
        return (len(self.levels),) * len(self.players)

    def profiles(self) -> Iterator[Profile]:
        """Every profile, the last player's level changing fastest."""
        return product(range(len(self.levels)), repeat=len(self.players))

    def unaligned(self, profile: Profile) -> tuple[int, ...]:
        """Players below the level they are asked for: those whom the threat falls on."""
        return tuple(i for i, (at, asked) in enumerate(zip(profile, self.asked, strict=True)) if at < asked)

    def name(self, profile: Profile) -> str:
        """A profile in words, ``"NLD 1, JPN 0.5"``."""
        return ", ".join(f"{who} {self.levels[at]:g}" for who, at in zip(self.players, profile, strict=True))


@dataclass(frozen=True)
class Payoffs:
    """What every player gets at every profile.

    Attributes:
        game: players and levels.
        parts: ``[part, player, *levels]`` in the order of `PARTS`, as shares of the player's GDP; nan where a world has no
            solution.
    """

    game: Game
    parts: Array

    @property
    def total(self) -> Array:
        """Sum of the parts, ``[player, *levels]``."""
        return self.parts.sum(axis=0)

    @property
    def unsolved(self) -> tuple[Profile, ...]:
        """Profiles at which some pay-off is not known."""
        return tuple(p for p in self.game.profiles() if np.isnan(self.total[(slice(None), *p)]).any())


def payoffs(
    game: Game,
    *,
    unanswered: Array,
    peaceful: Array,
    threatened: Array,
    denied: Array,
    credibility: float,
    security: Array,
    offer: Array,
) -> Payoffs:
    """Pay-offs ``U_i(a) = [(1-c) EV_i(a, 0) + c EV_i(a, t)] / GDP_i + w_i CD(a)/A0 + offer_i``, part by part.

    ``welfare`` is ``EV_i`` without retaliation and without the threat carried out, ``retaliation`` what retaliation adds,
    ``secondary tariff`` is ``c [EV_i(a, t) - EV_i(a, 0)]``, ``security`` is ``w_i CD(a)/A0``, and the offer is had by those
    at the level asked or above.

    Args:
        game: players and levels.
        unanswered, peaceful, threatened: ``[player, *levels]`` equivalent variation as a share of GDP without retaliation,
            with it, and with the threatened tariff carried out on all unaligned.
        denied: ``[*levels]`` compute denied as a share of what the adversary acquires in the reference.
        credibility: ``c``, belief that the threat is carried out.
        security: ``w``, ``[player]`` worth of denying everything, as a share of GDP.
        offer: ``[player]`` offers as shares of GDP.
    """
    aligned = np.zeros(peaceful.shape)
    for profile in game.profiles():
        for player, (at, asked) in enumerate(zip(profile, game.asked, strict=True)):
            aligned[(player, *profile)] = at >= asked
    wide = (-1, *(1 for _ in game.players))
    parts = np.stack(
        [
            unanswered,
            peaceful - unanswered,
            credibility * (threatened - peaceful),
            security.reshape(wide) * denied,
            offer.reshape(wide) * aligned,
        ]
    )
    return Payoffs(game, parts)
